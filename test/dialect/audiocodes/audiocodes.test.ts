import { describe, expect, it } from 'vitest';
import { audioCodesDialect } from '../../../src/dialect/audiocodes/dialect.ts';
import { AUDIO, IGNORED, type ReadResult } from '../../../src/dialect/dialect.ts';
import { l16, PCMU_8K } from '../../../src/media/format.ts';
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

const CONVERSATION = '4a5b6c7d-1111-4222-8333-999900001111';
const INITIATE = {
  type: 'session.initiate',
  conversationId: CONVERSATION,
  expectAudioMessages: true,
  botName: 'billing',
  caller: '+15550100123',
  supportedMediaFormats: ['raw/lpcm16', 'wav/lpcm16', 'raw/mulaw'],
};
const CHUNK = { type: 'userStream.chunk', audioChunk: Buffer.from(rampFrame(3, 640)).toString('base64') };

function openSession(options: Record<string, string> = {}) {
  const session = audioCodesDialect.openSession({ nowMs: 0, upgrade: NO_UPGRADE, options });
  const inbound = openInbound();
  return { session, inbound, say: (value: unknown) => session.read(textBytes(value), false, inbound) };
}

function openStarted(options: Record<string, string> = {}, more: object = {}) {
  const line = openSession(options);
  const started = line.say({ ...INITIATE, ...more });
  return { ...line, started };
}

function replyOf(result: ReadResult): unknown {
  return result.type === 'reply' ? saidBy(result.message) : result;
}

function activity(name: string, more: object = {}): object {
  return { type: 'activities', activities: [{ type: 'event', name, ...more }] };
}

describe('beginning a session with AudioCodes', () => {
  it('answers a validation, and starts no call for it', () => {
    const { say } = openSession();
    expect(replyOf(say({ type: 'connection.validate' }))).toEqual({
      type: 'connection.validated',
      success: true,
    });
    expect(say(INITIATE).type).toBe('started');
  });

  it('accepts the first raw format that is offered', () => {
    const { started, session } = openStarted();
    expect(started).toEqual({
      type: 'started',
      providerCallId: CONVERSATION,
      providerStreamId: null,
      inbound: l16(16_000),
      outbound: l16(16_000),
      bidirectional: true,
      parameters: { from: '+15550100123', bot_name: 'billing' },
      speechOnly: false,
      wantsEvents: false,
    });
    expect(saidBy(session.writeStarted(STARTED_FACTS))).toEqual({
      type: 'session.accepted',
      mediaFormat: 'raw/lpcm16',
    });
  });

  it.each([
    [['wav/lpcm16', 'raw/mulaw'], {}, PCMU_8K],
    [['raw/lpcm16_24'], {}, l16(24_000)],
    [['raw/lpcm16_8'], {}, l16(8000)],
    [['raw/lpcm16', 'raw/mulaw'], { media_format: 'raw/mulaw' }, PCMU_8K],
    [['raw/lpcm16'], { l16_byte_order: 'big' }, l16(16_000, false)],
    [undefined, {}, l16(16_000)],
  ])('of %j with %j', (supportedMediaFormats, options, format) => {
    const { started } = openStarted(options, { supportedMediaFormats });
    expect(started).toMatchObject({ inbound: format, outbound: format });
  });

  it('turns away what it cannot carry, in words', () => {
    for (const supportedMediaFormats of [['wav/mulaw'], [], ['raw/opus'], [7]]) {
      expect(openStarted({}, { supportedMediaFormats }).started).toMatchObject({
        fault: 'unsupported_format',
      });
    }
    expect(openStarted({ media_format: 'raw/lpcm16_24' }).started).toMatchObject({
      fault: 'unsupported_format',
    });
    const answer = openSession().session.writeAnswer({
      id: null,
      ok: false,
      fault: 'overloaded',
      detail: 'busy',
    });
    expect(saidBy(answer)).toEqual({ type: 'session.error', reason: 'busy' });
  });

  it('returns to its conversation on a new connection, with the audio that was settled', () => {
    const { say, session } = openSession();
    const resume = { type: 'session.resume', conversationId: CONVERSATION };
    expect(say(resume)).toMatchObject({ type: 'started', returns: true, providerCallId: CONVERSATION });
    session.goOn!({ inbound: l16(24_000), outbound: l16(24_000), bidirectional: true });
    expect(saidBy(session.writeStarted(STARTED_FACTS))).toEqual({
      type: 'session.accepted',
      mediaFormat: 'raw/lpcm16_24',
    });
    // VoiceAI Connect may still know the streams of the connection before.
    expect(saidBy(session.writeHead!())).not.toMatchObject({ streamId: 'play-0' });
    expect(say({ type: 'session.resume' }).type).toBe('reply');
    expect(openSession().say({ type: 'session.resume' })).toMatchObject({ type: 'refusal' });
  });

  it('accepts a resume of its own conversation where it is', () => {
    const resume = { type: 'session.resume', conversationId: CONVERSATION };
    const { say } = openStarted();
    expect(replyOf(say(resume))).toMatchObject({ type: 'session.accepted' });
    expect(replyOf(say({ ...resume, conversationId: 'other' }))).toMatchObject({ type: 'session.error' });
  });
});

describe('listening to AudioCodes', () => {
  it('answers the start and the stop of the caller’s stream, with its participant where it has one', () => {
    const { say, inbound } = openStarted();
    expect(replyOf(say({ type: 'userStream.start' }))).toEqual({ type: 'userStream.started' });
    expect(say(CHUNK)).toBe(AUDIO);
    expect(payloadOf(inbound).equals(rampFrame(3, 640))).toBe(true);
    expect(replyOf(say({ type: 'userStream.stop', participant: 'agent' }))).toEqual({
      type: 'userStream.stopped',
      participant: 'agent',
    });
  });

  it('listens to the caller alone where agent assist names participants', () => {
    const { say } = openStarted();
    expect(say({ ...CHUNK, participant: 'caller' })).toBe(AUDIO);
    expect(say({ ...CHUNK, participant: 'agent' })).toBe(IGNORED);
    expect(say({ ...CHUNK, participant: 7 })).toBe(IGNORED);
  });

  it('hears digits in activities, several in one message and several in one value', () => {
    const { say } = openStarted();
    const dtmf = (digit: string): object => ({ type: 'dtmf', digit, durationMs: null });
    expect(say(activity('dtmf', { value: '5', id: '7b' }))).toEqual({ type: 'several', inputs: [dtmf('5')] });
    const activities = [
      { type: 'event', name: 'start', language: 'en-US' },
      { type: 'event', name: 'dtmf', value: '12' },
      { type: 'message', text: 'hello' },
      { type: 'event', name: 'dtmf', value: 3 },
    ];
    expect(say({ type: 'activities', activities })).toEqual({
      type: 'several',
      inputs: [dtmf('1'), dtmf('2'), dtmf('3')],
    });
    for (const nothing of [[], 'x', [null, 7], [{ type: 'event', name: 'dtmf', value: {} }]]) {
      expect(say({ type: 'activities', activities: nothing })).toBe(IGNORED);
    }
  });

  it('ends with session.end, and says nothing after it', () => {
    const { say, session } = openStarted();
    const end = { type: 'session.end', conversationId: CONVERSATION, reasonCode: 'client-disconnected' };
    expect(say(end)).toEqual({ type: 'hung_up', reason: 'provider' });
    expect(say(end)).toBe(IGNORED);
    expect(session.writeEnd('provider_stop')).toBeUndefined();
  });
});

describe('speaking to AudioCodes', () => {
  it('makes each utterance a play stream of its own', () => {
    const { session } = openStarted();
    const audioOf = (): unknown => JSON.parse(Buffer.from(session.writeAudio(rampFrame(3, 640))!).toString());
    for (const streamId of ['play-0', 'play-1']) {
      expect(saidBy(session.writeHead!())).toEqual({
        type: 'playStream.start',
        streamId,
        mediaFormat: 'raw/lpcm16',
      });
      expect(session.writeHead!()).toBeUndefined();
      expect(audioOf()).toEqual({ type: 'playStream.chunk', streamId, audioChunk: CHUNK.audioChunk });
      expect(saidBy(session.writeTail!())).toEqual({ type: 'playStream.stop', streamId });
      expect(session.writeTail!()).toBeUndefined();
    }
  });

  it('clears as it is told, and goes on in a new stream', () => {
    const { session } = openStarted();
    session.writeHead!();
    expect(saidBy(session.writeClear())).toEqual(activity('abortPrompts'));
    expect(saidBy(session.writeHead!())).toMatchObject({ streamId: 'play-1' });
    expect(saidBy(openStarted({ barge_in: 'speech_started' }).session.writeClear())).toEqual({
      type: 'userStream.speech.started',
    });
  });

  it('sends digits, transfers and hangs up by activities', () => {
    const { session } = openStarted();
    expect(saidBy(session.writeDtmf('5'))).toEqual(activity('sendDtmf', { value: '5' }));
    const transfer = (transferTarget: string): object =>
      activity('transfer', { activityParams: { transferTarget, handoverReason: 'transfer' } });
    expect(saidBy(session.writeTransfer!('+15550123'))).toEqual(transfer('tel:+15550123'));
    expect(saidBy(session.writeTransfer!('sip:a@b.example'))).toEqual(transfer('sip:a@b.example'));
    expect(saidBy(session.writeEnd('call_ended'))).toEqual(
      activity('hangup', { activityParams: { hangupReason: 'call_ended' } }),
    );
    expect(session.endGraceMs).toBeGreaterThan(1_000);
  });

  it('plays nothing to who expects no audio', () => {
    const { session, started } = openStarted({}, { expectAudioMessages: false });
    expect(started).toMatchObject({ bidirectional: false });
    expect(session.writeHead!()).toBeUndefined();
    expect(session.writeClear()).toBeUndefined();
    expect(() => session.writeAudio(rampFrame(0, 640))).toThrow('expect it');
  });
});

describe('a caller like VoiceAI Connect', () => {
  it('hears no audio outside a play stream', () => {
    const chunk = textBytes({ type: 'playStream.chunk', streamId: 'play-0', audioChunk: 'AAAA' });
    const { caller, session, inbound } = openStartedLine(audioCodesDialect);
    const hear = (message: Parameters<typeof saidBy>[0]) => caller.read(message!.bytes, false, inbound);
    expect(caller.read(chunk, false, inbound)).toMatchObject({ fault: 'protocol_violation' });
    expect(hear(session.writeHead!())).toBe(IGNORED);
    expect(caller.read(chunk, false, inbound)).toBe(AUDIO);
    expect(hear(session.writeTail!())).toBe(IGNORED);
    expect(caller.read(chunk, false, inbound)).toMatchObject({ fault: 'protocol_violation' });
  });

  it('understands every activity that is sent', () => {
    const { caller, session, inbound } = openStartedLine(audioCodesDialect);
    const hear = (message: Parameters<typeof saidBy>[0]) => caller.read(message!.bytes, false, inbound);
    expect(hear(session.writeDtmf('5'))).toEqual({ type: 'dtmf', digit: '5' });
    expect(hear(session.writeTransfer!('tel:+1'))).toEqual({ type: 'transfer', target: 'tel:+1' });
    expect(hear(session.writeEnd('call_ended'))).toEqual({ type: 'ended', reason: 'hangup' });
  });

  it('speaks what has a name', () => {
    expect(() => openLine(audioCodesDialect, { format: l16(48_000) })).toThrow('AudioCodes');
    expect(() => openLine(audioCodesDialect, { format: l16(16_000, false) })).toThrow('AudioCodes');
  });
});
