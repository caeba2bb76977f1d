import { describe, expect, it } from 'vitest';
import { AUDIO, IGNORED } from '../../../src/dialect/dialect.ts';
import { exotelDialect } from '../../../src/dialect/exotel/dialect.ts';
import { frameBytes, l16, PCMU_8K } from '../../../src/media/format.ts';
import { NO_UPGRADE, openInbound, openLine, payloadOf, rampFrame, saidBy, textBytes } from '../wire.ts';

const STREAM_SID = 'a1b2c3d4e5f60718293a4b5c6d7e8f90';
const CALL_SID = '0f1e2d3c4b5a69788796a5b4c3d2e1f0';

/** As the pages have it. */
const START = {
  event: 'start',
  sequence_number: '1',
  stream_sid: STREAM_SID,
  start: {
    stream_sid: STREAM_SID,
    call_sid: CALL_SID,
    account_sid: 'acme1',
    from: '+919800000001',
    to: '+918000000002',
    custom_parameters: { tenant: 'acme' },
    media_format: { encoding: 'audio/x-raw', sample_rate: '8000', bit_rate: '16' },
  },
};

function openSession(options = {}, target = '/') {
  const session = exotelDialect.openSession({ nowMs: 0, upgrade: { ...NO_UPGRADE, target }, options });
  const inbound = openInbound();
  return { session, inbound, say: (value: unknown) => session.read(textBytes(value), false, inbound) };
}

function withFormat(media_format: unknown): object {
  return { ...START, start: { ...START.start, media_format } };
}

function payloadBytesOf(message: Uint8Array | undefined): Buffer {
  const { media } = JSON.parse(Buffer.from(message!).toString()) as { media: { payload: string } };
  return Buffer.from(media.payload, 'base64');
}

describe('reading Exotel', () => {
  it('says connected, then everything in snake_case', () => {
    const { say } = openSession();
    expect(say({ event: 'connected' })).toBe(IGNORED);
    expect(say(START)).toEqual({
      type: 'started',
      providerCallId: CALL_SID,
      providerStreamId: STREAM_SID,
      inbound: l16(8000),
      outbound: l16(8000),
      bidirectional: true,
      parameters: { tenant: 'acme', from: '+919800000001', to: '+918000000002' },
      speechOnly: false,
      wantsEvents: false,
    });
  });

  it('reads 100 ms of samples at once, with blanks in base64 or without', () => {
    const { say, inbound } = openSession();
    say(START);
    const payload = Buffer.from(rampFrame(0, 1_600)).toString('base64');
    const media = { chunk: '2', timestamp: '100', payload };
    expect(say({ event: 'media', sequence_number: '3', stream_sid: STREAM_SID, media })).toBe(AUDIO);
    expect(payloadOf(inbound).equals(rampFrame(0, 1_600))).toBe(true);
    expect([inbound.timestampMs, inbound.sequence]).toEqual([100, -1]);
    const broken = payload.replaceAll(/.{76}/g, '$&\n');
    expect(say({ event: 'media', media: { ...media, payload: broken } })).toBe(AUDIO);
    expect(payloadOf(inbound).equals(rampFrame(0, 1_600))).toBe(true);
  });

  it('hears digits with durations as texts, marks, and why it stopped', () => {
    const { say } = openSession();
    say(START);
    expect(say({ event: 'dtmf', dtmf: { digit: '5', duration: '120' } })).toEqual({
      type: 'dtmf',
      digit: '5',
      durationMs: 120,
    });
    expect(say({ event: 'mark', mark: { name: 'utt-7' } })).toEqual({ type: 'mark_played', name: 'utt-7' });
    const stop = { call_sid: CALL_SID, account_sid: 'acme1', reason: 'callended' };
    expect(say({ event: 'stop', stop })).toEqual({ type: 'hung_up', reason: 'provider' });
  });

  it.each([
    ['/media/exotel/x?sample-rate=16000', undefined, 16_000],
    ['/media/exotel/x?a=1&sample-rate=24000', { encoding: 'audio/x-raw' }, 24_000],
    ['/media/exotel/x', undefined, 8_000],
    ['/media/exotel/x?sample-rate=16000', { encoding: 'audio/x-raw', sample_rate: '24000' }, 24_000],
  ])('has the rate of %s where the start of %j says nothing else', (target, format, rate) => {
    expect(openSession({}, target).say(withFormat(format))).toMatchObject({ inbound: l16(rate) });
  });

  it('honours mu-law where ExoML says so, and refuses what is neither', () => {
    const mulaw = { encoding: 'audio/x-mulaw;rate=8000' };
    expect(openSession().say(withFormat(mulaw))).toMatchObject({ inbound: PCMU_8K, outbound: PCMU_8K });
    for (const odd of [{ encoding: 'opus' }, { encoding: 'audio/x-raw', sample_rate: '11025' }, 'raw']) {
      expect(openSession().say(withFormat(odd))).toMatchObject({ fault: 'unsupported_format' });
    }
    expect(openSession({}, '/?sample-rate=lots').say(withFormat(undefined))).toMatchObject({
      fault: 'unsupported_format',
    });
  });

  it('sends nothing to the Stream applet, which only lets itself be heard', () => {
    const { session, say } = openSession({ listen_only: 'yes' });
    expect(say(START)).toMatchObject({ bidirectional: false });
    expect([session.writeMark('m'), session.writeClear()]).toEqual([undefined, undefined]);
  });
});

describe('writing to Exotel', () => {
  it.each([8000, 16_000, 24_000])(
    'sends at least 3200 bytes at a time, a multiple of 320, at most 100 KB, at %i Hz',
    (rate) => {
      const { session, say } = openSession({}, `/?sample-rate=${rate}`);
      say(withFormat(undefined));
      const frame = frameBytes(l16(rate));
      let collected = Buffer.alloc(0);
      let messages = 0;
      for (let index = 0; index < 60; index++) {
        const message = session.writeAudio(rampFrame(index, frame));
        if (message === undefined) continue;
        const payload = payloadBytesOf(message);
        expect(payload.length).toBeGreaterThanOrEqual(3_200);
        expect(payload.length).toBeLessThan(3_200 + frame);
        expect(payload.length % 320).toBe(0);
        collected = Buffer.concat([collected, payload]);
        messages++;
      }
      const sent = Buffer.concat(Array.from({ length: 60 }, (_, index) => rampFrame(index, frame)));
      expect(collected.equals(sent)).toBe(true);
      expect(messages).toBe(60 / Math.ceil(3_200 / frame));
    },
  );

  it('fills the last message of a speech up with silence', () => {
    const { session, say } = openSession();
    say(START);
    expect(session.flushAudio!()).toBeUndefined();
    expect(session.writeAudio(rampFrame(1, 320))).toBeUndefined();
    const payload = payloadBytesOf(session.flushAudio!());
    expect(payload.length).toBe(3_200);
    expect(payload.subarray(0, 320).equals(rampFrame(1, 320))).toBe(true);
    expect(payload.subarray(320).every((byte) => byte === 0)).toBe(true);
    expect(session.flushAudio!()).toBeUndefined();
  });

  it('fills mu-law up with its own silence, for the same duration', () => {
    const { session, say } = openSession();
    say(withFormat({ encoding: 'audio/x-mulaw' }));
    session.writeAudio(rampFrame(1));
    const payload = payloadBytesOf(session.flushAudio!());
    expect(payload.length).toBe(1_600);
    expect(payload.subarray(160).every((byte) => byte === 0xff)).toBe(true);
  });

  it('forgets what it collected when the queue is cleared', () => {
    const { session, say } = openSession();
    say(START);
    session.writeAudio(rampFrame(1, 320));
    expect(saidBy(session.writeClear())).toEqual({ event: 'clear', stream_sid: STREAM_SID });
    expect(session.flushAudio!()).toBeUndefined();
  });

  it('sends other sizes where that is asked for', () => {
    const { session, say } = openSession({ message_bytes_min: '1600' });
    say(START);
    const messages = Array.from({ length: 10 }, () => session.writeAudio(rampFrame(0, 320)));
    expect(messages.map((message) => message !== undefined)).toEqual(
      [4, 9].reduce((made, at) => made.with(at, true), Array<boolean>(10).fill(false)),
    );
  });

  it('says media, mark and clear exactly as its pages do', () => {
    const { session, say } = openSession();
    say(START);
    for (let index = 0; index < 9; index++) session.writeAudio(new Uint8Array(320));
    const payload = 'A'.repeat(4_266) + 'A=';
    expect(Buffer.from(session.writeAudio(new Uint8Array(320))!).toString()).toBe(
      `{"event":"media","stream_sid":"${STREAM_SID}","media":{"payload":"${payload}"}}`,
    );
    expect(saidBy(session.writeMark('utt-7'))).toEqual({
      event: 'mark',
      stream_sid: STREAM_SID,
      mark: { name: 'utt-7' },
    });
  });
});

describe('calling as Exotel', () => {
  it('sends 100 ms a message, and what is left before it stops', () => {
    const { caller } = openLine(exotelDialect, { streamId: STREAM_SID, callId: CALL_SID, format: l16(8000) });
    const { media_format, account_sid } = START.start;
    expect(caller.hello().map(saidBy)).toMatchObject([
      { event: 'connected' },
      { event: 'start', start: { stream_sid: STREAM_SID, account_sid, media_format } },
    ]);
    const messages = Array.from({ length: 7 }, (_, index) =>
      saidBy(caller.audio(rampFrame(index, 320), index)),
    );
    expect(messages.map((message) => message !== undefined)).toEqual([
      ...Array(4).fill(false),
      true,
      false,
      false,
    ]);
    expect(messages[4]).toMatchObject({ sequence_number: '2', media: { chunk: '1', timestamp: '0' } });
    expect(saidBy(caller.dtmf('5')[0])).toMatchObject({ dtmf: { digit: '5', duration: '120' } });
    const [last, stop] = caller.goodbye().map(saidBy);
    expect(last).toMatchObject({ event: 'media', media: { chunk: '2', timestamp: '100' } });
    expect(stop).toMatchObject({ event: 'stop', stream_sid: STREAM_SID, stop: { reason: 'callended' } });
  });

  it('listens to its own stream only, and wants marks named', () => {
    const { caller } = openLine(exotelDialect, { streamId: STREAM_SID });
    const read = (value: unknown) => caller.read(textBytes(value), false, openInbound());
    expect(read({ event: 'mark', stream_sid: STREAM_SID, mark: {} })).toMatchObject({ type: 'refusal' });
    // Another's reading of the protocol says `streamSid`; the pages do not.
    expect(read({ event: 'clear', streamSid: STREAM_SID })).toMatchObject({ fault: 'protocol_violation' });
    expect(read({ event: 'clear', stream_sid: STREAM_SID })).toEqual({ type: 'clear' });
  });
});
