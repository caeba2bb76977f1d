import type { Refusal } from '../../base/errors.ts';
import type { JsonObject } from '../../base/json.ts';
import { choice, firstRefusal, sure, textOrNull, wrong } from './arguments.ts';

/** A copy of a leg's sound to a WebSocket of somebody's. */
export interface ForkCommand {
  readonly name: 'fork';
  readonly url: string | null;
  /** Null: the caller's. */
  readonly leg_id: string | null;
  readonly gate: 'speech' | 'none';
  /** What the leg says, what it hears, or both as two channels. */
  readonly tracks: 'inbound' | 'outbound' | 'both';
  readonly protocol: 'raw' | 'native' | 'deepgram-stt';
  readonly codec: 'l16' | 'pcmu';
  readonly api_key: string | null;
  readonly model: string | null;
  readonly language: string | null;
}

export function readFork(args: JsonObject): ForkCommand | Refusal {
  const [url, leg_id, api_key] = [
    textOrNull(args, 'url'),
    textOrNull(args, 'leg_id'),
    textOrNull(args, 'api_key'),
  ];
  const gate = choice(args, 'gate', ['speech', 'none'], 'none');
  const tracks = choice(args, 'tracks', ['inbound', 'outbound', 'both'], 'inbound');
  const protocol = choice(args, 'protocol', ['raw', 'native', 'deepgram-stt'], 'raw');
  const codec = choice(args, 'codec', ['l16', 'pcmu'], 'l16');
  const [model, language] = [textOrNull(args, 'model'), textOrNull(args, 'language')];
  const refusal = firstRefusal(url, leg_id, api_key, gate, tracks, protocol, codec, model, language);
  if (refusal !== undefined) return refusal;
  if (sure(url) === null && sure(protocol) !== 'deepgram-stt') return wrong('url', 'is needed');
  if (sure(gate) === 'speech' && sure(tracks) !== 'inbound') {
    return wrong('gate', 'of speech is for what a leg says alone');
  }
  if (sure(protocol) === 'native' && sure(tracks) === 'both') {
    return wrong('tracks', 'of omnivoice.v1 are one channel');
  }
  return {
    name: 'fork',
    url: sure(url),
    leg_id: sure(leg_id),
    gate: sure(gate),
    tracks: sure(tracks),
    protocol: sure(protocol),
    codec: sure(codec),
    api_key: sure(api_key),
    model: sure(model),
    language: sure(language),
  };
}
