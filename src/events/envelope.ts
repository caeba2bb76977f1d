import type { AtMs } from '../base/clock.ts';
import type { JsonObject } from '../base/json.ts';

/** The version of the outward contract that envelopes are written in. */
export const API_VERSION = '2025-11-01';

/** Every version that is still spoken, newest first; envelopes are stored in the newest. */
export const API_VERSIONS = [API_VERSION, '2025-06-01'] as const;

/**
 * The canonical envelope (contract.md §5.1). `data` is the resource at that moment plus the event's own
 * fields.
 */
export interface Envelope {
  readonly id: string;
  readonly type: string;
  readonly api_version: string;
  readonly created_at: string;
  readonly workspace_id: string;
  readonly resource: { readonly type: string; readonly id: string };
  /** Gapless per resource, from 1. */
  readonly sequence: number;
  readonly region: string;
  readonly test_mode: boolean;
  readonly data: JsonObject;
}

/**
 * Where an event's time went, on CLOCK_MONOTONIC: comparable between the processes of one host, and only
 * there.
 * `receivedAtMs` is the arrival of the frame or message that caused the event (for VAD the confirming frame).
 */
export interface EventStamps {
  readonly receivedAtMs: AtMs;
  readonly decidedAtMs: AtMs;
}

/** What a node accepts into its spool: the envelope and its stamps. */
export interface EventRecord {
  readonly envelope: Envelope;
  readonly stamps: EventStamps;
  /** The token under which its owner held the call: the journal refuses what comes under a smaller one. */
  readonly fence?: number;
}
