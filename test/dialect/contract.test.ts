import { describe, expect, it } from 'vitest';
import { AUDIO, type ReadResult } from '../../src/dialect/dialect.ts';
import { DIALECTS, dialectOf } from '../../src/dialect/registry.ts';
import {
  audioMessage,
  earlyMessages,
  frameOf,
  FRAMES_MAX,
  framesOf,
  heardOf,
  isText,
  loosened,
  renamed,
  spokenTo,
  WORDS,
} from './speech.ts';
import { exchange, formatOf, openInbound, openLine, openStartedLine, textBytes } from './wire.ts';

/** Whose first word is optional: where it is not said, audio is the start. */
const STARTS_WITH_AUDIO: readonly string[] = ['mod_audio_stream'];

/**
 * Who says something but once, counts what it says, or cuts audio anywhere: no other session can go on in
 * the middle of it.
 */
const BOUND = ['asterisk', 'audiocodes', 'audiosocket', 'genesys', 'jambonz', 'sinch', 'voximplant'];

function typesOf(results: readonly ReadResult[]): readonly string[] {
  return results.map(({ type }) => type);
}

describe('the registry', () => {
  it('finds each dialect by its name and no other', () => {
    for (const dialect of DIALECTS) expect(dialectOf(dialect.name)).toBe(dialect);
    expect(dialectOf('semaphore')).toBeUndefined();
    expect(dialectOf('constructor')).toBeUndefined();
  });

  it('knows no name twice', () => {
    expect(new Set(DIALECTS.map(({ name }) => name)).size).toBe(DIALECTS.length);
  });
});

describe.each(DIALECTS)('dialect $name', (dialect) => {
  const { capabilities } = dialect;

  it('declares what fits together', () => {
    expect(dialect.formats.length).toBeGreaterThan(0);
    expect(capabilities.messageFrames * 20).toBeLessThanOrEqual(capabilities.inFlightMsMax);
    expect(capabilities.marksMax > 0).toBe(capabilities.marks || capabilities.playedOut === true);
    expect(dialect.proofs.length > 0).toBe(dialect.verify !== undefined);
    for (const { name, values, fallback, meaning } of dialect.options) {
      expect(values, `option ${name}`).toContain(fallback);
      expect(meaning.length, `option ${name}`).toBeGreaterThan(10);
    }
  });

  it('starts with the format the caller names, and the numbers where it carries them', () => {
    const line = openLine(dialect);
    const results = line.caller.hello().flatMap((message) => exchange(line, message));
    const format = formatOf(dialect);
    const started = results.filter((result) => result.type === 'started');
    expect(started).toMatchObject([{ inbound: format, bidirectional: true, speechOnly: false }]);
    const parameters = started[0]?.parameters ?? {};
    const sent: Record<string, string> = { from: '+15550100', to: '+15550199', lead_id: '884' };
    expect(sent).toMatchObject(
      Object.fromEntries(Object.entries(parameters).filter(([name]) => name in sent)),
    );
    expect(
      typesOf(results).filter((type) => !['started', 'ignored', 'reply', 'flow'].includes(type)),
    ).toEqual([]);
  });

  it('starts alike when numbers are texts and fields are unknown', () => {
    const line = openLine(dialect);
    const results = line.caller.hello().flatMap((message) => exchange(line, loosened(message)));
    const started = results.filter(({ type }) => type === 'started');
    expect(started).toMatchObject([{ inbound: formatOf(dialect), bidirectional: true }]);
  });

  it('carries audio in, byte for byte and frame by frame', () => {
    const heard = heardOf(dialect, openStartedLine(dialect), 1_200);
    expect(heard.equals(framesOf(dialect, 1_200))).toBe(true);
  });

  it('carries audio out, byte for byte and frame by frame', () => {
    const frames = 30 * capabilities.messageFrames;
    const heard = spokenTo(dialect, openStartedLine(dialect), frames);
    expect(heard.equals(framesOf(dialect, frames))).toBe(true);
  });

  it('holds no frame back when speech ends in the middle of a message', () => {
    const frames = capabilities.messageFrames + 1;
    const heard = spokenTo(dialect, openStartedLine(dialect), frames);
    const spoken = framesOf(dialect, frames);
    expect(heard.subarray(0, spoken.length).equals(spoken)).toBe(true);
    expect(heard.length - spoken.length).toBeLessThan(
      capabilities.messageFrames * frameOf(dialect, 0).length,
    );
  });

  it('writes each message of audio over the one before', () => {
    const { session } = openStartedLine(dialect);
    const messages: Uint8Array[] = [];
    for (let index = 0; index < 3 * capabilities.messageFrames; index++) {
      const message = session.writeAudio(frameOf(dialect, index));
      if (message !== undefined) messages.push(message);
    }
    expect(messages).toHaveLength(3);
    expect(new Set(messages.map(({ buffer }) => buffer)).size).toBe(1);
    expect(new Set(messages.map(({ byteOffset }) => byteOffset)).size).toBe(1);
  });

  it('is gone on with by another session in the middle, where it says that it can be', () => {
    const line = openStartedLine(dialect);
    const frames = 4 * capabilities.messageFrames;
    const [again, spoken] = [framesOf(dialect, 1_200), framesOf(dialect, frames)];
    expect(line.session.isReplaceable === true).toBe(!BOUND.includes(dialect.name));
    if (line.session.isReplaceable !== true) return;
    heardOf(dialect, line, 1_200);
    spokenTo(dialect, line, frames);
    const { session, inbound, say } = openStartedLine(dialect);
    const next = { ...line, session, inbound, say };
    expect(heardOf(dialect, next, 1_200).equals(again)).toBe(true);
    expect(spokenTo(dialect, next, frames).equals(spoken)).toBe(true);
    for (const message of line.caller.dtmf('5')) exchange(next, message);
  });

  it('shares no template between two sessions', () => {
    const [one, other] = [openStartedLine(dialect), openStartedLine(dialect)];
    const written: Uint8Array[] = [];
    for (const [first, { session }] of [one, other].entries()) {
      for (let index = 0; index < capabilities.messageFrames; index++) {
        const message = session.writeAudio(frameOf(dialect, 50 * first));
        if (message !== undefined) written.push(message);
      }
    }
    expect(written).toHaveLength(2);
    expect(Buffer.from(written[0]!).equals(Buffer.from(written[1]!))).toBe(false);
  });

  it('sees a hole where its wire is numbered, and no hole where it is not', () => {
    const { caller, say, inbound } = openStartedLine(dialect, { rtpHeaders: true });
    const sequences: number[] = [];
    for (let index = 0; index < FRAMES_MAX; index++) {
      const message = index === 20 ? undefined : caller.audio(frameOf(dialect, 0), index);
      if (message !== undefined && say(message) === AUDIO) sequences.push(inbound.sequence);
    }
    const steps = sequences.slice(1).map((sequence, i) => (sequence - sequences[i]!) & 0xffff);
    expect(new Set(steps)).toEqual(new Set(capabilities.sequenced ? [1, 2] : [0]));
  });

  it('keeps the sender’s media clock where it has one', () => {
    const { caller, say, inbound } = openStartedLine(dialect, { rtpHeaders: true });
    const clocksMs: number[] = [];
    for (let index = 0; index < FRAMES_MAX; index++) {
      const message = caller.audio(frameOf(dialect, 0), index);
      if (message !== undefined && say(message) === AUDIO) clocksMs.push(inbound.timestampMs);
    }
    const stepMs = (FRAMES_MAX / clocksMs.length) * 20;
    const firstMs = clocksMs[0]!;
    expect(clocksMs).toEqual(clocksMs.map((_, index) => (firstMs < 0 ? -1 : firstMs + index * stepMs)));
  });

  it.skipIf(capabilities.marks)('has no words for a mark', () => {
    expect(openStartedLine(dialect).session.writeMark('utt-1')).toBeUndefined();
  });

  it.runIf(capabilities.marks)('takes marks there and back in their order', () => {
    const line = openStartedLine(dialect);
    const { caller, session, inbound } = line;
    const names = ['utt-1', 'utt-2', 'utt-3'];
    const marks = names.map((name) => {
      const mark = session.writeMark(name)!;
      return caller.read(mark.bytes, mark.isBinary, inbound);
    });
    expect(marks.map(({ type }) => type)).toEqual(['mark', 'mark', 'mark']);
    const played = marks.flatMap((mark) => {
      const returned = mark.type === 'mark' ? caller.markPlayed(mark.name) : undefined;
      return returned === undefined ? [] : exchange(line, returned);
    });
    expect(played).toEqual(names.map((name) => ({ type: 'mark_played', name })));
  });

  it.skipIf(capabilities.clear)('has no words to clear', () => {
    expect(openStartedLine(dialect).session.writeClear()).toBeUndefined();
  });

  it.runIf(capabilities.clear)('tells the caller to clear', () => {
    const { caller, session, inbound } = openStartedLine(dialect);
    const clear = session.writeClear()!;
    expect(caller.read(clear.bytes, clear.isBinary, inbound)).toEqual({ type: 'clear' });
  });

  it.skipIf(capabilities.dtmfIn)('is told of no digits', () => {
    expect(openStartedLine(dialect).caller.dtmf('5')).toEqual([]);
  });

  it.runIf(capabilities.dtmfIn)('hears every digit once, and none where there is none', () => {
    const line = openStartedLine(dialect);
    const digits = (digit: string): readonly unknown[] =>
      line.caller
        .dtmf(digit)
        .flatMap((message) => exchange(line, message))
        .flatMap((result) => (result.type === 'dtmf' ? [result.digit] : []));
    for (const digit of '0123456789*#') expect(digits(digit)).toEqual([digit]);
    for (const digit of ['', 'E', '５', '\0']) expect(digits(digit)).toEqual([]);
  });

  it('writes digits, and what else it declares, where it says that it can', () => {
    const { session } = openStartedLine(dialect);
    expect(session.writeDtmf('5') !== undefined).toBe(capabilities.dtmfOut);
    expect(session.writeTransfer?.('+15550123') !== undefined).toBe(capabilities.transfer);
    expect(session.writeKeepAlive?.() !== undefined).toBe(capabilities.keepAliveMs > 0);
    const goaway = { url: 'wss://b.example.com/media', token: 't', reason: 'draining' };
    expect(session.writeGoaway(goaway) !== undefined).toBe(capabilities.goaway);
  });

  const saysGoodbye = openStartedLine(dialect).caller.goodbye().length > 0;
  it.skipIf(saysGoodbye)('hangs up by a clean close, as it declares', () => {
    expect(capabilities.closeEnds).toBe(true);
  });

  it.runIf(saysGoodbye)('hears the hang-up once, and nothing after it', () => {
    const line = openStartedLine(dialect);
    const goodbye = line.caller.goodbye();
    const results = goodbye.flatMap((message) => exchange(line, message));
    expect(typesOf(results).filter((type) => type === 'hung_up')).toHaveLength(1);
    expect(line.say(audioMessage(dialect, line)).type).toBe('ignored');
    const again = goodbye.flatMap((message) => exchange(line, message));
    expect(typesOf(again)).not.toContain('hung_up');
  });

  it('makes nothing of audio, digits and marks before the start', () => {
    for (const message of earlyMessages(dialect, openLine(dialect))) {
      const result = openLine(dialect).say(message);
      expect([
        'refusal',
        'ignored',
        ...(STARTS_WITH_AUDIO.includes(dialect.name) ? ['started'] : []),
      ]).toContain(result.type);
    }
  });

  it('starts once', () => {
    const line = openStartedLine(dialect);
    for (const message of line.caller.hello()) {
      expect(['refusal', 'ignored', 'reply']).toContain(line.say(message).type);
    }
  });

  it('makes nothing of a text that is no message of its own', () => {
    for (const text of ['', 'hello', '[]', '"start"', '7', 'null', '{"event":', '\ufeff{}', '\0', '{}']) {
      for (const line of [openLine(dialect), openStartedLine(dialect)]) {
        expect(['refusal', 'ignored'], `for ${text}`).toContain(line.text(text).type);
      }
    }
  });

  it('ignores words it does not know, in the form of those it knows', () => {
    const line = openStartedLine(dialect);
    const known = [...line.caller.dtmf('1'), ...line.caller.goodbye()].filter(isText);
    for (const message of known) expect(line.say(renamed(message)).type).toBe('ignored');
    expect(heardOf(dialect, line, FRAMES_MAX).length).toBeGreaterThan(0);
  });

  it('refuses audio beyond the room there is, and writes nothing outside it', () => {
    const line = openStartedLine(dialect);
    const { bytes, isBinary } = audioMessage(dialect, line);
    const room = new Uint8Array(64 + 16).fill(0x55);
    const into = { ...openInbound(), payload: room.subarray(0, 64) };
    const result = line.session.read(bytes, isBinary, into);
    expect(result).toMatchObject({ type: 'refusal', fault: 'frame_too_large' });
    expect(room.subarray(64).every((byte) => byte === 0x55)).toBe(true);
  });

  it('takes no parameters without bounds, nor those that would bend a prototype', () => {
    const hostile: Record<string, string>[] = [
      Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`p${i}`, 'x'])),
      { long: 'x'.repeat(10_000) },
      { nul: 'a\0b' },
      JSON.parse('{"__proto__":"x"}') as Record<string, string>,
    ];
    for (const parameters of hostile) {
      const line = openLine(dialect, { parameters });
      const results = line.caller.hello().map((message) => line.say(message));
      const started = results.find((result) => result.type === 'started');
      const taken = Object.keys(started?.parameters ?? {});
      expect(taken.filter((name) => Object.hasOwn(parameters, name))).toEqual([]);
    }
  });

  it('never answers with the stranger’s own text in a refusal', () => {
    const secret = 'omf_live_secret';
    const line = openStartedLine(dialect);
    const words = Object.fromEntries(WORDS.map((name) => [name, 'mark']));
    for (const text of [`{"event":"${secret}"`, secret, { ...words, mark: secret, digit: secret }]) {
      const result = line.session.read(textBytes(text), false, line.inbound);
      expect(result.type === 'refusal' ? result.detail : '').not.toContain(secret);
    }
  });
});
