import { isObject, numberOf, parseObject } from '../../base/json.ts';
import { l16, type AudioFormat } from '../../media/format.ts';
import { optionOf, type DialectOption, type OptionValues } from '../capabilities.ts';

const RATES = ['8000', '16000', '24000', '32000', '48000'];

/** Nothing on its wire tells the rate. */
export const SAMPLE_RATE: DialectOption = {
  name: 'sample_rate',
  values: RATES,
  fallback: '8000',
  meaning: 'The rate of `uuid_audio_stream … start` (`8k`, `16k`), where the metadata names no `sampleRate`.',
};

export const CHANNELS: DialectOption = {
  name: 'channels',
  values: ['1', '2'],
  fallback: '1',
  meaning: '2 where the stream was started with `stereo`, and the metadata names no `channels`.',
};

/** The community build and the commercial one differ. */
export const PLAYBACK: DialectOption = {
  name: 'playback',
  values: ['stream_audio', 'binary'],
  fallback: 'stream_audio',
  meaning:
    'Audio to FreeSWITCH: `streamAudio` of 200 ms, or binary messages, which the commercial build plays.',
};

/** What the audio is, by the metadata where it says so, else by the options. */
export function formatOf(metadata: string | undefined, options: OptionValues): AudioFormat {
  const said = metadata === undefined ? undefined : parseObject(metadata);
  const { sampleRate, channels } = isObject(said) ? said : {};
  const rate = String(numberOf(sampleRate) ?? '');
  const format = l16(Number(RATES.includes(rate) ? rate : optionOf(SAMPLE_RATE, options)));
  const isStereo = (numberOf(channels) ?? Number(optionOf(CHANNELS, options))) === 2;
  return isStereo ? { ...format, channels: 2 } : format;
}
