import { isObject, type JsonObject } from '../../base/json.ts';
import type { AudioFormat } from '../../media/format.ts';
import { optionOf, type OptionValues } from '../capabilities.ts';
import { encodingOf } from '../json-media/stream/encodings.ts';
import { isLittle } from '../json-media/stream/options.ts';
import { CHANNELS, L16_ORDER, PRODUCT } from './options.ts';

/** The client offers a handful; more are not worth a look. */
const OFFERS_MAX = 32;
const BOTH = 'external,internal';
/** By what was asked for, most wanted first. */
const WANTED: Readonly<Record<string, readonly string[]>> = {
  external: ['external', BOTH, 'internal'],
  both: [BOTH, 'external', 'internal'],
  internal: ['internal', BOTH, 'external'],
};

/** One medium of an offer that we can carry. */
interface Offered {
  /** As it was offered: it goes back unchanged. */
  readonly medium: JsonObject;
  readonly channels: string;
  readonly format: AudioFormat;
}

/** What was chosen of an offer, and whether the client hears us. */
export interface Choice {
  readonly medium: JsonObject;
  readonly inbound: AudioFormat;
  readonly outbound: AudioFormat;
  readonly bidirectional: boolean;
}

/** Chooses one medium: the voices wanted, PCMU before L16. Undefined where nothing can be carried. */
export function chooseMedium(media: unknown, options: OptionValues): Choice | undefined {
  if (!Array.isArray(media)) return undefined;
  const given: readonly unknown[] = media.slice(0, OFFERS_MAX);
  const offers = given.flatMap((medium) => readMedium(medium, isLittle(L16_ORDER, options)));
  const wanted = WANTED[optionOf(CHANNELS, options)] ?? [];
  const [chosen] = offers.toSorted((a, b) => rankOf(a, wanted) - rankOf(b, wanted));
  if (chosen === undefined) return undefined;
  const { channels: _, ...outbound } = chosen.format;
  return {
    medium: chosen.medium,
    inbound: chosen.format,
    outbound,
    bidirectional: hearsUs(offers, optionOf(PRODUCT, options)),
  };
}

function rankOf({ channels, format }: Offered, wanted: readonly string[]): number {
  return 2 * wanted.indexOf(channels) + (format.codec === 'pcmu' ? 0 : 1);
}

/** Only Monitor has an agent to listen to. */
function hearsUs(offers: readonly Offered[], product: string): boolean {
  if (product !== 'by_offer') return product === 'audio_connector';
  return !offers.some(({ channels }) => channels.includes('internal'));
}

function readMedium(medium: unknown, littleEndian: boolean): readonly Offered[] {
  if (!isObject(medium) || medium['type'] !== 'audio' || !Array.isArray(medium['channels'])) return [];
  const channels = medium['channels'].join(',');
  if (!['external', 'internal', BOTH].includes(channels)) return [];
  const format = encodingOf(medium['format'], medium['rate'], littleEndian);
  if (format === undefined || !['pcmu', 'l16'].includes(format.codec)) return [];
  // Interleaved sample by sample: external, internal.
  return [{ medium, channels, format: channels === BOTH ? { ...format, channels: 2 } : format }];
}
