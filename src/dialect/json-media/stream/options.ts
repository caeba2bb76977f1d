import { optionOf, type DialectOption, type OptionValues } from '../../capabilities.ts';

/** Which byte of a sample of L16 comes first, where the provider does not say. */
export function l16ByteOrder(fallback: 'little' | 'big'): DialectOption {
  return {
    name: 'l16_byte_order',
    values: ['little', 'big'],
    fallback,
    meaning: 'Which byte of a 16-bit sample comes first, in both directions; other codecs have no order.',
  };
}

/** For providers whose start does not say whether they listen to us. */
export const LISTEN_ONLY: DialectOption = {
  name: 'listen_only',
  values: ['no', 'yes'],
  fallback: 'no',
  meaning: 'The stream was set up to send audio one way only: nothing is sent to the provider.',
};

/** Whether the low byte comes first. */
export function isLittle(option: DialectOption, values: OptionValues): boolean {
  return optionOf(option, values) === 'little';
}

/** Whether the provider may be spoken to. */
export function maySpeak(values: OptionValues): boolean {
  return optionOf(LISTEN_ONLY, values) === 'no';
}
