import { isObject, numberOf, textOf, type JsonObject } from '../base/json.ts';
import type { Envelope } from './envelope.ts';

/** What the events of a call tell of it, for whoever completes it in its owner's place. */
export interface ToldCall {
  readonly disposition: string | null;
  readonly qualification: object | null;
  /** Voiced milliseconds, by leg. */
  readonly talkMs: ReadonlyMap<string, number>;
  /** How often each leg spoke over an agent. */
  readonly interruptions: ReadonlyMap<string, number>;
  /** Segments of the transcript. */
  readonly segments: number;
  readonly recordings: readonly JsonObject[];
}

/** The types `toldBy` reads; others tell it nothing. */
export const TELLING_TYPES = [
  'disposition_set',
  'qualification_met',
  'voice_ended',
  'barge_in',
  'transcript_segment',
  'recording_ready',
] as const;

/** Puts together what events have told, in their order. A score below its threshold told nothing. */
export function toldBy(envelopes: Iterable<Envelope>): ToldCall {
  let disposition: string | null = null;
  let qualification: object | null = null;
  let segments = 0;
  const talkMs = new Map<string, number>();
  const interruptions = new Map<string, number>();
  const recordings: JsonObject[] = [];
  for (const { type, data } of envelopes) {
    switch (type) {
      case 'disposition_set':
        disposition = textOf(data['disposition']) ?? disposition;
        break;
      case 'qualification_met':
        qualification = qualificationOf(data);
        break;
      case 'voice_ended':
        add(talkMs, data['leg_id'], numberOf(data['duration_ms']) ?? 0);
        break;
      case 'barge_in':
        add(interruptions, data['leg_id'], 1);
        break;
      case 'transcript_segment':
        segments++;
        break;
      case 'recording_ready':
        recordings.push(recordingOf(data));
    }
  }
  return { disposition, qualification, talkMs, interruptions, segments, recordings };
}

/** Of nothing that was told. */
export const UNTOLD: ToldCall = toldBy([]);

function qualificationOf({ score, threshold, criteria }: JsonObject): object {
  return { score, threshold, criteria: isObject(criteria) ? criteria : {}, met: true };
}

function recordingOf({ recording_id, url, channels, duration_ms }: JsonObject): JsonObject {
  return { recording_id, url, channels, duration_ms };
}

function add(sums: Map<string, number>, legId: unknown, more: number): void {
  if (typeof legId === 'string') sums.set(legId, (sums.get(legId) ?? 0) + more);
}
