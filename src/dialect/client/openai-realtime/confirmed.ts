import { refuse, type Refusal } from '../../../base/errors.ts';
import { isObject, type JsonObject } from '../../../base/json.ts';
import { l16, PCMA_8K, PCMU_8K, type AudioFormat } from '../../../media/format.ts';

const FORMATS: ReadonlyMap<unknown, AudioFormat> = new Map([
  ['audio/pcmu', PCMU_8K],
  ['audio/pcma', PCMA_8K],
  ['audio/pcm', l16(24_000)],
  ['g711_ulaw', PCMU_8K],
  ['g711_alaw', PCMA_8K],
  ['pcm16', l16(24_000)],
]);

/** What a `session.updated` confirms, in either generation; what it does not say is as it was asked for. */
export function confirmedFormat(
  session: JsonObject,
  direction: 'input' | 'output',
  asked: AudioFormat,
): AudioFormat | Refusal {
  const said = saidFormat(session, direction);
  if (said === undefined || said === null) return asked;
  const format = FORMATS.get(isObject(said) ? said['type'] : said);
  return format ?? refuse('unsupported_format', `the ${direction} format is none that was asked for`);
}

function saidFormat(session: JsonObject, direction: 'input' | 'output'): unknown {
  const { audio } = session;
  const side = isObject(audio) ? audio[direction] : undefined;
  return isObject(side) ? side['format'] : session[`${direction}_audio_format`];
}
