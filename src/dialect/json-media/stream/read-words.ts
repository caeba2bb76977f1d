import { refuse, type Refusal } from '../../../base/errors.ts';
import { isObject, numberOf, type JsonObject } from '../../../base/json.ts';
import { IGNORED, type LegStarted, type ReadResult } from '../../dialect.ts';
import { digitOf, isRefusal, nameOf, parametersOf, type Parameters } from '../../fields.ts';
import { isOurTrack } from '../strict.ts';
import type { MediaWords } from '../words.ts';

/** A key held longer than a minute is a counter gone wrong. */
const DTMF_MS_MAX = 60_000;

/** What a start says beyond ids and formats; the rest is the same for all providers of this family. */
export function startedWith(
  facts: Pick<LegStarted, 'inbound' | 'outbound' | 'bidirectional' | 'parameters'> & {
    readonly callId: unknown;
    readonly streamId: string;
  },
): LegStarted {
  return {
    type: 'started',
    providerCallId: nameOf(facts.callId) ?? null,
    providerStreamId: facts.streamId,
    inbound: facts.inbound,
    outbound: facts.outbound,
    bidirectional: facts.bidirectional,
    parameters: facts.parameters,
    speechOnly: false,
    wantsEvents: false,
  };
}

/** `{"dtmf":{"digit":"5","duration":"120"}}`, with a track where the provider names one. */
export function readDtmf(message: JsonObject, words: MediaWords): ReadResult {
  const dtmf = message['dtmf'];
  if (!isObject(dtmf)) return refuse('protocol_violation', 'dtmf is not an object');
  if (words.track !== null && !isOurTrack(dtmf['track'], words)) return IGNORED;
  const digit = digitOf(dtmf['digit']);
  if (digit === undefined) return refuse('protocol_violation', 'dtmf.digit is no digit');
  return { type: 'dtmf', digit, durationMs: durationOf(dtmf['duration']) };
}

/** `{"mark":{"name":"utt-7"}}`: audio was played to here. */
export function readMark(message: JsonObject): ReadResult {
  const mark = message['mark'];
  const name = isObject(mark) ? nameOf(mark['name']) : undefined;
  if (name === undefined) return refuse('protocol_violation', 'mark without a name');
  return { type: 'mark_played', name };
}

/** Parameters of a start and the numbers that some providers tell beside them. */
export function parametersWith(
  given: unknown,
  beside: { readonly [name: string]: unknown },
): Parameters | Refusal {
  const parameters = parametersOf(given, 'protocol_violation');
  if (isRefusal(parameters)) return parameters;
  const named = Object.entries(beside).flatMap(([name, value]) => {
    const text = nameOf(value);
    return text === undefined ? [] : [[name, text] as const];
  });
  return { ...Object.fromEntries(named), ...parameters };
}

/** Whether a start lists the outbound track: such a stream only listens. */
export function hearsOutbound(tracks: unknown): boolean {
  return Array.isArray(tracks) && tracks.some((track) => track === 'outbound' || track === 'outbound_track');
}

// What cannot be a duration is not worth the digit it came with.
function durationOf(given: unknown): number | null {
  const durationMs = numberOf(given);
  return durationMs !== undefined && durationMs >= 0 && durationMs <= DTMF_MS_MAX ? durationMs : null;
}
