import { l16, type AudioFormat } from '../../media/format.ts';
import { optionOf, type DialectOption, type OptionValues } from '../capabilities.ts';

/** How audio reaches the caller. */
export const PLAYBACK: DialectOption = {
  name: 'playback',
  values: ['streaming', 'play_audio'],
  fallback: 'streaming',
  meaning: 'As `bidirectionalAudio.streaming` of the verb: binary messages (true), or `playAudio` (false).',
};

/** The verb tells its own rate for audio to the caller, which its metadata does not repeat. */
export const OUTBOUND_RATE: DialectOption = {
  name: 'outbound_sample_rate',
  values: ['same', '8000', '16000', '24000', '48000'],
  fallback: 'same',
  meaning: 'As `bidirectionalAudio.sampleRate` of the verb; `same` as the audio that comes in.',
};

/** Whether audio goes out as binary messages. */
export function isStreaming(options: OptionValues): boolean {
  return optionOf(PLAYBACK, options) === 'streaming';
}

/** What goes out beside what comes in: one channel, whatever comes in. */
export function outboundOf(inbound: AudioFormat, options: OptionValues): AudioFormat {
  const rate = optionOf(OUTBOUND_RATE, options);
  return l16(rate === 'same' ? inbound.sampleRateHz : Number(rate));
}
