import { refuse, type Refusal } from '../../base/errors.ts';
import { isObject, type JsonObject } from '../../base/json.ts';
import { PCMU_8K, type AudioFormat } from '../../media/format.ts';
import type { LegStarted } from '../dialect.ts';
import { isRefusal, nameOf, parametersOf } from '../fields.ts';
import { encodingOf } from '../json-media/stream/encodings.ts';
import type { MediaGrammar } from '../json-media/stream/media-reader.ts';
import { startedWith } from '../json-media/stream/read-words.ts';
import { BANDWIDTH_WORDS } from './words.ts';

/** What Bandwidth says: start, audio, stop. Digits and marks it has none of on the socket. */
export function bandwidthGrammar(wishes: {
  readonly outbound: AudioFormat;
  readonly bidirectional: boolean;
}): MediaGrammar {
  return {
    words: BANDWIDTH_WORDS,
    start: (message) => readStart(message, wishes),
    events: new Map(),
  };
}

function readStart(
  message: JsonObject,
  { outbound, bidirectional }: { readonly outbound: AudioFormat; readonly bidirectional: boolean },
): LegStarted | Refusal {
  const metadata = message['metadata'];
  if (!isObject(metadata)) return refuse('protocol_violation', 'metadata is not an object');
  const streamId = nameOf(metadata['streamId']);
  if (streamId === undefined) return refuse('protocol_violation', 'start without a streamId');
  const inbound = readFormat(metadata['tracks']);
  if (inbound === undefined) return refuse('unsupported_format', 'the inbound track has no known format');
  const parameters = parametersOf(message['streamParams'], 'protocol_violation');
  if (isRefusal(parameters)) return parameters;
  return startedWith({
    callId: metadata['callId'],
    streamId,
    inbound,
    outbound,
    bidirectional,
    parameters,
  });
}

/** Each track has a format of its own; a stream of the outbound track alone has no inbound one. */
function readFormat(tracks: unknown): AudioFormat | undefined {
  if (!Array.isArray(tracks)) return tracks === undefined || tracks === null ? PCMU_8K : undefined;
  const named: readonly unknown[] = tracks;
  const track = named.find((track) => isObject(track) && (track['name'] ?? 'inbound') === 'inbound');
  const format = isObject(track) ? (track['mediaFormat'] ?? {}) : {};
  if (!isObject(format)) return undefined;
  return encodingOf(format['encoding'] ?? 'audio/PCMU', format['sampleRate'], true);
}
