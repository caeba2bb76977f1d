/** The edge offers a handful of ways to have been dialled; more are not worth an HMAC each. */
const URLS_MAX = 8;

/**
 * Every spelling of the URLs a provider may have signed: either scheme, port named or not, path closed or
 * not, and the query as its protocol writes it (`queriesOf`, the question mark included where it wants one).
 */
export function urlSpellings(
  urls: readonly string[],
  queriesOf: (query: string) => readonly string[],
): ReadonlySet<string> {
  const spellings = new Set<string>();
  for (const url of urls.slice(0, URLS_MAX)) {
    for (const spelling of spellingsOf(url, queriesOf)) spellings.add(spelling);
  }
  return spellings;
}

function spellingsOf(url: string, queriesOf: (query: string) => readonly string[]): readonly string[] {
  const parts = /^(wss|ws|https|http):\/\/([^/?#:]+|\[[^\]]+\])(:\d+)?([^?#]*)(?:\?([^#]*))?$/i.exec(url);
  if (parts === null) return [];
  const [, scheme = '', host = '', port = '', path = '', query] = parts;
  // TLS may end at a proxy, so that what reached us as `ws` was dialled as `wss`.
  const schemes = isSecure(scheme.toLowerCase()) ? ['wss', 'https'] : ['wss', 'https', 'ws', 'http'];
  const paths = path.endsWith('/') ? [path, path.slice(0, -1)] : [path, `${path}/`];
  const queries = query === undefined ? [''] : queriesOf(query);
  return schemes.flatMap((scheme) =>
    ['', port, isSecure(scheme) ? ':443' : ':80'].flatMap((port) =>
      paths.flatMap((path) => queries.map((query) => `${scheme}://${host}${port}${path}${query}`)),
    ),
  );
}

function isSecure(scheme: string): boolean {
  return scheme === 'wss' || scheme === 'https';
}
