import type { Clock } from '../../base/clock.ts';
import { newId } from '../../base/ids.ts';
import type { JsonObject } from '../../base/json.ts';
import type { CallView } from '../../events/call-view.ts';
import type { CallEventType } from '../../events/catalogue.ts';
import { transcriptUrl, type TranscriptLink } from '../../events/completion.ts';
import { API_VERSION, type Envelope, type EventRecord } from '../../events/envelope.ts';
import { toldBy } from '../../events/told-call.ts';
import type { Analysis } from './analysis.ts';
import type { CallMaterial } from './analysis-store.ts';
import type { Transcript } from './transcript.ts';

/** A payload has at most 256 KiB (contract.md §5.1): a larger transcript is told by its link. */
const TOLD_BYTES_MAX = 192 * 1024;

export interface Telling {
  readonly material: CallMaterial;
  readonly transcript: Transcript;
  readonly analysis: Analysis;
  readonly publicUrl: string;
  readonly clock: Clock;
}

/** The events that end a call's story: its transcript where there is one, then what was made of it. */
export function analysisEvents(telling: Telling, lastSequence: number): readonly EventRecord[] {
  const { material, transcript, publicUrl } = telling;
  const { call } = material;
  const segments = transcript.segments.length;
  const link: TranscriptLink | null =
    segments === 0 ? null : { url: transcriptUrl(publicUrl, call.id), segments };
  const told: (readonly [CallEventType, JsonObject])[] = [['call_analyzed', filledIn(telling, link)]];
  if (link !== null) told.unshift(['transcript_complete', transcriptFields(transcript, link)]);
  return told.map(([type, own], index) =>
    sealed(call, { type, own, sequence: lastSequence + 1 + index }, telling.clock),
  );
}

function transcriptFields({ segments, characters, isCut }: Transcript, { url }: TranscriptLink): JsonObject {
  const isSmall = Buffer.byteLength(JSON.stringify(segments)) <= TOLD_BYTES_MAX;
  return {
    url,
    segment_count: segments.length,
    characters,
    is_cut: isCut,
    segments: isSmall ? segments : null,
  };
}

/** `call_completed` once more, with what was not known then. */
function filledIn({ material, analysis }: Telling, transcript: TranscriptLink | null): JsonObject {
  const completed = material.envelopes.find(({ type }) => type === 'call_completed');
  const known = completed === undefined ? knownOf(material.call) : ownOf(completed, material.call);
  return {
    ...known,
    transcript,
    recordings: recordingsOf(known['recordings'], material.envelopes),
    ...analysis,
  };
}

function ownOf({ data }: Envelope, { head }: CallView): JsonObject {
  const heads = [...Object.keys(head), 'state'];
  return Object.fromEntries(Object.entries(data).filter(([name]) => !heads.includes(name)));
}

/** Of a call whose last words are purged already, what its history keeps. */
function knownOf({ legs, timeline, quality, cost, end_reason }: CallView): JsonObject {
  return { reason: end_reason, cost, quality, legs, timeline };
}

/** What was being finished when the call was completed has its true length now. */
function recordingsOf(known: unknown, envelopes: readonly Envelope[]): readonly unknown[] {
  const settled = new Map(toldBy(envelopes).recordings.map((one) => [one['recording_id'], one]));
  const before = Array.isArray(known) ? (known as readonly JsonObject[]) : [];
  const merged = before.map((one) => settled.get(one['recording_id']) ?? one);
  const ids = new Set(before.map((one) => one['recording_id']));
  return [...merged, ...[...settled].filter(([id]) => !ids.has(id)).map(([, one]) => one)];
}

function sealed(
  call: CallView,
  { type, own, sequence }: { type: CallEventType; own: JsonObject; sequence: number },
  clock: Clock,
): EventRecord {
  const nowMs = clock.nowMs();
  return {
    envelope: {
      id: newId('evt', clock),
      type,
      api_version: API_VERSION,
      created_at: new Date(clock.unixMs()).toISOString(),
      workspace_id: call.workspace_id,
      resource: { type: 'call', id: call.id },
      sequence,
      region: call.region,
      test_mode: call.test_mode,
      data: { ...call.head, state: call.state, ...own },
    },
    stamps: { receivedAtMs: nowMs, decidedAtMs: nowMs },
  };
}
