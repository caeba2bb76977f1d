import { l16, PCMU_8K, type AudioFormat } from '../../media/format.ts';
import { optionOf, type DialectOption, type OptionValues } from '../capabilities.ts';
import { LISTEN_ONLY } from '../json-media/stream/options.ts';

const OUTBOUND: DialectOption = {
  name: 'outbound_audio',
  values: ['pcmu', 'pcm_8000', 'pcm_16000', 'pcm_24000'],
  fallback: 'pcmu',
  meaning: 'What is played: each message names its own content type, so that any of them may be chosen.',
};

/** What Bandwidth leaves to us, and what its start does not say. */
export const BANDWIDTH_OPTIONS: readonly DialectOption[] = [OUTBOUND, LISTEN_ONLY];

/** The format of what is played. */
export function outboundOf(options: OptionValues): AudioFormat {
  const [codec, rate] = optionOf(OUTBOUND, options).split('_');
  return codec === 'pcm' ? l16(Number(rate)) : PCMU_8K;
}
