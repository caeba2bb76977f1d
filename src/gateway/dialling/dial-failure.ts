import { VoiceError } from '../../base/errors.ts';
import type { DialResult } from './dial-limits.ts';

/** Why there is no leg. `detail` is for people; it holds no key and no URL. */
export interface DialFailure {
  readonly result: Exclude<DialResult, 'started'>;
  readonly detail: string;
}

const DETAIL_CHARACTERS_MAX = 300;

// What OpenSSL and Node call a certificate that is not good (node:tls, X509 certificate error codes).
const TLS_CODE = /^(?:ERR_TLS|ERR_SSL|EPROTO$|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|HOSTNAME_MISMATCH)/;

/** A failure with its detail shortened. */
export function dialFailure(result: DialFailure['result'], detail: string): DialFailure {
  return { result, detail: detail.slice(0, DETAIL_CHARACTERS_MAX) };
}

/** What an error of the way to an open WebSocket means. */
export function failureOf(error: Error & { readonly code?: unknown }): DialFailure {
  if (error instanceof VoiceError) {
    const result = error.code === 'failed_precondition' ? 'blocked' : 'unresolved';
    return dialFailure(result, error.message);
  }
  const code = typeof error.code === 'string' ? error.code : '';
  // Several addresses were tried: Node tells of them together, and each says the same.
  const [first] = error instanceof AggregateError ? (error.errors as readonly Error[]) : [];
  const detail = error.message === '' ? (first?.message ?? code) : error.message;
  if (TLS_CODE.test(code)) return dialFailure('tls', detail);
  if (code === 'ECONNREFUSED') return dialFailure('refused', detail);
  // ws names an upgrade that is none without a code: a wrong accept key, a missing subprotocol.
  return dialFailure(code === '' || code.startsWith('HPE_') ? 'protocol' : 'unreachable', detail);
}
