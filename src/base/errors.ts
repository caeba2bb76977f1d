/**
 * What a failure means to the three kinds of caller: HTTP, WebSocket, and somebody deciding whether to try
 * again.
 */
export interface Fault {
  readonly httpStatus: number;
  readonly closeCode: number;
  readonly retryable: boolean;
}

// The codes of contract.md §3 (REST) and §9 (WebSocket), mapped once. A close reason is the fault's own name.
export const FAULTS = {
  invalid_argument: { httpStatus: 400, closeCode: 4400, retryable: false },
  unsupported_version: { httpStatus: 400, closeCode: 4400, retryable: false },
  unauthenticated: { httpStatus: 401, closeCode: 4401, retryable: false },
  permission_denied: { httpStatus: 403, closeCode: 4401, retryable: false },
  not_found: { httpStatus: 404, closeCode: 4404, retryable: false },
  call_not_found: { httpStatus: 404, closeCode: 4404, retryable: false },
  conflict: { httpStatus: 409, closeCode: 4409, retryable: false },
  leg_replaced: { httpStatus: 409, closeCode: 4409, retryable: false },
  payload_too_large: { httpStatus: 413, closeCode: 1009, retryable: false },
  frame_too_large: { httpStatus: 413, closeCode: 1009, retryable: false },
  failed_precondition: { httpStatus: 422, closeCode: 4400, retryable: false },
  rate_limited: { httpStatus: 429, closeCode: 4429, retryable: true },
  too_many_messages: { httpStatus: 429, closeCode: 4429, retryable: true },
  internal: { httpStatus: 500, closeCode: 1011, retryable: true },
  overloaded: { httpStatus: 503, closeCode: 4503, retryable: true },
  unavailable: { httpStatus: 503, closeCode: 4503, retryable: true },
  draining: { httpStatus: 503, closeCode: 1012, retryable: true },
  protocol_violation: { httpStatus: 400, closeCode: 4400, retryable: false },
  unsupported_format: { httpStatus: 422, closeCode: 1003, retryable: false },
  not_json: { httpStatus: 400, closeCode: 4400, retryable: false },
  handshake_timeout: { httpStatus: 408, closeCode: 4400, retryable: true },
  peer_stalled: { httpStatus: 503, closeCode: 4413, retryable: true },
  too_slow: { httpStatus: 503, closeCode: 4408, retryable: true },
} as const satisfies Record<string, Fault>;

export type FaultCode = keyof typeof FAULTS;

/** An operation of ours that failed; edges map it to a status or a close code by its fault, once. */
export class VoiceError extends Error {
  readonly code: FaultCode;
  /** The argument at fault, as the caller named it. */
  readonly field: string | undefined;

  constructor(code: FaultCode, message: string, options: { field?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'VoiceError';
    this.code = code;
    this.field = options.field;
  }
}

/** A stranger's mistake, returned rather than thrown: bad input is an answer. */
export interface Refusal {
  readonly type: 'refusal';
  readonly fault: FaultCode;
  readonly detail: string;
}

export function refuse(fault: FaultCode, detail: string): Refusal {
  return { type: 'refusal', fault, detail };
}

/** Our own broken promise: ends one leg or one request, never the process. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError';
}

export function invariant(holds: boolean, promise: string): asserts holds {
  if (!holds) throw new InvariantError(promise);
}

/** Whether it is an error of Node's with that code, `EEXIST` say. */
export function hasCode(thrown: unknown, code: string): boolean {
  return thrown instanceof Error && 'code' in thrown && thrown.code === code;
}

/** The sentence of anything thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
