import type { Endpoint } from '../outbox.ts';

/** What to send as `authorization`, or why there is nothing to send. */
export type Authorization = { readonly value: string } | { readonly failure: string };

/**
 * Tokens for endpoints that want OAuth2 (`auth.kind` is `oauth2`); the sender asks before each attempt and
 * never sends without an answer. A failure is a failed attempt of class `auth_error`, tried again later.
 */
export interface Authorizer {
  /** Tokens that could not be had, that were refused, and those dropped for others. */
  readonly stats?: { readonly failures: number; readonly refused: number; readonly evicted: number };
  authorizationFor(endpoint: Endpoint): Promise<Authorization>;
  /** The receiver answered 401, 403 or 407 to `value`: the next question gets another token. */
  refused(endpoint: Endpoint, value: string): void;
}
