import { createHmac } from 'node:crypto';
import { isSameSecret } from '../../base/secret.ts';
import type { UpgradeFacts } from '../proof.ts';
import { urlSpellings } from '../url-spellings.ts';

const SIGNATURE_HEADER = 'x-twilio-signature';

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
  for (const url of urlSpellings(upgrade.urls, queriesOf)) {
    if (isSameSecret(signature, signTwilioUrl(url, authToken))) isAuthentic = true;
  }
  return isAuthentic;
}

function queriesOf(query: string): readonly string[] {
  return [`?${query}`, sortedParameters(query)];
}

// Twilio's own Python helper signs a query as it signs a form: each name and value, sorted by name.
function sortedParameters(query: string): string {
  const parameters = [...new URLSearchParams(query)];
  parameters.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return parameters.map(([name, value]) => name + value).join('');
}
