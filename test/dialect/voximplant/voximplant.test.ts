import { describe, expect, it } from 'vitest';
import { AUDIO } from '../../../src/dialect/dialect.ts';
import { voximplantDialect } from '../../../src/dialect/voximplant/dialect.ts';
import { frameBytes, l16, PCMA_8K, PCMU_8K, type AudioFormat } from '../../../src/media/format.ts';
import {
  NO_UPGRADE,
  openInbound,
  openLine,
  openStartedLine,
  payloadOf,
  rampFrame,
  saidBy,
  STARTED_FACTS,
  textBytes,
} from '../wire.ts';

const START = {
  event: 'start',
  sequenceNumber: 0,
  start: {
    mediaFormat: { encoding: 'PCM16', sampleRate: 16_000 },
    tag: 'call',
    customParameters: '{"tenant":"acme","lead_id":"884"}',
  },
};

function openSession(options: Record<string, string> = {}) {
  const session = voximplantDialect.openSession({ nowMs: 0, upgrade: NO_UPGRADE, options });
  const inbound = openInbound();
  return { session, inbound, say: (value: unknown) => session.read(textBytes(value), false, inbound) };
}

function startWith(more: object): object {
  return { ...START, start: { ...START.start, ...more } };
}

function mediaOf(chunk: unknown, timestamp: unknown): object {
  const payload = Buffer.from(rampFrame(2, 640)).toString('base64');
  return { event: 'media', sequenceNumber: 1, media: { tag: 'call', chunk, timestamp, payload } };
}

describe('reading Voximplant', () => {
  it('finds `customParameters` in a text that is JSON', () => {
    expect(openSession().say(START)).toMatchObject({
      type: 'started',
      inbound: l16(16_000),
      outbound: l16(16_000),
      bidirectional: true,
      parameters: { tag: 'call', tenant: 'acme', lead_id: '884' },
    });
    const parametersOf = (customParameters: unknown): unknown => {
      const started = openSession().say(startWith({ customParameters }));
      return started.type === 'started' ? started.parameters : started;
    };
    expect(parametersOf({ tenant: 'acme' })).toEqual({ tag: 'call', tenant: 'acme' });
    expect(parametersOf('no JSON')).toEqual({ tag: 'call', custom_parameters: 'no JSON' });
    expect(parametersOf('')).toEqual({ tag: 'call' });
    expect(parametersOf(undefined)).toEqual({ tag: 'call' });
  });

  it('finds the tag in either place', () => {
    const started = openSession().say({ ...startWith({ tag: undefined }), tag: 'outer' });
    expect(started).toMatchObject({ parameters: { tag: 'outer' } });
  });

  it.each<[string, number | undefined, AudioFormat | undefined]>([
    ['PCM8', 8000, l16(8000)],
    ['PCM8', undefined, l16(8000)],
    ['PCM16', undefined, l16(16_000)],
    ['PCM16', 8000, l16(8000)],
    ['ULAW', 8000, PCMU_8K],
    ['ALAW', undefined, PCMA_8K],
    ['ULAW', 16_000, undefined],
    ['PCM16', 48_000, undefined],
    ['OPUS', 48_000, undefined],
  ])('takes %s at %s Hz for what it is', (encoding, sampleRate, format) => {
    const result = openSession().say(startWith({ mediaFormat: { encoding, sampleRate } }));
    const expected =
      format === undefined ? { fault: 'unsupported_format' } : { inbound: format, outbound: format };
    expect(result).toMatchObject(expected);
  });

  it('numbers audio by `chunk` and tells time in samples, as RTP does, beyond 32 bits', () => {
    const { say, inbound } = openSession();
    say(START);
    for (const [chunk, timestamp, sequence, timestampMs] of [
      [1, 0, 1, 0],
      [2, 320, 2, 20],
      [65_536, 20_971_200, 0, 1_310_700],
      ['4294967297', '8589934592', 1, 536_870_912],
    ]) {
      expect(say(mediaOf(chunk, timestamp))).toBe(AUDIO);
      expect([inbound.sequence, inbound.timestampMs]).toEqual([sequence, timestampMs]);
      expect(payloadOf(inbound).equals(rampFrame(2, 640))).toBe(true);
    }
    expect(voximplantDialect.capabilities.sequenced).toBe(true);
  });

  it('hears its stop', () => {
    const { say } = openSession();
    say(START);
    const stop = { tag: 'call', mediaInfo: { bytesSent: 288_000, duration: 18_000 } };
    expect(say({ event: 'stop', sequenceNumber: 900, stop })).toEqual({
      type: 'hung_up',
      reason: 'provider',
    });
  });
});

describe('speaking to Voximplant', () => {
  it('says a start of its own first, with the names it knows', () => {
    for (const [encoding, sampleRate] of [
      ['PCM16', 16_000],
      ['PCM8', 8000],
      ['ULAW', 8000],
      ['ALAW', 8000],
    ] as const) {
      const { say, session } = openSession();
      say(startWith({ mediaFormat: { encoding, sampleRate } }));
      expect(saidBy(session.writeStarted(STARTED_FACTS))).toEqual({
        event: 'start',
        sequenceNumber: 0,
        start: { mediaFormat: { encoding, sampleRate } },
      });
    }
  });

  it('numbers its audio by one and by samples, a dropped frame included', () => {
    const { say, session } = openSession();
    say(START);
    const written = (): unknown => JSON.parse(Buffer.from(session.writeAudio(rampFrame(0, 640))!).toString());
    const numbers = (sequenceNumber: number, chunk: number, timestamp: number): object => ({
      event: 'media',
      sequenceNumber,
      media: { chunk, timestamp, payload: Buffer.from(rampFrame(0, 640)).toString('base64') },
    });
    expect(written()).toEqual(numbers(1, 1, 0));
    session.skipAudio!();
    expect(written()).toEqual(numbers(2, 3, 640));
    for (let i = 0; i < 100; i++) written();
    expect(written()).toEqual(numbers(103, 104, 103 * 320));
    expect(saidBy(session.writeEnd('call_ended'))).toMatchObject({
      event: 'stop',
      sequenceNumber: 104,
      stop: { mediaInfo: { bytesSent: 103 * 640, duration: 104 * 20 } },
    });
  });

  it('says nothing where it was told to listen only', () => {
    const { say, session } = openSession({ listen_only: 'yes' });
    expect(say(START)).toMatchObject({ bidirectional: false });
    expect(session.writeStarted(STARTED_FACTS)).toBeUndefined();
    expect(session.writeEnd('call_ended')).toBeUndefined();
    expect(() => session.writeAudio(rampFrame(0, 640))).toThrow('after start');
  });

  it('keeps little in flight, since the wire has no word to take it back', () => {
    const { session, say } = openSession();
    say(START);
    expect(session.writeClear()).toBeUndefined();
    expect(voximplantDialect.capabilities.inFlightMsMax).toBeLessThan(10_000 / 50);
  });
});

describe('a caller like Voximplant', () => {
  it('takes no audio before a start, and none in an encoding it does not know', () => {
    const media = textBytes({ event: 'media', media: { payload: 'AAAA' } });
    const { caller, inbound } = openLine(voximplantDialect);
    expect(caller.read(media, false, inbound)).toMatchObject({ fault: 'protocol_violation' });
    const mediaFormat = { encoding: 'L16', sampleRate: 16_000 };
    expect(caller.read(textBytes({ event: 'start', start: { mediaFormat } }), false, inbound)).toMatchObject({
      fault: 'unsupported_format',
    });
    expect(openStartedLine(voximplantDialect).caller.read(media, false, inbound)).toBe(AUDIO);
  });

  it('offers the subprotocol of its scenarios, and speaks its four encodings', () => {
    for (const format of voximplantDialect.formats) {
      const { caller } = openLine(voximplantDialect, { format });
      expect(caller.subprotocols).toEqual(voximplantDialect.subprotocols);
      expect(caller.audio(rampFrame(0, frameBytes(format)), 0)).toBeDefined();
    }
    expect(() => openLine(voximplantDialect, { format: l16(24_000) })).toThrow('Voximplant');
  });
});
