import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AUDIO, IGNORED, type ReadResult } from '../../../src/dialect/dialect.ts';
import { MediaReader } from '../../../src/dialect/json-media/stream/media-reader.ts';
import { TWILIO_GRAMMAR } from '../../../src/dialect/twilio/read.ts';
import { TWILIO_WORDS } from '../../../src/dialect/twilio/words.ts';
import { MediaScan } from '../../../src/dialect/json-media/scan.ts';
import { numRuns, openInbound, payloadOf, rampFrame, seed, textBytes } from '../wire.ts';

const START = { event: 'start', start: { streamSid: 'MZ1' } };
const PAYLOAD = Buffer.from(rampFrame()).toString('base64');

function openReader(): MediaReader {
  const reader = new MediaReader(TWILIO_GRAMMAR);
  reader.read(textBytes(START), false, openInbound(1_024));
  return reader;
}

/** The strict parser alone, asked by a message with a first member on which the scan gives up. */
function readStrictly(message: Buffer): { result: ReadResult; payload: Buffer; timestampMs: number } {
  const into = openInbound(1_024);
  let text: string;
  try {
    const value: unknown = JSON.parse(message.toString());
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    text = isObject ? JSON.stringify({ unusual: true, ...value }) : message.toString();
  } catch {
    text = message.toString();
  }
  const result = openReader().read(textBytes(text), false, into);
  return { result, payload: payloadOf(into), timestampMs: into.timestampMs };
}

/**
 * Whether the scan vouched for the message; where it did, the strict parser has to say the same. A scan that
 * has seen other messages before judges like a fresh one.
 */
function expectAgreement(message: Buffer, experienced = new MediaScan(TWILIO_WORDS)): boolean {
  const into = openInbound(1_024);
  const scanned = new MediaScan(TWILIO_WORDS).scan(message, openInbound(1_024));
  expect(experienced.scan(message, into)).toBe(scanned);
  if (scanned === 'unusual') return false;
  const strict = readStrictly(message);
  expect(strict.result, `for ${message.toString()}`).toBe(scanned === 'audio' ? AUDIO : IGNORED);
  if (scanned === 'other_track') return true;
  expect(payloadOf(into)).toEqual(strict.payload);
  expect([into.timestampMs, into.sequence]).toEqual([strict.timestampMs, -1]);
  return true;
}

const media = (inner: object, outer: object = {}): Buffer =>
  textBytes({ event: 'media', sequenceNumber: '3', ...outer, media: { track: 'inbound', ...inner } });

describe('the scan of media', () => {
  it('knows Twilio’s own message without asking the strict parser', () => {
    const into = openInbound(1_024);
    const message = media({ chunk: '2', timestamp: '20', payload: PAYLOAD }, { streamSid: 'MZ1' });
    expect(new MediaScan(TWILIO_WORDS).scan(message, into)).toBe('audio');
    expect(payloadOf(into).equals(rampFrame())).toBe(true);
    expect([into.timestampMs, into.sequence]).toEqual([20, -1]);
  });

  it.each([
    ['keys in another order', `{"media":{"payload":"${PAYLOAD}","track":"inbound"},"event":"media"}`],
    ['blanks between tokens', `{ "event" : "media" ,\r\n\t"media" : { "payload" : "${PAYLOAD}" } } \n`],
    ['bare numbers', `{"event":"media","sequenceNumber":0,"media":{"timestamp":40,"payload":"${PAYLOAD}"}}`],
    ['no track', `{"event":"media","media":{"payload":"${PAYLOAD}"}}`],
    [
      'words of other providers',
      `{"stream_id":"x-1","event":"media","media":{"payload":"${PAYLOAD}","a":"b"}}`,
    ],
  ])('takes %s', (_, text) => {
    const into = openInbound(1_024);
    expect(new MediaScan(TWILIO_WORDS).scan(Buffer.from(text), into)).toBe('audio');
    expectAgreement(Buffer.from(text));
  });

  it.each([
    ['another event', '{"event":"mark","media":{"payload":"QUJD"}}'],
    ['no event', '{"media":{"payload":"QUJD"}}'],
    ['no media', '{"event":"media"}'],
    ['an event twice', '{"event":"media","event":"stop","media":{"payload":"QUJD"}}'],
    ['media twice', '{"event":"media","media":{"payload":"QUJD"},"media":{"payload":"QkNE"}}'],
    ['a payload twice', '{"event":"media","media":{"payload":"QUJD","payload":"QkNE"}}'],
    ['a track twice', '{"event":"media","media":{"track":"inbound","track":"outbound","payload":"QUJD"}}'],
    ['a timestamp twice', '{"event":"media","media":{"timestamp":"1","timestamp":"2","payload":"QUJD"}}'],
    ['an escaped slash', '{"event":"media","media":{"payload":"QU\\/D"}}'],
    ['an escaped key', '{"\\u0065vent":"stop","event":"media","media":{"payload":"QUJD"}}'],
    ['a raw line break in the payload', '{"event":"media","media":{"payload":"QUJD\nQUJ"}}'],
    ['a blank in the payload', '{"event":"media","media":{"payload":"QUJ D"}}'],
    ['no padding', '{"event":"media","media":{"payload":"QUI"}}'],
    ['an empty payload', '{"event":"media","media":{"payload":""}}'],
    ['a payload that is not text', '{"event":"media","media":{"payload":7}}'],
    ['a leading zero', '{"event":"media","n":01,"media":{"payload":"QUJD"}}'],
    ['a fraction', '{"event":"media","n":1.5,"media":{"payload":"QUJD"}}'],
    [
      'a timestamp of sixteen digits',
      '{"event":"media","media":{"timestamp":"1234567890123456","payload":"QUJD"}}',
    ],
    ['a trailing comma', '{"event":"media","media":{"payload":"QUJD"},}'],
    ['a missing comma', '{"event":"media" "media":{"payload":"QUJD"}}'],
    ['a missing brace', '{"event":"media","media":{"payload":"QUJD"}'],
    ['text behind the object', '{"event":"media","media":{"payload":"QUJD"}} x'],
    ['an array', '[{"event":"media","media":{"payload":"QUJD"}}]'],
    ['letters beyond ASCII', '{"event":"media","é":"x","media":{"payload":"QUJD"}}'],
    [
      'an escaped quote behind another track',
      '{"event":"media","media":{"track":"outbound","payload":"\\","a":"b"}}',
    ],
  ])('leaves %s to the strict parser', (_, text) => {
    expect(new MediaScan(TWILIO_WORDS).scan(Buffer.from(text), openInbound(1_024))).toBe('unusual');
  });

  it.each([
    ['Twilio’s own', media({ chunk: '2', timestamp: '20', payload: 'QUJDRA==' }, { streamSid: 'MZ1' })],
    ['another track’s', media({ track: 'outbound', chunk: '10', payload: 'QUJD' }, { n: 100 })],
  ])(
    'agrees with the strict parser on every truncation and every changed byte of %s message',
    (_, message) => {
      let vouchedFor = 0;
      for (let at = 0; at < message.length; at++) {
        expect(expectAgreement(message.subarray(0, at))).toBe(false);
        for (const byte of Buffer.from('"\\{}:,=0A9 \n\x00\x7f\xff', 'latin1')) {
          const changed = Buffer.from(message);
          changed[at] = byte;
          const experienced = new MediaScan(TWILIO_WORDS);
          experienced.scan(message, openInbound(1_024));
          if (expectAgreement(changed, experienced)) vouchedFor++;
        }
      }
      expect(vouchedFor).toBeGreaterThan(message.length);
    },
  );

  it('follows counters as they grow, and changes of shape and back', () => {
    const scan = new MediaScan(TWILIO_WORDS);
    for (const index of [0, 1, 4, 5, 8, 9, 10, 49, 50, 98, 99, 100, 4_999, 5_000, 12, 13, 50_000]) {
      const [chunk, timestamp] = [String(index + 1), String(index * 20)];
      const payload = Buffer.from(rampFrame(index)).toString('base64');
      expect(expectAgreement(media({ chunk, timestamp, payload }), scan)).toBe(true);
      expect(expectAgreement(media({ chunk, timestamp, payload, track: 'outbound' }), scan)).toBe(true);
      expect(expectAgreement(media({ timestamp, payload: 'QUJD' }), scan)).toBe(true);
      expect(expectAgreement(textBytes({ event: 'mark', mark: { name: 'm' } }), scan)).toBe(false);
    }
  });

  it('takes a message with more around its sound than it remembers', () => {
    const scan = new MediaScan(TWILIO_WORDS);
    const long = media({ payload: PAYLOAD }, { padding: 'x'.repeat(600) });
    for (const message of [long, media({ payload: PAYLOAD }), long, long]) {
      expect(expectAgreement(message, scan)).toBe(true);
    }
  });

  it(`agrees with the strict parser on whatever grows from its grammar (seed ${seed})`, () => {
    const text = fc.oneof(
      { weight: 3, arbitrary: fc.constantFrom('inbound', 'outbound', 'inbound_track', '20', '007', PAYLOAD) },
      { weight: 1, arbitrary: fc.string({ maxLength: 6 }) },
    );
    const value = fc.oneof(
      { weight: 6, arbitrary: text },
      { weight: 2, arbitrary: fc.nat() },
      { weight: 1, arbitrary: fc.constantFrom(null, true, -1, 1.5, {}) },
    );
    const membersOf = (...names: string[]) =>
      fc.array(fc.tuple(fc.constantFrom(...names), value), { maxLength: 3 });
    const payload = fc.constantFrom('QUJD', 'QQ==', PAYLOAD, 'QQ=', '=', 'Q U=', '', 'QUI', 'Q\nUI', 'QU/D');
    // Written by hand, so that names may come twice and in any order.
    const object = (members: readonly (readonly [string, unknown])[]): string =>
      `{${members.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(',')}}`;
    const inner = fc
      .tuple(membersOf('track', 'timestamp', 'chunk', 'x', 'payload'), payload, fc.boolean())
      .map(([members, payload, isFirst]) => {
        const last = ['payload', payload] as const;
        return object(isFirst ? [last, ...members] : [...members, last]);
      });
    const outer = fc
      .tuple(membersOf('sequenceNumber', 'streamSid', 'x', 'event', 'media'), inner, fc.boolean())
      .map(([members, inner, isEvent]) => {
        const head = object(isEvent ? [['event', 'media'], ...members] : members).slice(0, -1);
        return `${head}${head === '{' ? '' : ','}"media":${inner}}`;
      });
    const experienced = new MediaScan(TWILIO_WORDS);
    let vouchedFor = 0;
    fc.assert(
      fc.property(outer, (message) => {
        if (expectAgreement(Buffer.from(message), experienced)) vouchedFor++;
      }),
      { numRuns, seed },
    );
    expect(vouchedFor).toBeGreaterThan(numRuns / 50);
  });
});
