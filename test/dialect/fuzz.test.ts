import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Dialect, ReadResult, WireMessage } from '../../src/dialect/dialect.ts';
import { FAULTS } from '../../src/base/errors.ts';
import { DIALECTS } from '../../src/dialect/registry.ts';
import { numRuns, openLine, openStartedLine, rampFrame, seed, type Line } from './wire.ts';

const FRAME = rampFrame();
const MESSAGE_FRAMES_MAX = 50;
const ANSWERS = [
  'audio',
  'ignored',
  'started',
  'resume',
  'dtmf',
  'mark_played',
  'hung_up',
  'command',
  'ping',
  'reply',
  'flow',
  'several',
  'agent_error',
];
const HOSTILE = [
  'null',
  '[]',
  '{}',
  '-1',
  '1e999',
  '""',
  '"\\u0000"',
  '{"__proto__":{}}',
  '"\\ud800"',
  '9'.repeat(400),
  '['.repeat(3_000),
  `"${'A'.repeat(5_000)}"`,
  '"constructor"',
  'true',
  '0.1',
].map((text) => Buffer.from(text));

/** One way to spoil a message. Positions are ratios, so that shrinking keeps their meaning. */
type Mutation =
  | { readonly way: 'flip'; readonly at: number; readonly bit: number }
  | { readonly way: 'cut'; readonly at: number; readonly to: number }
  | { readonly way: 'repeat'; readonly at: number; readonly to: number }
  | { readonly way: 'insert'; readonly at: number; readonly bytes: Uint8Array }
  | { readonly way: 'value'; readonly at: number; readonly hostile: number }
  | { readonly way: 'kind' };

const ratio = fc.double({ min: 0, max: 1, noNaN: true });
const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.record({ way: fc.constant('flip' as const), at: ratio, bit: fc.nat(7) }),
  fc.record({ way: fc.constant('cut' as const), at: ratio, to: ratio }),
  fc.record({ way: fc.constant('repeat' as const), at: ratio, to: ratio }),
  fc.record({ way: fc.constant('insert' as const), at: ratio, bytes: fc.uint8Array({ maxLength: 40 }) }),
  fc.record({ way: fc.constant('value' as const), at: ratio, hostile: fc.nat(HOSTILE.length - 1) }),
  fc.record({ way: fc.constant('kind' as const) }),
);

interface Turn {
  readonly message: number;
  readonly mutations: readonly Mutation[];
}

const turn: fc.Arbitrary<Turn> = fc.record({
  message: fc.nat(7),
  mutations: fc.array(mutation, { maxLength: 3 }),
});

function mutate({ bytes, isBinary }: WireMessage, mutation: Mutation): WireMessage {
  const buffer = Buffer.from(bytes);
  if (mutation.way === 'kind') return { bytes: buffer, isBinary: !isBinary };
  const at = Math.floor(mutation.at * buffer.length);
  switch (mutation.way) {
    case 'flip':
      if (at < buffer.length) buffer[at] = buffer[at]! ^ (1 << mutation.bit);
      return { bytes: buffer, isBinary };
    case 'insert':
      return { bytes: splice(buffer, at, at, mutation.bytes), isBinary };
    case 'value':
      return { bytes: withValue(buffer, mutation.at, HOSTILE[mutation.hostile]!), isBinary };
    default: {
      const to = Math.floor(mutation.to * buffer.length);
      const [start, end] = [Math.min(at, to), Math.max(at, to)];
      const middle =
        mutation.way === 'cut'
          ? ''
          : Buffer.concat([buffer.subarray(start, end), buffer.subarray(start, end)]);
      return { bytes: splice(buffer, start, end, Buffer.from(middle)), isBinary };
    }
  }
}

function splice(buffer: Buffer, start: number, end: number, middle: Uint8Array): Buffer {
  return Buffer.concat([buffer.subarray(0, start), middle, buffer.subarray(end)]);
}

/** Puts a hostile value in the place of one of a message's own. */
function withValue(buffer: Buffer, atRatio: number, hostile: Buffer): Buffer {
  const places = [...buffer.toString('latin1').matchAll(/:("[^"]*"|[\d.]+|true|false|null)/g)];
  const place = places[Math.min(places.length - 1, Math.floor(atRatio * places.length))];
  if (place === undefined) return splice(buffer, 0, buffer.length, hostile);
  return splice(buffer, place.index + 1, place.index + place[0].length, hostile);
}

/** A message of a whole call, by number; 0 and 1 begin it. What a provider has no words for is audio. */
function messageOf(line: Line, number: number, hello: readonly WireMessage[]): WireMessage {
  const { caller } = line;
  switch (number) {
    case 0:
      return hello[0]!;
    case 1:
      return hello.at(-1)!;
    case 2:
      return caller.dtmf('5')[0] ?? audioOf(line, number);
    case 3:
      return caller.markPlayed('m') ?? audioOf(line, number);
    case 4:
      return caller.goodbye().at(-1) ?? audioOf(line, number);
    default:
      return audioOf(line, number);
  }
}

/** As many frames as make a message. */
function audioOf({ caller }: Line, number: number): WireMessage {
  for (let index = number; index < number + MESSAGE_FRAMES_MAX; index++) {
    const message = caller.audio(rampFrame(number), index);
    if (message !== undefined) return message;
  }
  throw new Error('no message was made');
}

/** What is wrong with an answer. `expect` itself is too slow for a hundred thousand calls. */
function flawOf(result: ReadResult, { inbound }: Line): string | undefined {
  if (result.type === 'refusal') {
    return Object.hasOwn(FAULTS, result.fault) && result.detail.length < 200 ? undefined : 'an odd refusal';
  }
  if (!ANSWERS.includes(result.type)) return `no answer: ${result.type}`;
  if (result.type !== 'audio') return undefined;
  const { payload, payloadBytes, sequence, timestampMs } = inbound;
  if (payloadBytes < 1 || payloadBytes > payload.length) return `a payload of ${payloadBytes} bytes`;
  if (!Number.isInteger(sequence) || sequence < -1 || sequence > 0xffff) return `sequence ${sequence}`;
  return timestampMs === -1 || timestampMs >= 0 ? undefined : `timestamp ${timestampMs}`;
}

describe.each(DIALECTS)('dialect $name', (dialect) => {
  it.each([false, true])(`answers whatever it is told (seed ${seed}, numbered audio: %s)`, (rtpHeaders) => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(fc.array(turn, { minLength: 1, maxLength: 10 }), fc.boolean(), (turns, isOpen) => {
        const line = openLine(dialect, { rtpHeaders });
        const hello = line.caller.hello();
        let started = false;
        if (isOpen) for (const message of hello) started = line.say(message).type === 'started' || started;
        for (const { message, mutations } of turns) {
          const spoiled = mutations.reduce(mutate, messageOf(line, message, hello));
          const result = line.say(spoiled);
          const flaw = flawOf(result, line);
          if (flaw !== undefined) throw new Error(flaw);
          for (const { type } of result.type === 'several' ? result.inputs : [result]) seen.add(type);
          if (result.type === 'started') started = result.bidirectional;
          if (started) line.session.writeAudio(FRAME);
        }
      }),
      { numRuns, seed },
    );
    // A fuzz that only ever hears refusals tests nothing.
    for (const answer of answersOf(dialect))
      expect(seen, `answers heard, of them ${answer}`).toContain(answer);
  });
});

/** What a call of this dialect is made of. */
function answersOf(dialect: Dialect): readonly string[] {
  const { capabilities } = dialect;
  const hangsUp = openStartedLine(dialect).caller.goodbye().length > 0;
  return [
    'audio',
    'ignored',
    'started',
    'refusal',
    ...(capabilities.dtmfIn ? ['dtmf'] : []),
    ...(capabilities.marks ? ['mark_played'] : []),
    ...(hangsUp ? ['hung_up'] : []),
  ];
}
