import { frameSamples } from '../../base/units.ts';
import { frameBytes, type AudioFormat } from '../../media/format.ts';
import { optionOf, type DialectOption, type OptionValues } from '../capabilities.ts';

/** The least that one message to Exotel holds. */
export const EXOTEL_MESSAGE_BYTES: DialectOption = {
  name: 'message_bytes_min',
  values: ['3200', '1600', '6400'],
  fallback: '3200',
  meaning:
    'The least a message to Exotel may hold, in bytes of 16-bit samples: its pages say 3.2 KB and 100 ms.',
};

/**
 * The frames of one message: as few as reach the least that Exotel takes. A frame of linear samples is a
 * multiple of 320 bytes at each of its rates, so that any number of them is one too. For mu-law, of which
 * nothing is written, the same duration is taken.
 */
function messageFramesOf(format: AudioFormat, options: OptionValues): number {
  const bytesMin = Number(optionOf(EXOTEL_MESSAGE_BYTES, options));
  return Math.ceil(bytesMin / (2 * frameSamples(format.sampleRateHz)));
}

/** The bytes of that many frames. */
export function messageBytesOf(format: AudioFormat, options: OptionValues): number {
  return messageFramesOf(format, options) * frameBytes(format);
}
