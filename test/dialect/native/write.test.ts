import { describe, expect, it } from 'vitest';
import { nativeDialect } from '../../../src/dialect/native/dialect.ts';
import { given, openLine, openStartedLine, rampFrame, saidBy } from '../wire.ts';

const FACTS = {
  callId: 'call_1',
  legId: 'leg_1',
  resumed: false,
  resumeToken: 't-1',
  resumeUrls: ['wss://a/media/native'],
  resumeWindowMs: 30_000,
};

describe('writing to a client of ours', () => {
  it('says what was agreed and how to come back', () => {
    const line = openLine(nativeDialect);
    line.text({ type: 'start', format: { in: { codec: 'l16', rate: 16000, endian: 'big' } }, rtp: true });
    expect(saidBy(line.session.writeStarted(FACTS))).toEqual({
      type: 'started',
      version: 1,
      call_id: 'call_1',
      leg_id: 'leg_1',
      format: { in: { codec: 'l16', rate: 16000, endian: 'big' }, out: { codec: 'pcmu', rate: 8000 } },
      rtp: true,
      resume: { token: 't-1', urls: ['wss://a/media/native'], window_ms: 30_000 },
    });
    expect(saidBy(line.session.writeStarted({ ...FACTS, resumed: true }))).toMatchObject({ type: 'resumed' });
  });

  it('offers no way back where there is none', () => {
    const { session } = openStartedLine(nativeDialect);
    expect(saidBy(session.writeStarted({ ...FACTS, resumeToken: null }))).toMatchObject({ resume: null });
  });

  it('tells events only to who asked for them', () => {
    const asked = openStartedLine(nativeDialect, { wantsEvents: true });
    const unasked = openStartedLine(nativeDialect, { wantsEvents: false });
    expect(saidBy(asked.session.writeEvent({ id: 'evt_1' }))).toEqual({
      type: 'event',
      event: { id: 'evt_1' },
    });
    expect(unasked.session.writeEvent({ id: 'evt_1' })).toBeUndefined();
  });

  it('answers a ping with a pong, and only the ping that was just read', () => {
    const { session, text } = openStartedLine(nativeDialect);
    text({ type: 'ping', id: 'p' });
    expect(saidBy(session.writeAnswer({ id: 'p', ok: true }))).toEqual({ type: 'pong', id: 'p' });
    expect(saidBy(session.writeAnswer({ id: 'p', ok: true }))).toMatchObject({ type: 'result' });
    text({ type: 'ping' });
    expect(saidBy(session.writeAnswer({ id: null, ok: true }))).toEqual({ type: 'pong', id: null });
    text({ type: 'ping', id: 'q' });
    text({ type: 'clear' });
    expect(saidBy(session.writeAnswer({ id: 'q', ok: true }))).toMatchObject({ type: 'result' });
  });

  it('answers a command by its id, and says an error where there is no id', () => {
    const { session } = openStartedLine(nativeDialect);
    const failed = { ok: false, fault: 'not_found', detail: 'no such command' };
    expect(saidBy(session.writeAnswer({ id: 'c', ok: true, value: { a: 1 } }))).toEqual({
      type: 'result',
      id: 'c',
      ok: true,
      value: { a: 1 },
    });
    expect(saidBy(session.writeAnswer({ id: 'c', ...failed }))).toEqual({
      type: 'result',
      id: 'c',
      ...failed,
    });
    expect(saidBy(session.writeAnswer({ id: null, ...failed }))).toEqual({
      type: 'error',
      fault: 'not_found',
      detail: 'no such command',
    });
  });

  it('says why before the start, too', () => {
    const { session } = openLine(nativeDialect);
    const answer = session.writeAnswer({ id: null, ok: false, fault: 'not_json', detail: 'no' });
    expect(saidBy(answer)).toEqual({ type: 'error', fault: 'not_json', detail: 'no' });
    expect(session.writeStarted(FACTS)).toBeUndefined();
  });

  it('says the small words', () => {
    const { session } = openStartedLine(nativeDialect);
    expect(saidBy(session.writeMark('m'))).toEqual({ type: 'mark', name: 'm' });
    expect(saidBy(session.writeMarkPlayed?.('m', 340))).toEqual({
      type: 'mark_played',
      name: 'm',
      played_ms: 340,
    });
    expect(saidBy(session.writeClear())).toEqual({ type: 'clear' });
    expect(saidBy(session.writeDtmf('#'))).toEqual({ type: 'dtmf', digit: '#' });
    expect(saidBy(session.writeEnd('max_duration'))).toEqual({ type: 'ended', reason: 'max_duration' });
    const goaway = { url: 'wss://b/media/native', token: 't-2', reason: 'draining' };
    expect(saidBy(session.writeGoaway(goaway))).toEqual({ type: 'goaway', ...goaway });
  });

  it('writes audio as it is, without a header that was not asked for', () => {
    const { session } = openStartedLine(nativeDialect);
    expect(session.audioIsBinary).toBe(true);
    expect(Buffer.from(given(session.writeAudio(rampFrame(9)))).equals(rampFrame(9))).toBe(true);
  });
});
