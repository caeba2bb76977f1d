import { describe, expect, it } from 'vitest';
import { AUDIO } from '../../src/dialect/dialect.ts';
import { nativeDialect } from '../../src/dialect/native/dialect.ts';
import { twilioDialect } from '../../src/dialect/twilio/dialect.ts';
import { earlyMessages } from './speech.ts';
import { openInbound, openLine, openStartedLine, payloadOf, rampFrame } from './wire.ts';

describe.each([nativeDialect, twilioDialect])('dialect $name, beyond what all must', (dialect) => {
  it('names marks as they were named, whatever their name is', () => {
    const { caller, session, say, inbound } = openStartedLine(dialect);
    const mark = session.writeMark('utt-"7" é')!;
    expect(caller.read(mark.bytes, mark.isBinary, inbound)).toEqual({ type: 'mark', name: 'utt-"7" é' });
    expect(say(caller.markPlayed('utt-"7" é')!)).toEqual({ type: 'mark_played', name: 'utt-"7" é' });
  });

  it('refuses what comes before the start, a second start, and what is no JSON', () => {
    const violation = { type: 'refusal', fault: 'protocol_violation' };
    for (const message of earlyMessages(dialect, openLine(dialect))) {
      expect(openLine(dialect).say(message)).toMatchObject(violation);
    }
    const line = openStartedLine(dialect);
    expect(line.say(line.caller.hello().at(-1)!)).toMatchObject(violation);
    for (const text of ['', 'hello', '[]', '\ufeff{}']) {
      expect(line.text(text)).toMatchObject({ type: 'refusal', fault: 'not_json' });
    }
  });

  it('may try again after a start that was refused', () => {
    const line = openLine(dialect, { parameters: { long: 'x'.repeat(10_000) } });
    for (const message of line.caller.hello()) line.say(message);
    const good = openLine(dialect).caller.hello().at(-1)!;
    expect(line.say(good).type).toBe('started');
  });

  it('does not write audio before the start: that would be our own mistake', () => {
    const { session } = openLine(dialect);
    expect(() => session.writeAudio(rampFrame())).toThrow('audio is written after start');
  });

  it('changes to frames of another length and back', () => {
    const { caller, session } = openStartedLine(dialect);
    const heard = openInbound();
    for (const bytes of [160, 80, 1, 161, 160]) {
      const message = session.writeAudio(rampFrame(7, bytes))!;
      expect(caller.read(message, session.audioIsBinary, heard)).toBe(AUDIO);
      expect(payloadOf(heard).equals(rampFrame(7, bytes)), `${bytes} bytes`).toBe(true);
    }
  });
});
