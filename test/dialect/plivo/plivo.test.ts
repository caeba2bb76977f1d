import { describe, expect, it } from 'vitest';
import { AUDIO, IGNORED } from '../../../src/dialect/dialect.ts';
import { plivoDialect, vobizDialect } from '../../../src/dialect/plivo/dialect.ts';
import { l16, PCMU_8K } from '../../../src/media/format.ts';
import { NO_UPGRADE, openInbound, openLine, openStartedLine, payloadOf, saidBy, textBytes } from '../wire.ts';

const STREAM_ID = 'b2a1c0d9-1234-4abc-9def-0123456789ab';
const CALL_ID = '6f0c3c52-6d2d-4f9b-8d0e-0f1e2d3c4b5a';
const IDS = { streamId: STREAM_ID, callId: CALL_ID, parameters: {}, from: null, to: null };

/** As the pages have it. */
const START = {
  event: 'start',
  sequenceNumber: 0,
  start: {
    callId: CALL_ID,
    streamId: STREAM_ID,
    accountId: 'MAABCDEFGHIJKLMNOPQR',
    tracks: ['inbound'],
    mediaFormat: { encoding: 'audio/x-l16', sampleRate: 16000 },
  },
  extra_headers: '{}',
};

function openSession(options = {}, dialect = plivoDialect) {
  const session = dialect.openSession({ nowMs: 0, upgrade: NO_UPGRADE, options });
  const inbound = openInbound();
  return { session, inbound, say: (value: unknown) => session.read(textBytes(value), false, inbound) };
}

function media(timestamp: string, payload = 'AAD+/wEA'): object {
  return {
    event: 'media',
    sequenceNumber: 2,
    streamId: STREAM_ID,
    media: { track: 'inbound', timestamp, chunk: 2, payload },
    extra_headers: '{}',
  };
}

describe('reading Plivo', () => {
  it('starts with its first message: there is no connected', () => {
    expect(openSession().say(START)).toEqual({
      type: 'started',
      providerCallId: CALL_ID,
      providerStreamId: STREAM_ID,
      inbound: l16(16_000),
      outbound: l16(16_000),
      bidirectional: true,
      parameters: {},
      speechOnly: false,
      wantsEvents: false,
    });
  });

  it('takes counters as numbers and as texts', () => {
    const texts = structuredClone(START) as { sequenceNumber: unknown; start: { mediaFormat: object } };
    texts.sequenceNumber = '0';
    texts.start.mediaFormat = { encoding: 'audio/x-l16', sampleRate: '16000' };
    expect(openSession().say(texts)).toMatchObject({ type: 'started', inbound: l16(16_000) });
  });

  it.each([
    ['{}', {}],
    ['', {}],
    ['{"tenant":"acme","n":7}', { tenant: 'acme', n: '7' }],
    ['a=1;b=2', { a: '1', b: '2' }],
    ['a=1,b=x y', { a: '1', b: 'x y' }],
    ['{a: 1, b: 2}', { a: '1', b: '2' }],
    ['a=b=c', { a: 'b=c' }],
    ['nothing', {}],
  ])('finds parameters in extra headers written as %s', (extra_headers, parameters) => {
    expect(openSession().say({ ...START, extra_headers })).toMatchObject({ type: 'started', parameters });
  });

  it('lets no extra header bend a prototype', () => {
    const refused = { type: 'refusal', fault: 'protocol_violation' };
    expect(openSession().say({ ...START, extra_headers: '__proto__=1' })).toMatchObject(refused);
    expect(openSession().say({ ...START, extra_headers: '{"__proto__":"1"}' })).toMatchObject(refused);
  });

  it('counts the media clock from its first frame: its timestamps are of the time of day', () => {
    const { say, inbound } = openSession();
    say(START);
    const clocks = ['1748944800123', '1748944800143', '1748944801123', '1748944800000'].map((timestamp) => {
      expect(say(media(timestamp))).toBe(AUDIO);
      return inbound.timestampMs;
    });
    expect(clocks).toEqual([0, 20, 1_000, 0]);
    expect(payloadOf(inbound)).toEqual(Buffer.from([0, 0, 0xfe, 0xff, 1, 0]));
    expect(inbound.sequence).toBe(-1);
  });

  it('reads base64 with whitespace', () => {
    const { say, inbound } = openSession();
    say(START);
    expect(say(media('1748944800123', 'AAD+\n/wEA '))).toBe(AUDIO);
    expect(payloadOf(inbound)).toEqual(Buffer.from([0, 0, 0xfe, 0xff, 1, 0]));
  });

  it('hears digits, what was played, what was cleared, and a stop that its SDK does not know', () => {
    const { say } = openSession();
    say(START);
    const dtmf = { track: 'inbound', digit: '5', timestamp: '1748944805120' };
    expect(say({ event: 'dtmf', sequenceNumber: 40, streamId: STREAM_ID, dtmf })).toEqual({
      type: 'dtmf',
      digit: '5',
      durationMs: null,
    });
    expect(say({ event: 'playedStream', sequenceNumber: 77, streamId: STREAM_ID, name: 'utt-7' })).toEqual({
      type: 'mark_played',
      name: 'utt-7',
    });
    expect(say({ event: 'clearedAudio', sequenceNumber: 78, streamId: STREAM_ID })).toBe(IGNORED);
    expect(say({ event: 'stop' })).toEqual({ type: 'hung_up', reason: 'provider' });
  });

  it('ends with a clean close, because there is no stop', () => {
    expect(plivoDialect.capabilities.closeEnds).toBe(true);
    expect(openStartedLine(plivoDialect).caller.goodbye()).toEqual([]);
  });

  it('speaks L16 at 8 kHz where no format is named, and mu-law where it is', () => {
    const { mediaFormat, ...bare } = START.start;
    expect(mediaFormat.sampleRate).toBe(16_000);
    expect(openSession().say({ ...START, start: bare })).toMatchObject({ inbound: l16(8000) });
    const mulaw = { encoding: 'audio/x-mulaw', sampleRate: 8000 };
    expect(openSession().say({ ...START, start: { ...bare, mediaFormat: mulaw } })).toMatchObject({
      inbound: PCMU_8K,
      outbound: PCMU_8K,
    });
    for (const mediaFormat of [
      { encoding: 'audio/opus' },
      { encoding: 'audio/x-l16', sampleRate: 11_025 },
      'x',
    ]) {
      expect(openSession().say({ ...START, start: { ...bare, mediaFormat } })).toMatchObject({
        type: 'refusal',
        fault: 'unsupported_format',
      });
    }
  });

  it('sends nothing on a stream that was set up to be heard only', () => {
    for (const { session, say } of [openSession({ listen_only: 'yes' }), openSession()]) {
      const tracks = ['inbound', 'outbound'];
      expect(say({ ...START, start: { ...START.start, tracks } })).toMatchObject({ bidirectional: false });
      expect([session.writeMark('m'), session.writeClear()]).toEqual([undefined, undefined]);
      expect(() => session.writeAudio(new Uint8Array(640))).toThrow('listens to nothing');
    }
  });
});

describe('writing to Plivo', () => {
  it('says playAudio, checkpoint and clearAudio exactly as its SDK does', () => {
    const { session, say } = openSession();
    say(START);
    const message = session.writeAudio(Uint8Array.of(0, 0, 0xfe, 0xff, 1, 0))!;
    expect(Buffer.from(message).toString()).toBe(
      '{"event":"playAudio","media":{"contentType":"audio/x-l16","sampleRate":16000,"payload":"AAD+/wEA"}}',
    );
    expect(saidBy(session.writeMark('utt-7'))).toEqual({
      event: 'checkpoint',
      streamId: STREAM_ID,
      name: 'utt-7',
    });
    expect(saidBy(session.writeClear())).toEqual({ event: 'clearAudio', streamId: STREAM_ID });
    expect([session.writeDtmf('5'), session.writeEnd('over')]).toEqual([undefined, undefined]);
  });

  it('names the stream in playAudio where that is asked for', () => {
    const { session, say } = openSession({ play_audio_stream_id: 'yes' });
    say(START);
    const message = session.writeAudio(Uint8Array.of(0, 0, 1))!;
    expect(JSON.parse(Buffer.from(message).toString())).toEqual({
      event: 'playAudio',
      media: { contentType: 'audio/x-l16', sampleRate: 16000, payload: 'AAAB' },
      streamId: STREAM_ID,
    });
  });
});

describe('Vobiz', () => {
  it('puts the high byte first, unless it is told otherwise', () => {
    expect(openSession({}, vobizDialect).say(START)).toMatchObject({ inbound: l16(16_000, false) });
    const little = openSession({ l16_byte_order: 'little' }, vobizDialect);
    expect(little.say(START)).toMatchObject({ outbound: l16(16_000) });
  });

  it('drops pending checkpoints at clearAudio', () => {
    expect(vobizDialect.capabilities.marksOnClear).toBe('dropped');
  });

  it('is told to stop, and is shown as unverified', () => {
    const { session, say } = openSession({}, vobizDialect);
    say(START);
    expect(saidBy(session.writeEnd('over'))).toEqual({ event: 'stop', streamId: STREAM_ID });
    expect(vobizDialect.capabilities.unverified).toBe(true);
  });

  it('says playedStream with nothing but a name', () => {
    const { say } = openSession({}, vobizDialect);
    say(START);
    expect(say({ event: 'playedStream', name: 'm' })).toEqual({ type: 'mark_played', name: 'm' });
  });
});

describe('calling as Plivo', () => {
  it('says what its SDK’s schemas ask for: numbers, texts and ids of their kinds', () => {
    const { caller } = openLine(plivoDialect, { ...IDS, format: l16(16_000) });
    const [start] = caller.hello().map(saidBy);
    expect(start).toEqual({ ...START, start: { ...START.start, accountId: 'MA000000000000000000' } });
    const first = saidBy(caller.audio(new Uint8Array(3), 0));
    expect(first).toEqual({
      event: 'media',
      sequenceNumber: 1,
      streamId: STREAM_ID,
      media: { track: 'inbound', timestamp: '1748944800000', chunk: 1, payload: 'AAAA' },
      extra_headers: '{}',
    });
    expect(saidBy(caller.dtmf('#')[0])).toEqual({
      event: 'dtmf',
      sequenceNumber: 2,
      streamId: STREAM_ID,
      dtmf: { track: 'inbound', digit: '#', timestamp: '1748944800000' },
      extra_headers: '{}',
    });
    expect(saidBy(caller.markPlayed('m'))).toEqual({
      event: 'playedStream',
      sequenceNumber: 3,
      streamId: STREAM_ID,
      name: 'm',
    });
  });

  it('refuses what Plivo would not understand', () => {
    const { caller } = openLine(plivoDialect, IDS);
    const read = (value: unknown) => caller.read(textBytes(value), false, openInbound());
    const refused = { type: 'refusal', fault: 'protocol_violation' };
    expect(read({ event: 'clearAudio', streamId: 'another' })).toMatchObject(refused);
    expect(read({ event: 'checkpoint', streamId: STREAM_ID })).toMatchObject(refused);
    expect(read({ event: 'media', streamId: STREAM_ID, media: {} })).toMatchObject(refused);
    expect(read({ event: 'stop', streamId: STREAM_ID })).toEqual({ type: 'ended', reason: 'stop' });
  });

  it('speaks no other format than Plivo does', () => {
    expect(() => openLine(plivoDialect, { format: l16(24_000) })).toThrow('Plivo speaks');
  });
});
