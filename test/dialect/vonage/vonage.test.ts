import { describe, expect, it } from 'vitest';
import { AUDIO, IGNORED } from '../../../src/dialect/dialect.ts';
import { vonageDialect } from '../../../src/dialect/vonage/dialect.ts';
import { frameBytes, l16 } from '../../../src/media/format.ts';
import { NO_UPGRADE, openInbound, openLine, payloadOf, rampFrame, saidBy, textBytes } from '../wire.ts';

/** As the page has it: its own two words, and the headers of the NCCO beside them. */
const CONNECTED = {
  event: 'websocket:connected',
  'content-type': 'audio/l16;rate=16000',
  tenant: 'acme',
  'call-id': 'c-77',
};

function openSession() {
  const session = vonageDialect.openSession({ nowMs: 0, upgrade: NO_UPGRADE, options: {} });
  const inbound = openInbound();
  return { session, inbound, say: (value: unknown) => session.read(textBytes(value), false, inbound) };
}

describe('reading Vonage', () => {
  it('finds custom headers flattened at the top level, whatever they are called', () => {
    expect(openSession().say(CONNECTED)).toEqual({
      type: 'started',
      providerCallId: 'c-77',
      providerStreamId: null,
      inbound: l16(16_000),
      outbound: l16(16_000),
      bidirectional: true,
      parameters: { tenant: 'acme', 'call-id': 'c-77' },
      speechOnly: false,
      wantsEvents: false,
    });
  });

  it.each([8000, 16_000, 24_000])('takes exact frames of 20 ms at %i Hz, low byte first', (sampleRateHz) => {
    const { say, session, inbound } = openSession();
    const started = say({ ...CONNECTED, 'content-type': `audio/l16;rate=${sampleRateHz}` });
    expect(started).toMatchObject({ inbound: l16(sampleRateHz), outbound: l16(sampleRateHz) });
    const frame = rampFrame(3, frameBytes(l16(sampleRateHz)));
    expect([320, 640, 960]).toContain(frame.length);
    expect(session.read(frame, true, inbound)).toBe(AUDIO);
    expect(payloadOf(inbound).equals(frame)).toBe(true);
    expect([inbound.sequence, inbound.timestampMs]).toEqual([-1, -1]);
  });

  it('refuses what it cannot carry', () => {
    for (const type of ['audio/l16;rate=44100', 'audio/x-mulaw;rate=8000', 'text/plain', 7]) {
      expect(openSession().say({ ...CONNECTED, 'content-type': type })).toMatchObject({
        fault: 'unsupported_format',
      });
    }
    const { say, session, inbound } = openSession();
    say(CONNECTED);
    expect(session.read(rampFrame(0, 641), true, inbound)).toMatchObject({ fault: 'protocol_violation' });
    expect(session.read(new Uint8Array(0), true, inbound)).toBe(IGNORED);
  });

  it('hears digits, with a duration as a number or a text, or none', () => {
    const { say } = openSession();
    say(CONNECTED);
    expect(say({ event: 'websocket:dtmf', digit: '5', duration: 260 })).toEqual({
      type: 'dtmf',
      digit: '5',
      durationMs: 260,
    });
    expect(say({ event: 'websocket:dtmf', digit: 5, duration: '260' })).toMatchObject({ digit: '5' });
    expect(say({ event: 'websocket:dtmf', digit: '#' })).toMatchObject({ durationMs: null });
    expect(say({ event: 'websocket:dtmf', digit: '#', duration: -3 })).toMatchObject({ durationMs: null });
    expect(say({ event: 'websocket:dtmf', digit: '55' })).toMatchObject({ fault: 'protocol_violation' });
  });
});

describe('writing to Vonage', () => {
  it('sends exactly one frame of 20 ms a message, as binary', () => {
    const { session, say } = openSession();
    say(CONNECTED);
    expect(session.audioIsBinary).toBe(true);
    for (const first of [1, 9]) {
      expect(Buffer.from(session.writeAudio(rampFrame(first, 640))!).equals(rampFrame(first, 640))).toBe(
        true,
      );
    }
  });

  it('says what its page says to clear and to be notified', () => {
    const { session, say } = openSession();
    say(CONNECTED);
    expect(saidBy(session.writeClear())).toEqual({ action: 'clear' });
    expect(saidBy(session.writeMark('utt-7'))).toEqual({ action: 'notify', payload: { id: 'm0-1' } });
    expect(say({ event: 'websocket:notify', payload: { id: 'm0-1' } })).toEqual({
      type: 'mark_played',
      name: 'utt-7',
    });
    expect(say({ event: 'websocket:notify', payload: 'm1' })).toMatchObject({ fault: 'protocol_violation' });
  });

  it('takes pending notifies as cancelled by a clear, and ignores late ones', () => {
    const { session, say } = openSession();
    say(CONNECTED);
    session.writeMark('utt-7');
    session.writeClear();
    expect(say({ event: 'websocket:cleared' })).toBe(IGNORED);
    expect(say({ event: 'websocket:notify', payload: { id: 'm0-1' } })).toBe(IGNORED);
    session.writeMark('utt-7');
    expect(say({ event: 'websocket:notify', payload: { id: 'm0-1' } })).toBe(IGNORED);
    expect(say({ event: 'websocket:notify', payload: { id: 'm0-2' } })).toMatchObject({ name: 'utt-7' });
    expect(vonageDialect.capabilities.marksOnClear).toBe('dropped');
  });
});

describe('a caller like Vonage', () => {
  it('takes exact frames and no others', () => {
    const { caller } = openLine(vonageDialect, { format: l16(16_000) });
    expect(caller.read(rampFrame(0, 640), true, openInbound())).toBe(AUDIO);
    for (const bytes of [320, 639, 1280]) {
      expect(caller.read(rampFrame(0, bytes), true, openInbound())).toMatchObject({
        fault: 'protocol_violation',
      });
    }
  });

  it('knows two actions', () => {
    const { caller } = openLine(vonageDialect);
    for (const text of ['{"event":"clearAudio"}', '{"action":"notify"}', '{"action":"CLEAR"}', 'clear']) {
      expect(caller.read(textBytes(text), false, openInbound()).type).toBe('refusal');
    }
  });

  it('speaks no telephone codec', () => {
    expect(() => openLine(vonageDialect, { format: l16(48_000) })).toThrow('8000, 16000, 24000');
    expect(() => openLine(vonageDialect, { format: l16(8000, false) })).toThrow('Vonage');
  });
});
