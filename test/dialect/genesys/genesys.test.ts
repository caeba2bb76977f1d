import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/base/json.ts';
import { AUDIO, IGNORED, type ReadResult } from '../../../src/dialect/dialect.ts';
import { genesysDialect } from '../../../src/dialect/genesys/dialect.ts';
import { l16, PCMU_8K } from '../../../src/media/format.ts';
import {
  exchange,
  NO_UPGRADE,
  openInbound,
  openStartedLine,
  payloadOf,
  rampFrame,
  saidBy,
  STARTED_FACTS,
  textBytes,
} from '../wire.ts';

const ID = '46cfefa1-effe-48f4-99ae-809a40a18e1e';
const ORGANIZATION = 'b96ef2e9-83e1-48f4-acdf-ed886559ace2';
const NOBODY = '00000000-0000-0000-0000-000000000000';

function medium(...channels: readonly string[]): JsonObject {
  return { type: 'audio', format: 'PCMU', channels, rate: 8000 };
}

const BOTH = medium('external', 'internal');
const EXTERNAL = medium('external');
const INTERNAL = medium('internal');

/** As the sample client of the reference implementation says it, with the fields of Audio Connector. */
const OPEN = {
  organizationId: ORGANIZATION,
  conversationId: '3263e234-1383-44ab-abea-03921ce02b12',
  participant: {
    id: '531d13da-a922-4e6b-b864-e1f075041fe1',
    ani: '+1-555-555-1234',
    aniName: 'Jo Doe',
    dnis: '+1-800-555-6789',
  },
  media: [BOTH, EXTERNAL, INTERNAL],
  language: 'en-US',
  customConfig: { flow: 'billing' },
  inputVariables: { account: '42' },
};
const CONNECTOR_OPEN = { ...OPEN, media: [EXTERNAL] };
const PROBE = {
  ...OPEN,
  conversationId: NOBODY,
  participant: { id: NOBODY, ani: '', aniName: '', dnis: '' },
};

/** A session, and a client that counts as it should. */
function openSession(options: Record<string, string> = {}) {
  const headers = { 'audiohook-session-id': ID, 'audiohook-organization-id': ORGANIZATION };
  const session = genesysDialect.openSession({ nowMs: 0, upgrade: { ...NO_UPGRADE, headers }, options });
  const inbound = openInbound();
  let seq = 0;
  let serverseq = 0;
  const heard = (value: unknown): void => {
    if (typeof value === 'object' && value !== null && 'seq' in value) serverseq = Number(value.seq);
  };
  const raw = (value: unknown): ReadResult => session.read(textBytes(value), false, inbound);
  const say = (type: string, parameters: object = {}, more: object = {}): ReadResult => {
    const numbers = { seq: ++seq, serverseq, position: 'PT0S' };
    return raw({ version: '2', type, id: ID, ...numbers, parameters, ...more });
  };
  const audio = (bytes: number): ReadResult => session.read(rampFrame(0, bytes), true, inbound);
  return { session, inbound, raw, say, audio, heard };
}

/** A session that was opened and has answered. */
function openOpened(open: object = CONNECTOR_OPEN, options: Record<string, string> = {}) {
  const line = openSession(options);
  const started = line.say('open', open);
  const opened = saidBy(line.session.writeStarted(STARTED_FACTS));
  line.heard(opened);
  return { ...line, started, opened };
}

function replyOf(result: ReadResult): unknown {
  const inputs = result.type === 'several' ? result.inputs : [result];
  return inputs.flatMap((one) => (one.type === 'reply' ? [saidBy(one.message)] : []))[0];
}

describe('opening a session of Genesys', () => {
  it('reads who calls, the flow’s variables and the integration’s configuration', () => {
    const { started, opened } = openOpened();
    expect(started).toEqual({
      type: 'started',
      providerCallId: OPEN.conversationId,
      providerStreamId: ID,
      inbound: PCMU_8K,
      outbound: PCMU_8K,
      bidirectional: true,
      parameters: {
        organization_id: ORGANIZATION,
        language: 'en-US',
        participant_id: OPEN.participant.id,
        from_name: 'Jo Doe',
        from: '+1-555-555-1234',
        to: '+1-800-555-6789',
        flow: 'billing',
        account: '42',
      },
      speechOnly: false,
      wantsEvents: false,
    });
    expect(opened).toEqual({
      version: '2',
      type: 'opened',
      id: ID,
      seq: 1,
      clientseq: 1,
      parameters: { startPaused: false, media: [EXTERNAL] },
    });
  });

  it('gives the medium it chose back unchanged, whatever else it holds', () => {
    const odd = { ...EXTERNAL, rate: 8000, added: { later: true } };
    const { opened } = openOpened({ ...OPEN, media: [BOTH, odd] });
    expect(opened).toMatchObject({ parameters: { media: [odd] } });
  });

  it.each([
    ['external', [BOTH, EXTERNAL, INTERNAL], EXTERNAL],
    ['external', [BOTH], BOTH],
    ['external', [INTERNAL, BOTH], BOTH],
    ['both', [EXTERNAL, INTERNAL, BOTH], BOTH],
    ['both', [EXTERNAL], EXTERNAL],
    ['internal', [BOTH, EXTERNAL, INTERNAL], INTERNAL],
  ])('wanting %s, chooses the best of what is offered', (channels, media, chosen) => {
    expect(openOpened({ ...OPEN, media }, { channels }).opened).toMatchObject({
      parameters: { media: [chosen] },
    });
  });

  it('takes L16 where nothing else is offered, in the byte order it was told', () => {
    const linear = { ...EXTERNAL, format: 'L16' };
    expect(openOpened({ ...OPEN, media: [linear, EXTERNAL] }).started).toMatchObject({ inbound: PCMU_8K });
    expect(openOpened({ ...OPEN, media: [linear] }, { l16_byte_order: 'big' }).started).toMatchObject({
      inbound: l16(8000, false),
      outbound: l16(8000, false),
    });
  });

  it('refuses what it cannot carry, in words', () => {
    for (const media of [
      [],
      undefined,
      'PCMU',
      [{ ...EXTERNAL, format: 'OPUS' }],
      [{ ...EXTERNAL, rate: 16_000 }],
    ]) {
      const { say, session } = openSession();
      expect(say('open', { ...OPEN, media })).toMatchObject({ fault: 'unsupported_format' });
      const words = session.writeAnswer({
        id: null,
        ok: false,
        fault: 'unsupported_format',
        detail: 'no medium',
      });
      expect(saidBy(words)).toMatchObject({
        type: 'disconnect',
        id: ID,
        seq: 1,
        parameters: { reason: 'error', info: 'no medium' },
      });
    }
  });

  it('refuses an open that is not of the session and the organization of the upgrade', () => {
    const unauthenticated = { type: 'refusal', fault: 'unauthenticated' };
    expect(openSession().say('open', OPEN, { id: NOBODY })).toMatchObject(unauthenticated);
    const { say, session } = openSession();
    expect(say('open', { ...OPEN, organizationId: NOBODY })).toMatchObject(unauthenticated);
    const words = session.writeAnswer({ id: null, ok: false, fault: 'unauthenticated', detail: 'x' });
    expect(saidBy(words)).toMatchObject({ type: 'disconnect', parameters: { reason: 'unauthorized' } });
  });

  it('answers a connection probe, and starts no call for it', () => {
    const { say, session, audio, inbound } = openSession();
    const opened = say('open', PROBE);
    expect(opened.type).toBe('reply');
    expect(replyOf(opened)).toMatchObject({ type: 'opened', seq: 1, clientseq: 1 });
    // Its sample client sends one empty frame while it probes.
    expect(session.read(new Uint8Array(0), true, inbound)).toBe(IGNORED);
    expect(audio(1_600)).toBe(IGNORED);
    expect(replyOf(say('ping', {}))).toMatchObject({ type: 'pong', clientseq: 2 });
    expect(say('dtmf', { digit: '5' })).toBe(IGNORED);
    const closed = say('close', { reason: 'end' });
    expect(replyOf(closed)).toMatchObject({ type: 'closed', seq: 3, clientseq: 4 });
  });

  it('tells which session it continues after a reconnect', () => {
    const continuedSessions = [
      { id: NOBODY, serverseq: 1, clientseq: 2 },
      { id: '8a2f0000-effe-48f4-99ae-809a40a18e1e', serverseq: 9, clientseq: 12 },
    ];
    expect(openOpened({ ...CONNECTOR_OPEN, continuedSessions }).started).toMatchObject({
      parameters: {
        continued_session_id: '8a2f0000-effe-48f4-99ae-809a40a18e1e',
        continued_serverseq: '9',
        continued_clientseq: '12',
      },
    });
  });
});

describe('the numbers of Genesys', () => {
  it('count its messages one by one, and no binary ones', () => {
    const { raw, audio } = openOpened();
    const ping = (seq: number, serverseq = 1) =>
      raw({ version: '2', type: 'ping', id: ID, seq, serverseq, position: 'PT1S', parameters: {} });
    audio(1_600);
    for (const seq of [0, 1, 3, -1, 2.5]) expect(ping(seq)).toMatchObject({ fault: 'protocol_violation' });
    expect(ping(2).type).toBe('reply');
    expect(ping(2)).toMatchObject({ fault: 'protocol_violation' });
    expect(ping(3).type).toBe('reply');
  });

  it('`clientseq` of a pong is the number of its ping', () => {
    const { say } = openOpened();
    say('paused');
    expect(replyOf(say('ping', { rtt: 'PT0.0021S' }))).toEqual({
      version: '2',
      type: 'pong',
      id: ID,
      seq: 2,
      clientseq: 3,
      parameters: {},
    });
  });

  it('refuse who has heard what was not said, and who speaks for another session', () => {
    const { raw } = openOpened();
    const numbered = { version: '2', type: 'ping', id: ID, seq: 2, position: 'PT1S', parameters: {} };
    const violation = { fault: 'protocol_violation' };
    for (const serverseq of [2, -1, undefined])
      expect(raw({ ...numbered, serverseq })).toMatchObject(violation);
    expect(raw({ ...numbered, serverseq: 1, id: NOBODY })).toMatchObject(violation);
    expect(raw({ ...numbered, serverseq: 1, version: '3' })).toMatchObject(violation);
    expect(raw({ ...numbered, serverseq: 0 }).type).toBe('reply');
  });
});

describe('listening to Genesys', () => {
  it('takes frames of any length, and empty ones', () => {
    const { audio, inbound, session } = openOpened();
    for (const bytes of [1_600, 160, 1, 3_211]) {
      expect(audio(bytes)).toBe(AUDIO);
      expect(payloadOf(inbound).equals(rampFrame(0, bytes))).toBe(true);
    }
    expect(session.read(new Uint8Array(0), true, inbound)).toBe(IGNORED);
  });

  it('takes two channels interleaved, and no half of a pair', () => {
    const { started, audio } = openOpened({ ...OPEN, media: [BOTH] });
    expect(started).toMatchObject({ inbound: { ...PCMU_8K, channels: 2 }, outbound: PCMU_8K });
    expect(audio(3_200)).toBe(AUDIO);
    expect(audio(3_201)).toMatchObject({ fault: 'protocol_violation' });
  });

  it('understands the examples of every word', () => {
    const { say, session } = openOpened();
    expect(say('paused')).toBe(IGNORED);
    expect(say('resumed', { start: 'PT12.4S', discarded: 'PT3S' })).toBe(IGNORED);
    expect(say('discarded', { start: 'PT18S', discarded: 'PT2S' })).toBe(IGNORED);
    expect(replyOf(say('update', { language: 'es-US' }))).toMatchObject({ type: 'updated', parameters: {} });
    expect(say('error', { code: 429, message: 'too many requests', retryAfter: 'PT3S' })).toBe(IGNORED);
    expect(say('dtmf', { digit: '5' })).toEqual({ type: 'dtmf', digit: '5', durationMs: null });
    expect(say('playback_started')).toBe(IGNORED);
    expect(say('playback_completed')).toEqual({ type: 'played_out' });
    expect(say('newly_added')).toBe(IGNORED);
    const closed = say('close', { reason: 'end' });
    expect(closed).toMatchObject({ type: 'several', inputs: [{ type: 'reply' }, { type: 'hung_up' }] });
    expect(replyOf(closed)).toMatchObject({ type: 'closed', seq: 3, clientseq: 11, parameters: {} });
    expect(session.writeEnd('provider_stop')).toBeUndefined();
  });
});

describe('speaking to Genesys', () => {
  it('sends 200 ms a message, the last one filled up with silence', () => {
    const { session } = openOpened();
    const messages = Array.from({ length: 20 }, (_, index) => session.writeAudio(rampFrame(index)));
    const lengths = messages.map((message) => message?.length);
    expect(lengths.filter((length) => length !== undefined)).toEqual([1_600, 1_600]);
    session.writeAudio(rampFrame(0));
    const last = session.flushAudio!()!;
    expect(last.length).toBe(1_600);
    expect(last.subarray(160).every((byte) => byte === 0xff)).toBe(true);
    expect(session.flushAudio!()).toBeUndefined();
  });

  it('never sends audio to Monitor, which would answer with error 415', () => {
    for (const [open, options] of [
      [OPEN, {}],
      [CONNECTOR_OPEN, { product: 'monitor' }],
    ] as const) {
      const { started, session } = openOpened(open, options);
      expect(started).toMatchObject({ bidirectional: false });
      expect(() => session.writeAudio(rampFrame())).toThrow('never to Monitor');
      expect(session.writeClear()).toBeUndefined();
    }
    expect(openOpened(OPEN, { product: 'audio_connector' }).started).toMatchObject({ bidirectional: true });
  });

  it('clears by barge_in, and forgets what was collected', () => {
    const { session } = openOpened();
    session.writeAudio(rampFrame());
    expect(saidBy(session.writeClear())).toMatchObject({
      type: 'event',
      seq: 2,
      clientseq: 1,
      parameters: { entities: [{ type: 'barge_in', data: {} }] },
    });
    expect(session.flushAudio!()).toBeUndefined();
  });

  it('ends by disconnect, close, closed, and gives the client the time for it', () => {
    const { session, say } = openOpened();
    expect(saidBy(session.writeEnd('call_ended'))).toMatchObject({
      type: 'disconnect',
      parameters: { reason: 'completed', outputVariables: { action: 'finished', end_reason: 'call_ended' } },
    });
    expect(session.endGraceMs).toBeGreaterThan(1_000);
    expect(replyOf(say('close', { reason: 'disconnect' }))).toMatchObject({ type: 'closed' });
    expect(saidBy(openOpened().session.writeEnd('protocol_error'))).toMatchObject({
      parameters: { reason: 'error' },
    });
  });

  it('transfers by the variables of the flow, for there is no word for it', () => {
    expect(saidBy(openOpened().session.writeTransfer!('+15550123'))).toMatchObject({
      type: 'disconnect',
      parameters: {
        reason: 'completed',
        outputVariables: { action: 'transfer', transfer_target: '+15550123' },
      },
    });
  });

  it('asks it to come back by reconnect', () => {
    const goaway = { url: 'wss://b.example.com/media', token: '', reason: 'draining' };
    expect(saidBy(openOpened().session.writeGoaway(goaway))).toMatchObject({
      type: 'reconnect',
      parameters: { info: 'draining' },
    });
  });
});

describe('a caller like Genesys', () => {
  it('closes when it is disconnected, and is told that it is closed', () => {
    const line = openStartedLine(genesysDialect);
    const disconnect = line.session.writeEnd('call_ended')!;
    const close = line.caller.read(disconnect.bytes, false, line.inbound);
    expect(close.type).toBe('reply');
    const results = close.type === 'reply' ? exchange(line, close.message) : [];
    expect(results.map(({ type }) => type)).toEqual(['reply', 'hung_up']);
  });

  it('is as strict as its client', () => {
    const { caller, session, inbound } = openStartedLine(genesysDialect);
    const message = saidBy(session.writeClear()) as JsonObject;
    for (const wrong of [
      { ...message, seq: 3 },
      { ...message, seq: '2' },
      { ...message, clientseq: 9 },
      { ...message, id: NOBODY },
      { ...message, parameters: undefined },
      { ...message, type: 'clear' },
    ]) {
      const { caller, inbound } = openStartedLine(genesysDialect);
      expect(caller.read(textBytes(wrong), false, inbound).type).toBe('refusal');
    }
    expect(caller.read(textBytes(message), false, inbound)).toEqual({ type: 'clear' });
    expect(caller.read(new Uint8Array(64_001), true, inbound)).toMatchObject({ fault: 'frame_too_large' });
  });

  it('speaks one rate', () => {
    expect(() => openStartedLine(genesysDialect, { format: l16(16_000) })).toThrow('8000 Hz');
  });
});
