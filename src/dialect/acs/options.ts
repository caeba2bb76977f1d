import { optionOf, type DialectOption, type OptionValues } from '../capabilities.ts';
import { SPELLINGS, type AcsSpelling } from './words.ts';

/** How words to Azure are spelled. */
export const CASING: DialectOption = {
  name: 'casing',
  values: ['pascal', 'camel', 'javascript'],
  fallback: 'pascal',
  meaning:
    'How words to Azure are spelled: as its pages show, as it speaks, or as its JavaScript SDK writes.',
};

/** Whom to listen to where each participant is sent by itself (`Unmixed`). */
export const PARTICIPANT: DialectOption = {
  name: 'participant',
  values: ['first', 'phone'],
  fallback: 'first',
  meaning:
    'Of an unmixed stream: who is heard first, or first from a telephone (an id that begins with `4:`).',
};

export function spellingOf(options: OptionValues): AcsSpelling {
  return SPELLINGS[optionOf(CASING, options)] ?? SPELLINGS['pascal']!;
}
