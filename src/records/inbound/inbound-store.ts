import type { FaultCode } from '../../base/errors.ts';
import type { CommittedEvent } from '../../events/journal.ts';
import type { Plan, PlannedCommand } from './actions.ts';
import type { InboundHook } from './inbound-hook.ts';

/** A call that is accepted, once this is committed. */
export interface InboundCall {
  readonly id: string;
  readonly hook: InboundHook;
  readonly plan: Plan;
  /** What events of it are about. */
  readonly resource: { readonly type: string; readonly id: string };
  readonly region: string;
  /** SHA-256 of what makes it the same call again; null where nothing does. */
  readonly keyHash: string | null;
}

/** What became of handing a call in. */
export interface Taken {
  /** Of the first of its kind, where this one was a duplicate. */
  readonly callId: string;
  readonly isDuplicate: boolean;
}

/** A call that was refused, for the log of its hook. */
export interface RefusedCall {
  readonly id: string;
  readonly hookId: string;
  readonly fault: FaultCode;
  readonly detail: string;
}

/** What a call is waiting for, is done with, or was refused for. */
export const INBOUND_STATES = ['pending', 'done', 'failed', 'refused'] as const;
export type InboundState = (typeof INBOUND_STATES)[number];

/** A call as the log has it. */
export interface LoggedCall {
  readonly id: string;
  readonly hookId: string;
  readonly state: InboundState;
  readonly receivedAt: string;
  readonly tries: number;
  readonly nextTryAt: string | null;
  readonly errorCode: string | null;
  readonly errorDetail: string | null;
}

/** Commands of an accepted call that are still to be carried out. */
export interface DueCall {
  readonly id: string;
  readonly workspaceId: string;
  readonly testMode: boolean;
  readonly commands: readonly PlannedCommand[];
  /** How many of them are behind us. */
  readonly done: number;
  readonly tries: number;
  /** What failed for good so far, the first of it. */
  readonly error: ActionError | null;
}

export interface ActionError {
  readonly code: FaultCode;
  readonly detail: string;
}

/** Where a call stands after some of its commands; `dueUnixMs` null: it is settled. */
export interface Progress {
  readonly done: number;
  readonly tries: number;
  readonly error: ActionError | null;
  readonly dueUnixMs: number | null;
}

/** What receiving asks of the store. */
export interface InboundIntake {
  /** The hook of that id, of whatever workspace: who comes in has only its address. */
  find(id: string): InboundHook | undefined;
  /** Commits the call, its key and its events together: all of it or nothing. */
  accept(call: InboundCall, onCommitted: (events: readonly CommittedEvent[]) => void): Promise<Taken>;
  refused(call: RefusedCall): Promise<void>;
}

/** What carrying out asks of the store. */
export interface InboundWork {
  /** Accepted calls with commands due by then, longest due first. */
  due(byUnixMs: number, limit: number): Promise<readonly DueCall[]>;
  /** When the next one is due; undefined for none. */
  nextDueUnixMs(): Promise<number | undefined>;
  progressed(id: string, progress: Progress): Promise<void>;
}
