import { describe, expect, it } from 'vitest';
import type { CallerRead } from '../../../src/dialect/caller.ts';
import { IGNORED } from '../../../src/dialect/dialect.ts';
import { nativeDialect } from '../../../src/dialect/native/dialect.ts';
import { CALLER_OPTIONS, openInbound, openLine, openStartedLine, saidBy, textBytes } from '../wire.ts';

function heard(said: unknown): CallerRead {
  return nativeDialect.openCaller(CALLER_OPTIONS).read(textBytes(said), false, openInbound());
}

describe('calling in our own words', () => {
  it('starts with the format, the numbers and the parameters', () => {
    expect(nativeDialect.openCaller(CALLER_OPTIONS).hello().map(saidBy)).toEqual([
      {
        type: 'start',
        version: 1,
        format: { in: { codec: 'pcmu', rate: 8000 }, out: { codec: 'pcmu', rate: 8000 } },
        rtp: false,
        events: true,
        from: '+15550100',
        to: '+15550199',
        parameters: { lead_id: '884' },
      },
    ]);
  });

  it('comes back by the token it was given', () => {
    const line = openLine(nativeDialect, { resumeToken: 't-1', rtpHeaders: true, wantsEvents: false });
    const [resume] = line.caller.hello();
    expect(line.say(resume!)).toMatchObject({
      type: 'resume',
      token: 't-1',
      started: { wantsEvents: false },
    });
  });

  it('hears that it is in the call, and how to come back', () => {
    const { caller, session, inbound } = openStartedLine(nativeDialect);
    for (const resumed of [false, true]) {
      const facts = { callId: 'call_1', legId: 'leg_1', resumed, resumeToken: 't', resumeUrls: ['wss://a'] };
      const message = session.writeStarted({ ...facts, resumeWindowMs: 30_000 })!;
      expect(caller.read(message.bytes, false, inbound)).toEqual({
        type: 'ready',
        callId: 'call_1',
        resume: { token: 't', urls: ['wss://a'], windowMs: 30_000 },
      });
    }
    expect(heard({ type: 'started', call_id: 'c', resume: null })).toEqual({ type: 'ready', callId: 'c' });
  });

  it.each([
    [
      { type: 'event', event: { id: 'e' } },
      { type: 'event', envelope: { id: 'e' } },
    ],
    [
      { type: 'ended', reason: 'api' },
      { type: 'ended', reason: 'api' },
    ],
    [
      { type: 'goaway', url: 'wss://b', token: 't', reason: 'draining' },
      { type: 'goaway', url: 'wss://b', token: 't', reason: 'draining' },
    ],
    [
      { type: 'error', fault: 'not_json', detail: 'why' },
      { type: 'refusal', fault: 'not_json', detail: 'why' },
    ],
    [
      { type: 'error', fault: 'of_a_later_version' },
      { type: 'refusal', fault: 'protocol_violation', detail: 'refused' },
    ],
  ])('understands %j', (said, expected) => expect(heard(said)).toEqual(expected));

  it.each(['pong', 'result', 'mark_played', 'dtmf', 'of_a_later_version'])('lets %s pass', (type) => {
    expect(heard({ type })).toBe(IGNORED);
  });

  it.each([{ type: 'mark' }, { type: 'event' }, { type: 'goaway', url: 'wss://b' }])('refuses %j', (said) => {
    expect(heard(said)).toMatchObject({ type: 'refusal', fault: 'protocol_violation' });
  });
});
