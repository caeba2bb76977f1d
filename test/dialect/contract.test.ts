import { describe, expect, it } from 'vitest';
import { AUDIO, IGNORED, type ReadResult, type WireMessage } from '../../src/dialect/dialect.ts';
import { DIALECTS, dialectOf } from '../../src/dialect/registry.ts';
import { PCMU_8K } from '../../src/media/format.ts';
import {
  given,
  openInbound,
  openLine,
  openStartedLine,
  payloadOf,
  rampFrame,
  saidBy,
  textBytes,
} from './wire.ts';

/** Puts fields nobody knows into a message and turns its numbers into texts, as providers do. */
function loosened(message: WireMessage): unknown {
  const loosen = (value: unknown): unknown => {
    if (typeof value === 'number') return String(value);
    if (Array.isArray(value)) return value.map(loosen);
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value).map(([name, inner]) => [name, loosen(inner)] as const);
    return { newly_added: { deep: [1, null] }, ...Object.fromEntries(entries) };
  };
  return loosen(saidBy(message));
}

function isRefused(result: ReadResult): boolean {
  return result.type === 'refusal';
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
  it('starts with the formats, the parameters and the numbers the caller names', () => {
    const { caller, say } = openLine(dialect);
    const results = caller.hello().map((message) => say(message));
    expect(results.slice(0, -1).every((result) => result === IGNORED)).toBe(true);
    expect(results.at(-1)).toMatchObject({
      type: 'started',
      inbound: PCMU_8K,
      outbound: PCMU_8K,
      bidirectional: true,
      speechOnly: false,
      parameters: { from: '+15550100', to: '+15550199', lead_id: '884' },
    });
  });

  it('starts alike when numbers are texts and fields are unknown', () => {
    // Parameters are texts anyway and nothing deeper, so the loosened ones stay out of it.
    const loose = openLine(dialect, { parameters: {}, from: null, to: null });
    const results = loose.caller.hello().map((message) => {
      const said = loosened(message) as { start?: { customParameters: object }; parameters?: object };
      if (said.start !== undefined) said.start.customParameters = {};
      if (said.parameters !== undefined) said.parameters = {};
      return loose.text(said);
    });
    expect(results.at(-1)).toMatchObject({ type: 'started', inbound: PCMU_8K, parameters: {} });
  });

  it('carries audio in, byte for byte and frame by frame', () => {
    const { caller, say, inbound } = openStartedLine(dialect);
    for (let index = 0; index < 1_200; index++) {
      expect(say(given(caller.audio(rampFrame(index), index)))).toBe(AUDIO);
      expect(payloadOf(inbound).equals(rampFrame(index)), `frame ${index}`).toBe(true);
    }
  });

  it('carries audio out, byte for byte and frame by frame', () => {
    const { caller, session } = openStartedLine(dialect);
    const heard = openInbound();
    for (let index = 0; index < 300; index++) {
      const message = given(session.writeAudio(rampFrame(index)));
      expect(caller.read(message, session.audioIsBinary, heard)).toBe(AUDIO);
      expect(payloadOf(heard).equals(rampFrame(index)), `frame ${index}`).toBe(true);
    }
  });

  it('writes each frame of audio over the one before', () => {
    const { caller, session } = openStartedLine(dialect);
    expect(session.writeAudio(rampFrame(1))).toBe(session.writeAudio(rampFrame(2)));
    expect(caller.audio(rampFrame(1), 20)).toBe(caller.audio(rampFrame(2), 21));
  });

  it('changes to frames of another length and back', () => {
    const { caller, session } = openStartedLine(dialect);
    const heard = openInbound();
    for (const bytes of [160, 80, 1, 161, 160]) {
      expect(caller.read(given(session.writeAudio(rampFrame(7, bytes))), session.audioIsBinary, heard)).toBe(
        AUDIO,
      );
      expect(payloadOf(heard).equals(rampFrame(7, bytes)), `${bytes} bytes`).toBe(true);
    }
  });

  it('shares no template between two sessions or two callers', () => {
    const [one, other] = [openStartedLine(dialect), openStartedLine(dialect)];
    expect(one.session.writeAudio(rampFrame())).not.toBe(other.session.writeAudio(rampFrame()));
    expect(one.caller.audio(rampFrame(), 0)).not.toBe(other.caller.audio(rampFrame(), 0));
  });

  it('sees a hole where its wire is numbered, and no hole where it is not', () => {
    const { caller, say, inbound } = openStartedLine(dialect, { rtpHeaders: true });
    const sequences = [0, 1, 3].map((index) => {
      say(given(caller.audio(rampFrame(), index)));
      return inbound.sequence;
    });
    const steps = [sequences[1]! - sequences[0]!, sequences[2]! - sequences[1]!];
    expect(steps).toEqual(dialect.capabilities.sequenced ? [1, 2] : [0, 0]);
  });

  it('keeps the sender’s media clock where it has one', () => {
    const { caller, say, inbound } = openStartedLine(dialect, { rtpHeaders: true });
    const clocks = [0, 1, 50].map((index) => {
      say(given(caller.audio(rampFrame(), index)));
      return inbound.timestampMs;
    });
    expect(clocks).toEqual([0, 20, 1_000]);
  });

  it('takes a mark there and back by name', () => {
    const { caller, session, say, inbound } = openStartedLine(dialect);
    const mark = session.writeMark('utt-"7" é')!;
    expect(caller.read(mark.bytes, mark.isBinary, inbound)).toEqual({ type: 'mark', name: 'utt-"7" é' });
    expect(say(caller.markPlayed('utt-"7" é')!)).toEqual({ type: 'mark_played', name: 'utt-"7" é' });
  });

  it('tells the caller to clear', () => {
    const { caller, session, inbound } = openStartedLine(dialect);
    const clear = session.writeClear()!;
    expect(caller.read(clear.bytes, clear.isBinary, inbound)).toEqual({ type: 'clear' });
  });

  it('hears every digit, and refuses what is none', () => {
    const { caller, say } = openStartedLine(dialect);
    for (const digit of '0123456789*#ABCD') {
      expect(say(caller.dtmf(digit)[0]!)).toEqual({ type: 'dtmf', digit, durationMs: null });
    }
    for (const digit of ['', '11', 'E', '５', '\0'])
      expect(isRefused(say(caller.dtmf(digit)[0]!))).toBe(true);
  });

  it('writes digits where it says that it can', () => {
    const { session } = openStartedLine(dialect);
    expect(session.writeDtmf('5') !== undefined).toBe(dialect.capabilities.dtmfOut);
  });

  it('hears the hang-up, and nothing after it', () => {
    const { caller, say } = openStartedLine(dialect);
    const last = caller.goodbye().map((message) => say(message));
    expect(last.at(-1)).toMatchObject({ type: 'hung_up' });
    expect(say(given(caller.audio(rampFrame(), 9)))).toBe(IGNORED);
    expect(say(caller.goodbye()[0]!)).toBe(IGNORED);
  });

  it('refuses audio, digits and marks before the start', () => {
    for (const early of ['audio', 'dtmf', 'mark'] as const) {
      const { caller, say } = openLine(dialect);
      const message = {
        audio: () => given(caller.audio(rampFrame(), 0)),
        dtmf: () => caller.dtmf('1')[0]!,
        mark: () => caller.markPlayed('m')!,
      }[early]();
      expect(say(message), `early ${early}`).toMatchObject({ type: 'refusal', fault: 'protocol_violation' });
    }
  });

  it('refuses a second start', () => {
    const { caller, say } = openStartedLine(dialect);
    expect(say(caller.hello().at(-1)!)).toMatchObject({ type: 'refusal', fault: 'protocol_violation' });
  });

  it('refuses what is no JSON object', () => {
    for (const text of ['', 'hello', '[]', '"start"', '7', 'null', '{"event":', '\ufeff{}', '\0']) {
      expect(openLine(dialect).text(text), `for ${text}`).toMatchObject({
        type: 'refusal',
        fault: 'not_json',
      });
      expect(openStartedLine(dialect).text(text), `for ${text}`).toMatchObject({
        type: 'refusal',
        fault: 'not_json',
      });
    }
  });

  it('ignores events and types it does not know, before the start and after it', () => {
    for (const word of ['newly_added', '', 'constructor', '__proto__', 5, null, { a: 1 }]) {
      const message = { event: word, type: word, payload: 1 };
      expect(openLine(dialect).text(message)).toBe(IGNORED);
      expect(openStartedLine(dialect).text(message)).toBe(IGNORED);
    }
    expect(openStartedLine(dialect).text({})).toBe(IGNORED);
  });

  it('refuses audio beyond the room there is, and writes nothing outside it', () => {
    const { caller, session } = openStartedLine(dialect);
    const { bytes, isBinary } = given(caller.audio(rampFrame(0, 8_000), 0));
    const room = new Uint8Array(4_096 + 16).fill(0x55);
    const into = { ...openInbound(), payload: room.subarray(0, 4_096) };
    expect(session.read(bytes, isBinary, into)).toMatchObject({ type: 'refusal', fault: 'frame_too_large' });
    expect(room.subarray(4_096).every((byte) => byte === 0x55)).toBe(true);
  });

  it('refuses parameters without bounds, and those that would bend a prototype', () => {
    const hostile: Record<string, string>[] = [
      Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`p${i}`, 'x'])),
      { long: 'x'.repeat(10_000) },
      { nul: 'a\0b' },
      { '': 'nameless' },
      JSON.parse('{"__proto__":"x"}') as Record<string, string>,
    ];
    for (const parameters of hostile) {
      const { caller, say } = openLine(dialect, { parameters });
      const last = caller.hello().map((message) => say(message));
      expect(isRefused(last.at(-1)!), `for ${Object.keys(parameters)[0]}`).toBe(true);
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

  it('never answers with the stranger’s own text in a refusal', () => {
    const secret = 'omf_live_secret';
    const line = openStartedLine(dialect);
    for (const text of [`{"event":"${secret}"`, secret, { event: 'mark', mark: secret, type: 'mark' }]) {
      const result = line.session.read(textBytes(text), false, line.inbound);
      expect(result.type === 'refusal' ? result.detail : '').not.toContain(secret);
    }
  });
});
