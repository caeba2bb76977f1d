import { describe, expect, it } from 'vitest';
import { AUDIO, IGNORED, type WireMessage } from '../../../src/dialect/dialect.ts';
import { AsteriskCaller } from '../../../src/dialect/asterisk/caller.ts';
import { asteriskDialect } from '../../../src/dialect/asterisk/dialect.ts';
import { l16, PCMA_8K, PCMU_8K } from '../../../src/media/format.ts';
import {
  CALLER_OPTIONS,
  NO_UPGRADE,
  openInbound,
  payloadOf,
  rampFrame,
  STARTED_FACTS,
  textBytes,
} from '../wire.ts';

/** Words of Asterisk 22.9.0, as they were seen on the wire. */
const PLAIN_START =
  'MEDIA_START connection_id:media1 channel:WebSocket/media1/0x7f856c001b30 channel_id:1795217818.1 ' +
  'format:ulaw optimal_frame_size:160 ptime:20';
const JSON_START = {
  event: 'MEDIA_START',
  connection_id: 'media1',
  channel: 'WebSocket/media1/0x7f8564001b70',
  channel_id: '1795217810.0',
  format: 'ulaw',
  optimal_frame_size: 160,
  ptime: 20,
  channel_variables: { MEDIA_WEBSOCKET_CONNECTION_ID: 'media1', MEDIA_WEBSOCKET_OPTIMAL_FRAME_SIZE: '160' },
};

function openSession(options = {}, target = '/') {
  const session = asteriskDialect.openSession({ nowMs: 0, upgrade: { ...NO_UPGRADE, target }, options });
  const inbound = openInbound();
  return { session, inbound, say: (value: unknown) => session.read(textBytes(value), false, inbound) };
}

function openStarted(start: unknown = JSON_START, options = {}) {
  const opened = openSession(options);
  expect(opened.say(start)).toMatchObject({ type: 'started' });
  return opened;
}

function textOf(message: WireMessage | undefined): string | undefined {
  expect(message?.isBinary ?? false).toBe(false);
  return message === undefined ? undefined : Buffer.from(message.bytes).toString();
}

describe('reading Asterisk', () => {
  it.each([
    [PLAIN_START, '1795217818.1', 'WebSocket/media1/0x7f856c001b30'],
    [JSON_START, '1795217810.0', 'WebSocket/media1/0x7f8564001b70'],
  ])('is keyed by channel_id, for connection_id is that of many', (start, channelId, channel) => {
    expect(openSession().say(start)).toMatchObject({
      type: 'started',
      providerCallId: channelId,
      providerStreamId: 'media1',
      inbound: PCMU_8K,
      outbound: PCMU_8K,
      parameters: { channel },
    });
  });

  it('does without channel_id and ptime, which older versions lack', () => {
    const start = 'MEDIA_START connection_id:media1 channel:WebSocket/x format:alaw optimal_frame_size:160';
    expect(openSession().say(start)).toMatchObject({ providerCallId: null, inbound: PCMA_8K });
  });

  it.each([
    ['slin', l16(8000)],
    ['slin16', l16(16_000)],
    ['slin24', l16(24_000)],
    ['slin48', l16(48_000)],
    ['g722', { codec: 'g722', sampleRateHz: 16_000 }],
    ['opus', { codec: 'opus', sampleRateHz: 48_000 }],
  ])('knows %s', (format, expected) => {
    expect(openSession().say({ ...JSON_START, format })).toMatchObject({ inbound: expected });
  });

  it('refuses formats nobody decodes here', () => {
    for (const format of ['slin12', 'slin44', 'slin192', 'g729', 'siren7', undefined]) {
      expect(openSession().say({ ...JSON_START, format })).toMatchObject({ fault: 'unsupported_format' });
    }
  });

  it.each([
    ['plain', PLAIN_START, (word: string, more: string) => `${word} ${more}`.trim()],
    [
      'json',
      JSON_START,
      (word: string, more: string) =>
        JSON.stringify({
          event: word,
          channel_id: '1795217810.0',
          ...Object.fromEntries(more.split(' ').map((pair) => pair.split(':'))),
        }),
    ],
  ])('understands every event in %s', (_, start, write) => {
    const { say } = openStarted(start);
    expect(say(write('MEDIA_XOFF', ''))).toEqual({ type: 'flow', maySend: false });
    expect(say(write('MEDIA_XON', ''))).toEqual({ type: 'flow', maySend: true });
    expect(say(write('DTMF_END', 'digit:5 channel_id:1795217818.1'))).toEqual({
      type: 'dtmf',
      digit: '5',
      durationMs: null,
    });
    for (const ignored of [
      'QUEUE_DRAINED',
      'STATUS queue_length:0',
      'ERROR error_text:MARK_MEDIA',
      'NEW_WORD',
    ]) {
      expect(say(write(ignored.split(' ')[0]!, ignored.split(' ')[1] ?? ''))).toBe(IGNORED);
    }
  });

  it('takes a frame of another size, as the tail of a sound is', () => {
    const { session, inbound } = openStarted();
    for (const bytes of [160, 100, 480]) {
      expect(session.read(rampFrame(bytes, bytes), true, inbound)).toBe(AUDIO);
      expect(payloadOf(inbound).equals(rampFrame(bytes, bytes))).toBe(true);
    }
  });

  it('takes channel variables for parameters, however many others there are', () => {
    const many = Object.fromEntries(Array.from({ length: 90 }, (_, i) => [`FPBX_${i}`, 'x']));
    const channel_variables = { ...many, from: '+15550100', lead_id: '884' };
    expect(openSession().say({ ...JSON_START, channel_variables })).toMatchObject({
      parameters: { from: '+15550100', lead_id: '884' },
    });
  });

  it('takes variables that were handed on with underscores by their plain names, which count first', () => {
    const channel_variables = { __from: '+15550100', __to: '100', _lead_id: '884', to: '200' };
    expect(openSession().say({ ...JSON_START, channel_variables })).toMatchObject({
      parameters: { from: '+15550100', to: '200', lead_id: '884' },
    });
  });

  it('does not trust parameters of the URI, which stick to later calls, unless told to', () => {
    const target = '/media/asterisk/sc_1?lead_id=884';
    expect(openSession({}, target).say(JSON_START)).not.toMatchObject({ parameters: { lead_id: '884' } });
    const trusting = openSession({ uri_parameters: 'yes' }, target);
    expect(trusting.say(JSON_START)).toMatchObject({ parameters: { lead_id: '884' } });
  });
});

describe('writing to Asterisk', () => {
  it('answers plain with plain, and JSON with JSON', () => {
    const plain = openStarted(PLAIN_START, { answer: 'yes' }).session;
    const json = openStarted(JSON_START, { answer: 'yes' }).session;
    const said = (session: typeof plain) => [
      textOf(session.writeStarted(STARTED_FACTS)),
      textOf(session.writeMark('utt-7')),
      textOf(session.writeClear()),
      textOf(session.writeEnd('hangup')),
    ];
    expect(said(plain)).toEqual(['ANSWER', 'MARK_MEDIA m1', 'FLUSH_MEDIA', 'HANGUP']);
    expect(said(json)).toEqual([
      '{"command":"ANSWER"}',
      '{"command":"MARK_MEDIA","correlation_id":"m1"}',
      '{"command":"FLUSH_MEDIA"}',
      '{"command":"HANGUP"}',
    ]);
    expect(openStarted().session.writeStarted(STARTED_FACTS)).toBeUndefined();
  });

  it('keeps commands within 128 bytes, whatever a mark is called', () => {
    for (const start of [PLAIN_START, JSON_START]) {
      const { session, say } = openStarted(start);
      const name = 'é "'.repeat(80);
      for (let i = 0; i < 2_000; i++) session.writeMark('x');
      const mark = session.writeMark(name)!;
      expect(mark.bytes.length).toBeLessThanOrEqual(128);
      const processed = { event: 'MEDIA_MARK_PROCESSED', correlation_id: 'm2001' };
      const answer = start === PLAIN_START ? 'MEDIA_MARK_PROCESSED m2001' : processed;
      expect(say(answer)).toEqual({ type: 'mark_played', name });
    }
  });

  it('falls back to STOP_MEDIA_BUFFERING where MARK_MEDIA is not known', () => {
    const { session, say } = openStarted(PLAIN_START, { marks: 'stop_media_buffering' });
    expect(textOf(session.writeMark('utt-7'))).toBe('STOP_MEDIA_BUFFERING m1');
    expect(say('MEDIA_BUFFERING_COMPLETED m1')).toEqual({ type: 'mark_played', name: 'utt-7' });
    expect(openStarted(PLAIN_START, { marks: 'none' }).session.writeMark('a')).toBeUndefined();
  });

  it('gives marks up that FLUSH_MEDIA discards without a word', () => {
    const { session, say } = openStarted(PLAIN_START);
    session.writeMark('utt-7');
    session.writeClear();
    expect(say('MEDIA_MARK_PROCESSED m1')).toBe(IGNORED);
    session.writeMark('utt-7');
    expect(say('MEDIA_MARK_PROCESSED m2')).toMatchObject({ name: 'utt-7' });
    expect(asteriskDialect.capabilities.marksOnClear).toBe('dropped');
  });

  it('waits for Asterisk to close after HANGUP', () => {
    expect(openStarted().session.endGraceMs).toBeGreaterThanOrEqual(500);
  });

  it('sends whole frames of Asterisk’s size, for the rest of a message is dropped', () => {
    const { session } = openStarted({ ...JSON_START, optimal_frame_size: 240 });
    const messages = [0, 1, 2, 3].map((index) => session.writeAudio(rampFrame(index))?.length);
    expect(messages).toEqual([undefined, undefined, 480, undefined]);
    const rest = session.flushAudio?.();
    expect(rest?.length).toBe(480);
    expect(Buffer.from(rest!.subarray(160)).every((byte) => byte === 0xff)).toBe(true);
    expect(openStarted().session.writeAudio(rampFrame())?.length).toBe(160);
  });

  it('stays below 60 000 bytes, whatever size of frame is asked for', () => {
    const { session } = openStarted({ ...JSON_START, optimal_frame_size: 65_499 });
    expect(session.writeAudio(rampFrame())?.length).toBe(160);
    for (const size of [-1, 0.5, 65_501, 'big']) {
      expect(openSession().say({ ...JSON_START, optimal_frame_size: size }).type).toBe('refusal');
    }
  });

  it('passes Opus through, a packet a message, and says nothing that is an error there', () => {
    const { session } = openStarted({ ...JSON_START, format: 'opus', optimal_frame_size: 0 });
    expect([71, 3, 120].map((bytes) => session.writeAudio(rampFrame(1, bytes))?.length)).toEqual([
      71, 3, 120,
    ]);
    expect([session.writeMark('a'), session.writeClear()]).toEqual([undefined, undefined]);
    expect(textOf(session.writeEnd('hangup'))).toContain('HANGUP');
  });
});

describe('a caller like Asterisk', () => {
  it.each(['plain', 'json'] as const)('makes a whole call in %s', (control) => {
    const caller = new AsteriskCaller(CALLER_OPTIONS, control);
    const { session, inbound } = openSession();
    const say = ({ bytes, isBinary }: WireMessage) => session.read(bytes, isBinary, inbound);
    expect(say(caller.hello()[0]!)).toMatchObject({ type: 'started', inbound: PCMU_8K });
    expect(say(caller.audio(rampFrame()))).toBe(AUDIO);
    expect(say(caller.dtmf('#')[0]!)).toMatchObject({ digit: '#' });
    const mark = session.writeMark('utt-7')!;
    expect(caller.read(mark.bytes, false, inbound)).toEqual({ type: 'mark', name: 'm1' });
    expect(say(caller.markPlayed('m1'))).toEqual({ type: 'mark_played', name: 'utt-7' });
    const end = session.writeEnd('hangup')!;
    expect(caller.read(end.bytes, false, inbound)).toMatchObject({ type: 'ended' });
  });

  it('ignores no command silently: what is too long, in the wrong case or unknown is refused', () => {
    const caller = new AsteriskCaller(CALLER_OPTIONS, 'plain');
    const wrong = [`MARK_MEDIA ${'x'.repeat(120)}`, 'hangup', 'SING', '{"command":"HANGUP"}'];
    for (const text of wrong) expect(caller.read(textBytes(text), false, openInbound()).type).toBe('refusal');
    const bytes = new Uint8Array(65_532);
    expect(caller.read(bytes, true, openInbound())).toMatchObject({ fault: 'frame_too_large' });
  });
});
