import { l16, PCMU_8K, type AudioFormat } from '../../media/format.ts';
import { optionOf, type DialectOption, type OptionValues } from '../capabilities.ts';
import { isLittle, l16ByteOrder } from '../json-media/stream/options.ts';

const BY_OFFER = 'by_offer';
/** What its own SDK speaks, whatever is offered (ac-bot-api c81e45f). */
const USUAL = 'raw/lpcm16';

/** Its names; `wav/…` is the same with a header in front, and not taken. */
const FORMATS: ReadonlyMap<string, AudioFormat> = new Map([
  [USUAL, l16(16_000)],
  ['raw/mulaw', PCMU_8K],
  ['raw/lpcm16_24', l16(24_000)],
  ['raw/lpcm16_8', l16(8000)],
]);

/** What is accepted of what is offered. */
export const MEDIA_FORMAT: DialectOption = {
  name: 'media_format',
  values: [BY_OFFER, ...FORMATS.keys()],
  fallback: BY_OFFER,
  meaning: 'What is accepted, both ways: the first raw format it offers, or this one where it is offered.',
};

/** Nothing that was read says which byte comes first; its SDK and others take the low one. */
export const BYTE_ORDER = l16ByteOrder('little');

/** A format with its name on the wire. */
export interface NamedFormat {
  readonly name: string;
  readonly format: AudioFormat;
}

/** What to accept of an offer; undefined where nothing of it can be carried. */
export function acceptOf(offered: unknown, options: OptionValues): NamedFormat | undefined {
  const wanted = optionOf(MEDIA_FORMAT, options);
  const given: readonly unknown[] = Array.isArray(offered) ? offered : [USUAL];
  const name = given.find(
    (one) => typeof one === 'string' && FORMATS.has(one) && (wanted === BY_OFFER || one === wanted),
  );
  const format = typeof name === 'string' ? FORMATS.get(name) : undefined;
  if (typeof name !== 'string' || format === undefined) return undefined;
  return {
    name,
    format: { ...format, littleEndian: isLittle(BYTE_ORDER, options) || format.codec !== 'l16' },
  };
}

/** The same, of a format that was settled before; undefined where it has no name here. */
export function namedFormatOf(format: AudioFormat): NamedFormat | undefined {
  const name = mediaFormatOf(format);
  return name === undefined ? undefined : { name, format };
}

/** What is written of a session that returns until it is known what was settled. */
export const UNSETTLED: AudioFormat = l16(16_000);

/** What it calls a format; undefined where it has no name for it. */
export function mediaFormatOf({ codec, sampleRateHz }: AudioFormat): string | undefined {
  return [...FORMATS].find(([, one]) => one.codec === codec && one.sampleRateHz === sampleRateHz)?.[0];
}
