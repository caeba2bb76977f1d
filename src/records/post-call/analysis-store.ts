import type { CallView } from '../../events/call-view.ts';
import type { Envelope, EventRecord } from '../../events/envelope.ts';
import type { CommittedEvent } from '../../events/journal.ts';

/** A `call_completed` in the journal. */
export interface CompletedCall {
  readonly position: number;
  readonly callId: string;
}

/** What was completed in a stretch of the journal, and where that stretch ends. */
export interface CompletedCalls {
  readonly calls: readonly CompletedCall[];
  readonly upTo: number;
}

/** Everything there is to go by. */
export interface CallMaterial {
  readonly call: CallView;
  /** Its transcript, `call_completed` and what was told of its recordings, in their order. */
  readonly envelopes: readonly Envelope[];
}

/** What came of telling: `changed` where the call was erased meanwhile, and has to be looked at anew. */
export type Told =
  | { readonly type: 'told'; readonly events: readonly CommittedEvent[] }
  | { readonly type: 'changed' };

/**
 * What analysing asks of the store. What is still to be told follows from the journal: every call with a
 * `call_completed` and no `call_analyzed`. The cursor says up to where none is left.
 */
export interface AnalysisWork {
  cursor(): Promise<number>;
  /** Everything up to this position is told. The cursor only grows. */
  moveTo(position: number): Promise<void>;
  completedAfter(position: number, limit: number): Promise<CompletedCalls>;
  /**
   * Takes a call, for whoever shares the store, until then: `told` where it is told, `taken` where
   * another has it.
   */
  claim(callId: string, nowUnixMs: number, untilUnixMs: number): Promise<'mine' | 'taken' | 'told'>;
  /** Undefined where there is no such call any more. */
  materialOf(callId: string): Promise<CallMaterial | undefined>;
  /** Tells what came of it, once: a call that is told already is told nothing of. */
  tell(material: CallMaterial, make: (lastSequence: number) => readonly EventRecord[]): Promise<Told>;
}
