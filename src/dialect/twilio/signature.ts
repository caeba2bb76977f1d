import { createHmac } from 'node:crypto';
import { isSameSecret } from '../../base/secret.ts';
import type { UpgradeFacts } from '../proof.ts';

const SIGNATURE_HEADER = 'x-twilio-signature';
/** The edge offers a handful of ways to have been dialled; more are not worth an HMAC each. */
const URLS_MAX = 8;

/** The `X-Twilio-Signature` of a URL: base64 of its HMAC-SHA1 under the account's auth token. */
export function signTwilioUrl(signed: string, authToken: string): string {
  return createHmac('sha1', authToken).update(signed).digest('base64');
}

/**
 * Whether the upgrade was signed with this auth token. Twilio signs the URL exactly as it was dialled, which
 * proxies hide from us: every spelling of it is tried, and all of them are compared whether or not one fits.
 */
export function isTwilioUpgradeAuthentic(upgrade: UpgradeFacts, authToken: string): boolean {
  const signature = upgrade.headers[SIGNATURE_HEADER];
  if (signature === undefined || authToken === '') return false;
  let isAuthentic = false;
  for (const url of signedForms(upgrade.urls)) {
    if (isSameSecret(signature, signTwilioUrl(url, authToken))) isAuthentic = true;
  }
  return isAuthentic;
}

function signedForms(urls: readonly string[]): Set<string> {
  const forms = new Set<string>();
  for (const url of urls.slice(0, URLS_MAX)) {
    for (const form of formsOf(url)) forms.add(form);
  }
  return forms;
}

/** The spellings of one URL: either scheme, port named or not, path closed or not, query either way. */
function formsOf(url: string): string[] {
  const parts = /^(wss|ws|https|http):\/\/([^/?#:]+|\[[^\]]+\])(:\d+)?([^?#]*)(?:\?([^#]*))?$/i.exec(url);
  if (parts === null) return [];
  const [, scheme = '', host = '', port = '', path = '', query] = parts;
  // TLS may end at a proxy, so that what reached us as `ws` was dialled as `wss`.
  const schemes = isSecure(scheme.toLowerCase()) ? ['wss', 'https'] : ['wss', 'https', 'ws', 'http'];
  const paths = path.endsWith('/') ? [path, path.slice(0, -1)] : [path, `${path}/`];
  const queries = query === undefined ? [''] : [`?${query}`, sortedParameters(query)];
  return schemes.flatMap((scheme) =>
    ['', port, isSecure(scheme) ? ':443' : ':80'].flatMap((port) =>
      paths.flatMap((path) => queries.map((query) => `${scheme}://${host}${port}${path}${query}`)),
    ),
  );
}

function isSecure(scheme: string): boolean {
  return scheme === 'wss' || scheme === 'https';
}

// Twilio's own Python helper signs a query as it signs a form: each name and value, sorted by name.
function sortedParameters(query: string): string {
  const parameters = [...new URLSearchParams(query)];
  parameters.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return parameters.map(([name, value]) => name + value).join('');
}
