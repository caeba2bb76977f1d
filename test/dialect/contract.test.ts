import { describe, expect, it } from 'vitest';
import { frameBytes } from '../../src/media/format.ts';
import { AUDIO, type Dialect, type ReadResult, type WireMessage } from '../../src/dialect/dialect.ts';
import { nativeDialect } from '../../src/dialect/native/dialect.ts';
import { DIALECTS, dialectOf } from '../../src/dialect/registry.ts';
import { twilioDialect } from '../../src/dialect/twilio/dialect.ts';
import {
  exchange,
  formatOf,
  openInbound,
  openLine,
  openStartedLine,
  payloadOf,
  rampFrame,
  textBytes,
  type Line,
} from './wire.ts';

/** Where a message keeps what its user named; nothing unknown is put there. */
const FREE_FORM = /^(parameters|.*params|.*parameters|custom_?config|input_?variables|.*headers|metadata)$/i;
/** What protocols call the word of a message. */
const WORDS = ['event', 'type', 'command', 'kind', 'eventType'];
/** Longer than a message of any protocol. */
const FRAMES_MAX = 60;

function isText({ isBinary }: WireMessage): boolean {
  return !isBinary;
}

/** The JSON of a message; undefined where it is none. */
function jsonOf({ bytes, isBinary }: WireMessage): Record<string, unknown> | undefined {
  if (isBinary) return undefined;
  try {
    return JSON.parse(Buffer.from(bytes).toString()) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}

/** Puts fields nobody knows into a message and turns its numbers into texts, as providers do. */
function loosened(message: WireMessage): WireMessage {
  const loosen = (value: unknown, name: string): unknown => {
    if (typeof value === 'number') return String(value);
    if (Array.isArray(value)) return value.map((one) => loosen(one, name));
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value).map(([key, inner]) => [key, loosen(inner, key)] as const);
    const unknown = FREE_FORM.test(name) ? {} : { newly_added: 'x', added_and_empty: null };
    return { ...unknown, ...Object.fromEntries(entries) };
  };
  const json = jsonOf(message);
  return json === undefined ? message : { bytes: textBytes(loosen(json, '')), isBinary: false };
}

/** The same message with a word nobody knows. */
function renamed(message: WireMessage): WireMessage {
  const json = jsonOf(message);
  if (json === undefined) return { bytes: textBytes('NEWLY_ADDED with:some words'), isBinary: false };
  const known = WORDS.filter((name) => name in json).map((name) => [name, 'newly_added'] as const);
  return { bytes: textBytes({ ...json, ...Object.fromEntries(known) }), isBinary: false };
}

/** Frames that a reader can check by eye, in the size of the dialect's format. */
function frameOf(dialect: Dialect, first: number): Uint8Array {
  return rampFrame(first, frameBytes(formatOf(dialect)));
}

/** Sends frames as the provider does, and gives back what the house heard of them. */
function heardOf(dialect: Dialect, { caller, say, inbound }: Line, frames: number): Buffer {
  const heard: Buffer[] = [];
  for (let index = 0; index < frames; index++) {
    const message = caller.audio(frameOf(dialect, index), index);
    if (message === undefined) continue;
    expect(say(message), `message with frame ${index}`).toBe(AUDIO);
    heard.push(payloadOf(inbound));
  }
  return Buffer.concat(heard);
}

/** Speaks frames to the provider, and gives back what it heard of them. */
function spokenTo(dialect: Dialect, { caller, session }: Line, frames: number): Buffer {
  const heard: Buffer[] = [];
  const into = openInbound();
  const hear = (message: Uint8Array | undefined): void => {
    if (message === undefined) return;
    expect(caller.read(message, session.audioIsBinary, into)).toBe(AUDIO);
    heard.push(payloadOf(into));
  };
  for (let index = 0; index < frames; index++) hear(session.writeAudio(frameOf(dialect, index)));
  hear(session.flushAudio?.());
  return Buffer.concat(heard);
}

function framesOf(dialect: Dialect, frames: number): Buffer {
  return Buffer.concat(Array.from({ length: frames }, (_, index) => frameOf(dialect, index)));
}

/** As many frames as make one message. */
function audioMessage(dialect: Dialect, { caller }: Line): WireMessage {
  for (let index = 0; index < FRAMES_MAX; index++) {
    const message = caller.audio(frameOf(dialect, 0), index);
    if (message !== undefined) return message;
  }
  throw new Error('no message was made');
}

/** Every message of the provider's that makes no sense before its start. */
function earlyMessages(dialect: Dialect, line: Line): readonly WireMessage[] {
  const { caller } = line;
  const mark = dialect.capabilities.marks ? caller.markPlayed('m') : undefined;
  return [audioMessage(dialect, line), ...caller.dtmf('1'), ...(mark === undefined ? [] : [mark])];
}

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
    expect(capabilities.marksMax > 0).toBe(capabilities.marks);
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
    for (const [name, value] of Object.entries({ from: '+15550100', to: '+15550199', lead_id: '884' })) {
      expect([value, undefined], name).toContain(parameters[name]);
    }
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
    if (clocksMs[0] === -1) expect(new Set(clocksMs)).toEqual(new Set([-1]));
    else expect(clocksMs).toEqual(clocksMs.map((_, index) => clocksMs[0]! + index * stepMs));
  });

  it('takes marks there and back in their order, where it has them', () => {
    const line = openStartedLine(dialect);
    const { caller, session, inbound } = line;
    if (!capabilities.marks) return void expect(session.writeMark('utt-1')).toBeUndefined();
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

  it('tells the caller to clear, where it can', () => {
    const { caller, session, inbound } = openStartedLine(dialect);
    const clear = session.writeClear();
    if (!capabilities.clear) return void expect(clear).toBeUndefined();
    expect(caller.read(clear!.bytes, clear!.isBinary, inbound)).toEqual({ type: 'clear' });
  });

  it('hears every digit once, and none where there is none', () => {
    const line = openStartedLine(dialect);
    if (!capabilities.dtmfIn) return void expect(line.caller.dtmf('5')).toEqual([]);
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

  it('hears the hang-up once, and nothing after it', () => {
    const line = openStartedLine(dialect);
    const goodbye = line.caller.goodbye();
    if (goodbye.length === 0) return void expect(capabilities.closeEnds).toBe(true);
    const results = goodbye.flatMap((message) => exchange(line, message));
    expect(typesOf(results).filter((type) => type === 'hung_up')).toHaveLength(1);
    expect(line.say(audioMessage(dialect, line)).type).toBe('ignored');
    const again = goodbye.flatMap((message) => exchange(line, message));
    expect(typesOf(again)).not.toContain('hung_up');
  });

  it('makes nothing of audio, digits and marks before the start', () => {
    for (const message of earlyMessages(dialect, openLine(dialect))) {
      const result = openLine(dialect).say(message);
      expect(['refusal', 'ignored']).toContain(result.type);
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
