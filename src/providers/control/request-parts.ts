import { refuse, type Refusal } from '../../base/errors.ts';
import type { ProviderRequest } from './provider-api.ts';

type Authorization = { readonly [name: string]: string };

/** `Authorization: Basic …` (RFC 7617). */
export function basicOf(user: string, password: string): Authorization {
  return { authorization: `Basic ${Buffer.from(`${user}:${password}`, 'utf8').toString('base64')}` };
}

/** `Authorization: Bearer …` (RFC 6750). */
export function bearerOf(token: string): Authorization {
  return { authorization: `Bearer ${token}` };
}

export function jsonRequest(
  method: ProviderRequest['method'],
  url: string,
  authorization: Authorization,
  body: object,
): ProviderRequest {
  const headers = { ...authorization, 'content-type': 'application/json' };
  return { method, url, headers, body: JSON.stringify(body) };
}

export function formRequest(
  url: string,
  authorization: Authorization,
  fields: { readonly [name: string]: string },
): ProviderRequest {
  const headers = { ...authorization, 'content-type': 'application/x-www-form-urlencoded' };
  return { method: 'POST', url, headers, body: new URLSearchParams(fields).toString() };
}

/**
 * One segment of a path. A colon stays as it is (RFC 3986 §3.3 allows it): call ids of Telnyx begin with
 * `v3:`.
 */
export function segmentOf(text: string): string {
  return encodeURIComponent(text).replaceAll('%3A', ':');
}

/** Text inside an XML element or a double-quoted attribute. */
export function xmlOf(text: string): string {
  return text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}

export function isSip(target: string): boolean {
  return /^sips?:/i.test(target);
}

/** A telephone number without its plus, as some write E.164. */
export function digitsOf(number: string): string {
  return number.replace(/\D/g, '');
}

/** Some providers take a document only from a URL that answers it. */
export function needsAnswerUrl(provider: string): Refusal {
  return refuse('failed_precondition', `${provider} takes no document, only a URL that answers one`);
}
