import { describe, expect, it } from 'vitest';
import { twilioDialect } from '../../../src/dialect/twilio/dialect.ts';
import { CALLER_OPTIONS, given, openStartedLine, rampFrame, saidBy } from '../wire.ts';

const { streamId } = CALLER_OPTIONS;

describe('writing to Twilio', () => {
  it('says media, mark and clear exactly as its pages do', () => {
    const { session } = openStartedLine(twilioDialect);
    const payload = Buffer.from(rampFrame()).toString('base64');
    expect(Buffer.from(given(session.writeAudio(rampFrame()))).toString()).toBe(
      `{"event":"media","streamSid":"${streamId}","media":{"payload":"${payload}"}}`,
    );
    expect(saidBy(session.writeMark('utt-7'))).toEqual({
      event: 'mark',
      streamSid: streamId,
      mark: { name: 'utt-7' },
    });
    expect(saidBy(session.writeClear())).toEqual({ event: 'clear', streamSid: streamId });
  });

  it('escapes a stream’s name, whatever it is', () => {
    const strange = 'MZ"\\ é\n';
    const { session } = openStartedLine(twilioDialect, { streamId: strange });
    expect(saidBy({ bytes: given(session.writeAudio(rampFrame())), isBinary: false })).toMatchObject({
      streamSid: strange,
    });
  });

  it('has no words for anything else', () => {
    const { session } = openStartedLine(twilioDialect);
    const started = {
      callId: 'c',
      legId: 'l',
      resumed: false,
      resumeToken: 't',
      resumeUrls: [],
      resumeWindowMs: 0,
    };
    const unsaid = [
      session.writeDtmf('5'),
      session.writeStarted(started),
      session.writeEvent({}),
      session.writeAnswer({ id: null, ok: false, fault: 'not_json' }),
      session.writeGoaway({ url: 'wss://x', token: 't', reason: 'draining' }),
      session.writeEnd('max_duration'),
    ];
    expect(unsaid.every((message) => message === undefined)).toBe(true);
  });
});
