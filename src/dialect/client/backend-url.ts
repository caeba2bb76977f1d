import { VoiceError } from '../../base/errors.ts';

/**
 * The URL of a backend, `ws` or `wss`, with what the protocol adds to its query; a parameter that is there
 * already stays as it was given. Throws `invalid_argument` where nothing can be dialled.
 */
export function backendUrl(
  given: string | null,
  ownAddress: string | null,
  query: { readonly [name: string]: string | null } = {},
): string {
  const text = given ?? ownAddress;
  if (text === null) throw wrong('this protocol has no address of its own: a url is needed');
  if (!URL.canParse(text)) throw wrong('url is not an absolute URL');
  const url = new URL(text);
  if (url.protocol !== 'ws:' && url.protocol !== 'wss:') throw wrong('url must be ws or wss');
  // The key goes into a header: what stands in a URL ends up in logs.
  if (url.username !== '' || url.password !== '') throw wrong('url must not carry credentials');
  url.hash = '';
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && !url.searchParams.has(name)) url.searchParams.set(name, value);
  }
  return url.href;
}

/** The header that shows a key, or none. */
export function keyHeader(
  apiKey: string | null,
  name: string,
  scheme: string,
): { readonly [name: string]: string } {
  if (apiKey === null) return {};
  if (!/^[\x21-\x7e]+$/.test(apiKey)) throw new VoiceError('invalid_argument', 'api_key is no header value');
  return { [name]: scheme === '' ? apiKey : `${scheme} ${apiKey}` };
}

function wrong(sentence: string): VoiceError {
  return new VoiceError('invalid_argument', sentence, { field: 'url' });
}
