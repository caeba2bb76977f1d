/** What is known of the URL a request was sent to. */
export interface DialledUrl {
  /** Path and query, as they came in. */
  readonly target: string;
  readonly isTls: boolean;
  readonly host: string | undefined;
  /** First values of `X-Forwarded-Proto` and `-Host`; undefined unless a trusted proxy said it. */
  readonly forwardedProto: string | undefined;
  readonly forwardedHost: string | undefined;
}

/**
 * The URLs a provider may have dialled, most likely first: the operator's public ones, what a trusted proxy
 * says, what the request says itself. Their spellings (port, last slash, scheme) are the dialect's to know.
 */
export function dialledUrlsOf(dialled: DialledUrl, publicMediaUrls: readonly string[]): readonly string[] {
  const scheme = isSecure(dialled) ? 'wss' : 'ws';
  const hosts = [dialled.forwardedHost, dialled.host].filter((host) => host !== undefined && host !== '');
  const bases = [...publicMediaUrls.map(withoutLastSlash), ...hosts.map((host) => `${scheme}://${host}`)];
  return [...new Set(bases.map((base) => `${base}${dialled.target}`))];
}

function isSecure({ forwardedProto, isTls }: DialledUrl): boolean {
  if (forwardedProto === undefined) return isTls;
  return forwardedProto === 'https' || forwardedProto === 'wss';
}

function withoutLastSlash(text: string): string {
  return text.endsWith('/') ? text.slice(0, -1) : text;
}
