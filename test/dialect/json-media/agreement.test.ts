import { describe, expect, it } from 'vitest';
import { isObject, parseObject } from '../../../src/base/json.ts';
import { AS_AZURE, SPELLINGS } from '../../../src/dialect/acs/words.ts';
import { PLAY_WORDS, USER_WORDS } from '../../../src/dialect/audiocodes/words.ts';
import { BANDWIDTH_PLAY_WORDS, BANDWIDTH_WORDS } from '../../../src/dialect/bandwidth/words.ts';
import { AUDIO, IGNORED } from '../../../src/dialect/dialect.ts';
import { EXOTEL_WORDS } from '../../../src/dialect/exotel/words.ts';
import { MediaScan } from '../../../src/dialect/json-media/scan.ts';
import { isOurTrack, readMediaStrictly } from '../../../src/dialect/json-media/strict.ts';
import type { MediaWords } from '../../../src/dialect/json-media/words.ts';
import { PLIVO_PLAY_WORDS, PLIVO_WORDS } from '../../../src/dialect/plivo/words.ts';
import { SIGNALWIRE_WORDS } from '../../../src/dialect/signalwire/words.ts';
import { TELNYX_PLAY_WORDS, TELNYX_WORDS } from '../../../src/dialect/telnyx/words.ts';
import { VOXIMPLANT_WORDS } from '../../../src/dialect/voximplant/words.ts';
import { openInbound, seed } from '../wire.ts';
import { Dice, mediaMessageBy } from './corpus.ts';

/** Words of another family: text instead of a container, versions, a number beside the payload. */
const DELTA_WORDS: MediaWords = {
  kindKey: 'type',
  kinds: ['response.output_audio.delta', 'response.audio.delta'],
  container: null,
  payload: 'delta',
  sequence: 'sequence_number',
  timestamp: null,
  track: null,
  tracks: [],
};
const FAMILY: readonly (readonly [string, MediaWords])[] = [
  ['SignalWire', SIGNALWIRE_WORDS],
  ['Telnyx', TELNYX_WORDS],
  ['Telnyx, to play', TELNYX_PLAY_WORDS],
  ['Plivo', PLIVO_WORDS],
  ['Plivo, to play', PLIVO_PLAY_WORDS],
  ['Bandwidth', BANDWIDTH_WORDS],
  ['Bandwidth, to play', BANDWIDTH_PLAY_WORDS],
  ['Exotel', EXOTEL_WORDS],
  ['Azure', AS_AZURE],
  ['Azure, to play', SPELLINGS['pascal']!.words],
  ['Voximplant', VOXIMPLANT_WORDS],
  ['AudioCodes', USER_WORDS],
  ['AudioCodes, to play', PLAY_WORDS],
  ['a delta', DELTA_WORDS],
];
/** A million between them on demand, a hundredth of it in every run. */
const MESSAGES_TOTAL = process.env['OMNIVOICE_TEST_LONG'] === undefined ? 10_000 : 1_000_000;
const messages = Math.ceil(MESSAGES_TOTAL / FAMILY.length);

const scannedInto = openInbound(1_024);
const strictInto = openInbound(1_024);

/** What the strict parser finds: `audio`, `other_track`, or anything else. */
function readStrictly(message: Buffer, words: MediaWords): string {
  const parsed = parseObject(message);
  if (parsed === undefined) return 'not_json';
  const kind = parsed[words.kindKey];
  if (typeof kind !== 'string' || !words.kinds.includes(kind)) return 'other_kind';
  const media = words.container === null ? parsed : parsed[words.container];
  if (isObject(media) && words.track !== null && !isOurTrack(media[words.track], words)) return 'other_track';
  const result = readMediaStrictly(parsed, words, strictInto);
  if (result === AUDIO) return 'audio';
  return result === IGNORED ? 'ignored' : 'refused';
}

/** What the two make of a message differently; undefined where they agree or the scan does not vouch. */
function disagreement(scanned: string, message: Buffer, words: MediaWords): string | undefined {
  if (scanned === 'unusual') return undefined;
  const strict = readStrictly(message, words);
  if (strict !== scanned) return `${strict} is scanned as ${scanned}`;
  if (scanned === 'other_track') return undefined;
  const { payloadBytes, sequence, timestampMs } = strictInto;
  if (scannedInto.sequence !== sequence || scannedInto.timestampMs !== timestampMs) return 'other numbers';
  const isSame =
    scannedInto.payloadBytes === payloadBytes &&
    Buffer.compare(
      scannedInto.payload.subarray(0, payloadBytes),
      strictInto.payload.subarray(0, payloadBytes),
    ) === 0;
  return isSame ? undefined : 'another payload';
}

describe.each(FAMILY)('the scan by the words of %s', (_, words) => {
  it(`agrees with the strict parser on ${messages} valid, odd and hostile messages (seed ${seed})`, () => {
    const dice = new Dice(seed);
    const experienced = new MediaScan(words);
    let vouchedFor = 0;
    for (let i = 0; i < messages; i++) {
      const message = mediaMessageBy(words, dice);
      const scanned = new MediaScan(words).scan(message, scannedInto);
      const again = experienced.scan(message, scannedInto);
      const flaw =
        again === scanned ? disagreement(scanned, message, words) : 'a scan judges by what it has seen';
      if (flaw !== undefined) throw new Error(`${flaw}, message ${i}: ${message.toString('latin1')}`);
      if (scanned !== 'unusual') vouchedFor++;
    }
    // Neither a scan that vouches for nothing nor a corpus without oddities would test anything.
    expect(vouchedFor).toBeGreaterThan(messages / 5);
    expect(vouchedFor).toBeLessThan(messages * 0.95);
  });

  it('follows counters that grow as texts and as bare numbers without scanning anew', () => {
    const scan = new MediaScan(words);
    for (const index of [0, 1, 9, 10, 11, 20, 99, 100, 101, 65_535, 65_536]) {
      for (const counter of [String(index), `"${index}"`]) {
        const inner = [
          `"${words.payload}":"${Buffer.from(String(index).padStart(9, '0')).toString('base64')}"`,
          ...(words.sequence === null ? [] : [`"${words.sequence}":${counter}`]),
          ...(words.timestamp === null ? [] : [`"${words.timestamp}":${counter}`]),
        ].join(',');
        const body = words.container === null ? inner : `"${words.container}":{${inner}}`;
        const message = Buffer.from(`{"${words.kindKey}":"${words.kinds[0]}","n":${index},${body}}`);
        expect(scan.scan(message, scannedInto)).toBe('audio');
        expect(disagreement('audio', message, words)).toBeUndefined();
      }
    }
  });
});
