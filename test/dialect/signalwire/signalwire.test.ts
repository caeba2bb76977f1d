import { describe, expect, it } from 'vitest';
import { AUDIO, IGNORED } from '../../../src/dialect/dialect.ts';
import { signalwireDialect } from '../../../src/dialect/signalwire/dialect.ts';
import { l16, PCMU_8K } from '../../../src/media/format.ts';
import { NO_UPGRADE, openInbound, openLine, payloadOf, rampFrame, saidBy, textBytes } from '../wire.ts';

const STREAM_SID = '7d56cc11-536d-4a45-b4fb-ed3d55be843b';

/** As the reference has it (signalwire/docs, cxml/voice/stream.mdx). */
const CONNECTED = { event: 'connected', protocol: 'Call', version: '0.2.0' };
const START = {
  event: 'start',
  sequenceNumber: '1',
  start: {
    streamSid: STREAM_SID,
    accountSid: 'b08dacad-2f6c-4de1-93d6-cc732e0c69c5',
    callSid: '76ac3c36-56da-4a3e-a0d6-b5f8df6da9ad',
    tracks: ['inbound'],
    customParameters: {},
    mediaFormat: { encoding: 'audio/x-L16', sampleRate: 24000, channels: 1 },
  },
};
const DTMF = {
  event: 'dtmf',
  sequenceNumber: '123',
  streamSid: STREAM_SID,
  dtmf: { digit: '5', duration: 2000 },
};

function openSession(options = {}) {
  const session = signalwireDialect.openSession({ nowMs: 0, upgrade: NO_UPGRADE, options });
  const inbound = openInbound();
  return { session, inbound, say: (value: unknown) => session.read(textBytes(value), false, inbound) };
}

function withFormat(mediaFormat: unknown): object {
  return { ...START, start: { ...START.start, mediaFormat } };
}

describe('reading SignalWire', () => {
  it('takes the stream’s id from within the start, where it alone is named', () => {
    const { say } = openSession();
    expect(say(CONNECTED)).toBe(IGNORED);
    expect(say(START)).toEqual({
      type: 'started',
      providerCallId: '76ac3c36-56da-4a3e-a0d6-b5f8df6da9ad',
      providerStreamId: STREAM_SID,
      inbound: l16(24_000),
      outbound: l16(24_000),
      bidirectional: true,
      parameters: {},
      speechOnly: false,
      wantsEvents: false,
    });
  });

  it('reads audio that names no stream, and a stop that says nothing else', () => {
    const { say, inbound } = openSession();
    say(START);
    const media = { track: 'inbound', chunk: '1', timestamp: '0', payload: 'AAD+/wEA' };
    expect(say({ event: 'media', sequenceNumber: '42', media })).toBe(AUDIO);
    expect([inbound.timestampMs, inbound.sequence]).toEqual([0, -1]);
    expect(payloadOf(inbound)).toEqual(Buffer.from([0, 0, 0xfe, 0xff, 1, 0]));
    expect(say({ event: 'media', media: { ...media, track: 'outbound' } })).toBe(IGNORED);
    expect(say({ event: 'stop', sequenceNumber: '999' })).toEqual({ type: 'hung_up', reason: 'provider' });
  });

  it('reads base64 with whitespace', () => {
    const { say, inbound } = openSession();
    say(START);
    expect(say({ event: 'media', media: { payload: ' AAD+\r\n/wEA' } })).toBe(AUDIO);
    expect(inbound.payloadBytes).toBe(6);
  });

  it('hears how long a key was held, and A to D', () => {
    const { say } = openSession();
    say(START);
    expect(say(DTMF)).toEqual({ type: 'dtmf', digit: '5', durationMs: 2_000 });
    expect(say({ ...DTMF, dtmf: { digit: 'D', duration: '160' } })).toEqual({
      type: 'dtmf',
      digit: 'D',
      durationMs: 160,
    });
    for (const duration of [-1, 1e9, 'long', null]) {
      expect(say({ ...DTMF, dtmf: { digit: 'A', duration } })).toMatchObject({ durationMs: null });
    }
  });

  it('knows its three codecs, and the byte order it is told', () => {
    const mulaw = { encoding: 'audio/x-mulaw', sampleRate: 8000, channels: 1 };
    expect(openSession().say(withFormat(mulaw))).toMatchObject({ inbound: PCMU_8K, outbound: PCMU_8K });
    const wide = withFormat({ encoding: 'audio/x-L16', sampleRate: '16000', channels: '1' });
    expect(openSession().say(wide)).toMatchObject({ inbound: l16(16_000) });
    const big = openSession({ l16_byte_order: 'big' });
    expect(big.say(wide)).toMatchObject({ inbound: l16(16_000, false), outbound: l16(16_000, false) });
    for (const odd of [{ ...mulaw, channels: 2 }, { encoding: 'audio/opus' }, 'audio/x-mulaw']) {
      expect(openSession().say(withFormat(odd))).toMatchObject({ fault: 'unsupported_format' });
    }
  });

  it('says nothing on a stream that hears the outbound track, too', () => {
    const { session, say } = openSession();
    const tracks = ['inbound', 'outbound'];
    expect(say({ ...START, start: { ...START.start, tracks } })).toMatchObject({ bidirectional: false });
    expect([session.writeMark('m'), session.writeClear(), session.writeDtmf('1')]).toEqual(
      Array(3).fill(undefined),
    );
  });
});

describe('writing to SignalWire', () => {
  it('says media, mark, clear and dtmf exactly as its reference does', () => {
    const { session, say } = openSession();
    say(START);
    expect(Buffer.from(session.writeAudio(rampFrame(0, 3))!).toString()).toBe(
      `{"event":"media","streamSid":"${STREAM_SID}","media":{"payload":"AAEC"}}`,
    );
    expect(saidBy(session.writeMark('my label'))).toEqual({
      event: 'mark',
      streamSid: STREAM_SID,
      mark: { name: 'my label' },
    });
    expect(saidBy(session.writeClear())).toEqual({ event: 'clear', streamSid: STREAM_SID });
    expect(saidBy(session.writeDtmf('5'))).toEqual({
      event: 'dtmf',
      streamSid: STREAM_SID,
      dtmf: { digit: '5' },
    });
  });
});

describe('calling as SignalWire', () => {
  it('names the stream where SignalWire names it, and nowhere else', () => {
    const options = { streamId: STREAM_SID, parameters: {}, from: null, to: null, format: l16(16_000) };
    const { caller } = openLine(signalwireDialect, options);
    const [connected, start] = caller.hello().map(saidBy) as [object, { start: object }];
    expect(connected).toEqual(CONNECTED);
    expect(Object.keys(start)).toEqual(['event', 'sequenceNumber', 'start']);
    // No parameters in the cXML: no key at all.
    expect(Object.keys(start.start)).not.toContain('customParameters');
    expect(saidBy(caller.audio(rampFrame(0, 3), 0))).toEqual({
      event: 'media',
      sequenceNumber: '2',
      media: { track: 'inbound', chunk: '1', timestamp: '0', payload: 'AAEC' },
    });
    expect(saidBy(caller.dtmf('A')[0])).toEqual({
      ...DTMF,
      sequenceNumber: '3',
      dtmf: { digit: 'A', duration: 160 },
    });
    expect(saidBy(caller.markPlayed('m'))).toEqual({
      event: 'mark',
      streamSid: STREAM_SID,
      mark: { name: 'm' },
    });
    expect(saidBy(caller.goodbye()[0])).toEqual({ event: 'stop', sequenceNumber: '4' });
  });

  it('hears digits that are sent into the call', () => {
    const { caller, session } = openLine(signalwireDialect);
    for (const message of caller.hello()) session.read(message.bytes, false, openInbound());
    const { bytes } = session.writeDtmf('#')!;
    expect(caller.read(bytes, false, openInbound())).toEqual({ type: 'dtmf', digit: '#' });
    const another = textBytes({ event: 'clear', streamSid: 'another' });
    expect(caller.read(another, false, openInbound())).toMatchObject({ fault: 'protocol_violation' });
  });
});
