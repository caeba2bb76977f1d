import type { AtMs } from '../base/clock.ts';
import type { EventClass } from '../events/catalogue.ts';
import type { AttemptTrigger, DeliveryState, ErrorClass } from './outbox.ts';

/** Where an event's time went, up to the last byte of a request that told it. */
export interface HookSent {
  readonly endpointId: string;
  readonly eventClass: EventClass;
  /** From 1. */
  readonly attempt: number;
  readonly receivedAtMs: AtMs;
  readonly decidedAtMs: AtMs;
  readonly committedAtMs: AtMs;
  readonly sentAtMs: AtMs;
  /** It waited for its receiver: for a retry or a slow answer before it, a pause, a full house. */
  readonly isHeldUp: boolean;
}

/** How an attempt ended. */
export interface AttemptFinished {
  readonly endpointId: string;
  readonly eventClass: EventClass;
  readonly attempt: number;
  readonly trigger: AttemptTrigger;
  /** What the delivery became by it. */
  readonly state: DeliveryState;
  readonly errorClass: ErrorClass | null;
  readonly status: number | null;
  readonly startedAtMs: AtMs;
  readonly sentAtMs: AtMs | null;
  readonly firstByteAtMs: AtMs | null;
  readonly doneAtMs: AtMs;
}

/** Whoever measures delivery. */
export interface DeliveryObserver {
  /**
   * For every request that left, retries included, of events this process saw committed; an event found again
   * after a restart has no stamps left and is told by `attemptFinished` alone.
   */
  hookSent(sent: HookSent): void;
  attemptFinished(finished: AttemptFinished): void;
}

/** The narrow logger that delivery asks for; pino fits. */
export interface DeliveryLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}
