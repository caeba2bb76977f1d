import { describe, expect, it } from 'vitest';
import { AUDIO, IGNORED } from '../../../src/dialect/dialect.ts';
import { telnyxDialect } from '../../../src/dialect/telnyx/dialect.ts';
import { l16, PCMA_8K, PCMU_8K, type AudioFormat } from '../../../src/media/format.ts';
import { NO_UPGRADE, openInbound, openLine, payloadOf, rampFrame, saidBy, textBytes } from '../wire.ts';

const STREAM_ID = '8f2b6c1e-0a1b-4c2d-9e3f-001122334455';
const TOKEN_HEADER = 'x-telnyx-streaming-auth-token';
const G722: AudioFormat = { codec: 'g722', sampleRateHz: 16_000, littleEndian: true };
const OPUS: AudioFormat = { codec: 'opus', sampleRateHz: 48_000, littleEndian: true };

/** As the pages have it. */
const START = {
  event: 'start',
  sequence_number: '1',
  stream_id: STREAM_ID,
  start: {
    user_id: '3b1d2c4e-5f60-4718-92a3-b4c5d6e7f809',
    call_control_id: 'v3:AbCdEfGhIjKlMn',
    call_session_id: '0d1e2f30-4152-11ef-8374-02420aef1020',
    from: '+15550100123',
    to: '+15550199456',
    tags: [],
    client_state: 'eyJ0ZW5hbnQiOiJhY21lIn0=',
    custom_parameters: { agent: 'billing' },
    media_format: { encoding: 'PCMU', sample_rate: 8000, channels: 1 },
  },
};

function openSession(options = {}, headers: Record<string, string> = {}) {
  const session = telnyxDialect.openSession({ nowMs: 0, upgrade: { ...NO_UPGRADE, headers }, options });
  const inbound = openInbound();
  return { session, inbound, say: (value: unknown) => session.read(textBytes(value), false, inbound) };
}

function openStarted(options = {}, media_format: object = START.start.media_format) {
  const line = openSession(options);
  expect(line.say({ ...START, start: { ...START.start, media_format } })).toMatchObject({ type: 'started' });
  return line;
}

function media(chunk: number | string, changes: object = {}): object {
  const payload = Buffer.from(rampFrame()).toString('base64');
  return {
    event: 'media',
    sequence_number: '4',
    stream_id: STREAM_ID,
    media: { track: 'inbound', chunk, timestamp: '20', payload, ...changes },
  };
}

describe('reading Telnyx', () => {
  it('finds the stream at the top level, the numbers in the start', () => {
    expect(openSession().say(START)).toEqual({
      type: 'started',
      providerCallId: 'v3:AbCdEfGhIjKlMn',
      providerStreamId: STREAM_ID,
      inbound: PCMU_8K,
      outbound: PCMU_8K,
      bidirectional: true,
      parameters: {
        agent: 'billing',
        from: '+15550100123',
        to: '+15550199456',
        client_state: 'eyJ0ZW5hbnQiOiJhY21lIn0=',
      },
      speechOnly: false,
      wantsEvents: false,
    });
  });

  it.each([
    ['PCMA', 8000, PCMA_8K],
    ['audio/x-mulaw', 8000, PCMU_8K],
    ['G722', 8000, G722],
    ['G722', 16_000, G722],
    ['OPUS', 48_000, OPUS],
    ['L16', '16000', l16(16_000)],
  ])('takes the call’s own codec: %s at %s', (encoding, sample_rate, inbound) => {
    const start = { ...START.start, media_format: { encoding, sample_rate, channels: 1 } };
    expect(openSession().say({ ...START, start })).toMatchObject({ inbound, outbound: PCMU_8K });
  });

  it('has two codecs: the start names one, the option the other', () => {
    const outboundOf = (options: object) => openSession(options).say(START);
    expect(outboundOf({ outbound_codec: 'PCMA' })).toMatchObject({ inbound: PCMU_8K, outbound: PCMA_8K });
    expect(outboundOf({ outbound_codec: 'G722' })).toMatchObject({ outbound: G722 });
    expect(outboundOf({ outbound_codec: 'OPUS' })).toMatchObject({ outbound: OPUS });
    const wide = { outbound_codec: 'L16', outbound_sample_rate: '24000' };
    expect(outboundOf(wide)).toMatchObject({ outbound: l16(24_000) });
    expect(outboundOf({ ...wide, l16_byte_order: 'big' })).toMatchObject({ outbound: l16(24_000, false) });
  });

  it('takes parameters as an object and as a list of names and values', () => {
    const startWith = (custom_parameters: unknown) =>
      openSession().say({ ...START, start: { ...START.start, custom_parameters } });
    expect(startWith([{ name: 'agent', value: 'billing' }])).toMatchObject({
      type: 'started',
      parameters: { agent: 'billing' },
    });
    expect(startWith([])).toMatchObject({ type: 'started' });
    for (const odd of ['agent', [7], [{ value: 'x' }], [{ name: '__proto__', value: 'x' }]]) {
      expect(startWith(odd)).toMatchObject({ type: 'refusal', fault: 'protocol_violation' });
    }
  });

  it('refuses a codec nobody here speaks, by the name that Telnyx has for it', () => {
    const refusalOf = (encoding: string): unknown => {
      const media_format = { encoding, sample_rate: 16_000, channels: 1 };
      return openSession().say({ ...START, start: { ...START.start, media_format } });
    };
    for (const [encoding, named] of [
      ['AMR-WB', 'AMR-WB'],
      ['audio/amr-wb', 'AMR-WB'],
      ['mp3', 'MP3'],
      ['GSM', 'media_format'],
    ] as const) {
      const detail: unknown = expect.stringContaining(named);
      expect(refusalOf(encoding)).toMatchObject({ fault: 'unsupported_format', detail });
    }
  });

  it('orders by chunk, as a text or a number, round the 16 bits of a sequence', () => {
    const { say, inbound } = openStarted();
    const sequences = ['2', 1, '3', '65535', 65_536, '65537'].map((chunk) => {
      expect(say(media(chunk))).toBe(AUDIO);
      return inbound.sequence;
    });
    expect(sequences).toEqual([2, 1, 3, 65_535, 0, 1]);
    expect(inbound.timestampMs).toBe(20);
  });

  it('leaves audio as it arrives where that is asked for', () => {
    const { say, inbound } = openStarted({ order_by: 'arrival' });
    say(media('7'));
    expect(inbound.sequence).toBe(-1);
  });

  it('stops counting chunks once one of them is not a frame of 20 ms', () => {
    const { say, inbound } = openStarted();
    say(media('1'));
    expect(inbound.sequence).toBe(1);
    say(media('2', { payload: Buffer.from(rampFrame(0, 320)).toString('base64') }));
    expect([inbound.sequence, inbound.payloadBytes]).toEqual([-1, 320]);
    say(media('3'));
    expect(inbound.sequence).toBe(-1);
  });

  it('stops counting chunks once another track is heard, which may share them', () => {
    const { say, inbound } = openStarted();
    say(media('1'));
    expect(say(media('2', { track: 'outbound' }))).toBe(IGNORED);
    expect(say(media('3'))).toBe(AUDIO);
    expect(inbound.sequence).toBe(-1);
  });

  it('numbers packets of Opus of any length, one a message', () => {
    const { say, inbound } = openStarted({}, { encoding: 'OPUS', sample_rate: 48_000, channels: 1 });
    for (const [chunk, bytes] of [1, 2, 3].map((chunk) => [chunk, chunk * 31] as const)) {
      say(media(chunk, { payload: Buffer.from(rampFrame(0, bytes)).toString('base64') }));
      expect([inbound.sequence, inbound.payloadBytes]).toEqual([chunk, bytes]);
    }
  });

  it('reads base64 with whitespace', () => {
    const { say, inbound } = openStarted();
    expect(say(media('1', { payload: 'AAE\nCAw ==' }))).toBe(AUDIO);
    expect(payloadOf(inbound)).toEqual(Buffer.from([0, 1, 2, 3]));
  });

  it('hears digits, marks and the stop', () => {
    const { say } = openStarted();
    const dtmf = { event: 'dtmf', stream_id: STREAM_ID, occurred_at: '2026-05-04T10:11:12.345678Z' };
    expect(say({ ...dtmf, dtmf: { digit: '5' } })).toEqual({ type: 'dtmf', digit: '5', durationMs: null });
    expect(say({ event: 'mark', mark: { name: 'utt-7' } })).toEqual({ type: 'mark_played', name: 'utt-7' });
    expect(say({ event: 'stop', stop: {} })).toEqual({ type: 'hung_up', reason: 'provider' });
  });

  it('hears what is wrong in both documented shapes', () => {
    const { say } = openStarted();
    const payload = { code: '100004', title: 'invalid_media', detail: 'payload could not be decoded' };
    expect(say({ event: 'error', stream_id: STREAM_ID, payload })).toEqual({
      type: 'agent_error',
      code: 'invalid_media',
      detail: 'payload could not be decoded',
      isFatal: false,
    });
    const error = { code: 100_005, detail: 'too many messages' };
    expect(say({ event: 'error', stream_id: STREAM_ID, error })).toMatchObject({ code: '100005' });
    expect(say({ event: 'error', stream_id: STREAM_ID })).toMatchObject({ fault: 'protocol_violation' });
  });

  it('sends nothing on a stream that was set up to be heard only', () => {
    const { session } = openStarted({ listen_only: 'yes' });
    expect([session.writeMark('m'), session.writeClear()]).toEqual([undefined, undefined]);
    expect(() => session.writeAudio(rampFrame())).toThrow('listens to nothing');
  });
});

describe('Telnyx’ token', () => {
  const verdictOf = (headers: Record<string, string>, api_key: string | undefined) =>
    telnyxDialect.verify!({ ...NO_UPGRADE, headers }, api_key === undefined ? {} : { api_key }, 0).holds;

  it('holds in the header of the upgrade, and fails when it is another, or stripped', () => {
    expect(verdictOf({ [TOKEN_HEADER]: 'tok-1' }, 'tok-1')).toBe(true);
    expect(verdictOf({ [TOKEN_HEADER]: 'tok-2' }, 'tok-1')).toBe(false);
    expect(verdictOf({}, 'tok-1')).toBe(false);
    expect(verdictOf({ [TOKEN_HEADER]: '' }, '')).toBe(false);
    expect(verdictOf({}, undefined)).toBe(true);
  });

  it('must be the same in the message: another one is refused as unauthenticated', () => {
    const connected = { event: 'connected', version: '1.0.0', [TOKEN_HEADER]: 'tok-1' };
    expect(openSession({}, { [TOKEN_HEADER]: 'tok-1' }).say(connected)).toBe(IGNORED);
    expect(openSession().say(connected)).toBe(IGNORED);
    for (const said of ['tok-2', '', 7]) {
      const line = openSession({}, { [TOKEN_HEADER]: 'tok-1' });
      expect(line.say({ ...connected, [TOKEN_HEADER]: said })).toMatchObject({
        type: 'refusal',
        fault: 'unauthenticated',
      });
    }
  });
});

describe('writing to Telnyx', () => {
  it('names no stream, and says one frame a message', () => {
    const { session } = openStarted();
    expect(Buffer.from(session.writeAudio(rampFrame(0, 3))!).toString()).toBe(
      '{"event":"media","media":{"payload":"AAEC"}}',
    );
    expect(saidBy(session.writeMark('utt-7'))).toEqual({ event: 'mark', mark: { name: 'utt-7' } });
    expect(saidBy(session.writeClear())).toEqual({ event: 'clear' });
    expect([session.writeDtmf('5'), session.writeEnd('over')]).toEqual([undefined, undefined]);
  });
});

describe('calling as Telnyx', () => {
  it('says what its pages say', () => {
    const { caller } = openLine(telnyxDialect, { streamId: STREAM_ID, callId: 'v3:x', format: G722 });
    expect(caller.hello().map(saidBy)).toMatchObject([
      { event: 'connected', version: '1.0.0' },
      {
        event: 'start',
        sequence_number: '1',
        stream_id: STREAM_ID,
        start: {
          call_control_id: 'v3:x',
          from: '+15550100',
          custom_parameters: { lead_id: '884' },
          media_format: { encoding: 'G722', sample_rate: 8000, channels: 1 },
        },
      },
    ]);
    expect(saidBy(caller.audio(rampFrame(0, 3), 4))).toEqual({
      event: 'media',
      sequence_number: '2',
      stream_id: STREAM_ID,
      media: { track: 'inbound', chunk: '5', timestamp: '80', payload: 'AAEC' },
    });
    expect(caller.read(textBytes({ event: 'hello' }), false, openInbound())).toMatchObject({
      fault: 'protocol_violation',
    });
  });
});
