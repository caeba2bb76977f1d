import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FAULTS } from '../../../src/base/errors.ts';
import { CLIENT_DIALECTS } from '../../../src/dialect/client-registry.ts';
import type { ReadResult } from '../../../src/dialect/dialect.ts';
import { dialectOf } from '../../../src/dialect/registry.ts';
import { frameBytes } from '../../../src/media/format.ts';
import { formatOf, numRuns, openInbound, openLine, openStartedLine, rampFrame, seed } from '../wire.ts';
import { CLIENT_OPTIONS } from './client-wire.ts';

/** What backends say, one of each; the first start them. */
const WORDS: readonly object[] = [
  { type: 'session.updated', session: { audio: { output: { format: { type: 'audio/pcmu' } } } } },
  { type: 'SettingsApplied' },
  { type: 'started', version: 1, call_id: 'c', leg_id: 'l', resume: null },
  { type: 'response.created', response: { id: 'resp_1' } },
  { type: 'response.output_item.added', item: { id: 'item_1', type: 'message' } },
  { type: 'response.output_item.added', item: { type: 'function_call', call_id: 'c1', name: 'lookup' } },
  { type: 'response.output_audio.delta', response_id: 'resp_1', item_id: 'item_1', delta: 'f/9/f/9/' },
  { type: 'response.function_call_arguments.done', call_id: 'c1', arguments: '{"a":1}' },
  { type: 'response.output_audio_transcript.delta', item_id: 'item_1', delta: 'Hel' },
  {
    type: 'response.done',
    response: { id: 'resp_1', status: 'failed', status_details: { error: { code: 1 } } },
  },
  { type: 'input_audio_buffer.speech_started', audio_start_ms: 12, item_id: 'item_2' },
  { type: 'conversation.item.input_audio_transcription.completed', item_id: 'item_2', transcript: 'hi' },
  { type: 'error', error: { type: 'x', code: 'session_expired', message: 'y' } },
  { type: 'ConversationText', role: 'user', content: 'hi' },
  { type: 'FunctionCallRequest', functions: [{ id: 'f', name: 'n', arguments: '{}', client_side: true }] },
  { type: 'Error', description: 'd', code: 'c' },
  {
    type: 'Results',
    channel_index: [0],
    start: 1,
    duration: 1,
    channel: { alternatives: [{ transcript: 'a' }] },
  },
  { type: 'tool_call', id: 't', name: 'n', arguments: { a: 1 } },
  { type: 'transcript', speaker: 'agent', text: 'hi', final: true, confidence: 0.5 },
  { type: 'command', id: 'c', name: 'hang_up', args: {} },
];
const ANSWERS = [
  'audio',
  'ignored',
  'started',
  'hung_up',
  'command',
  'reply',
  'several',
  'dtmf',
  'mark_played',
  'caller_speaking',
  'agent_speaking',
  'agent_spoke',
  'transcript',
  'tool_call',
  'agent_error',
  'flow',
];
const TEXT_CHARACTERS_MAX = 70_000;

const hostile = fc.oneof(
  fc.constantFrom<unknown>(null, [], {}, -1, 1e308, '', '\0', '\ud800', true, 'x'.repeat(5_000), '__proto__'),
  fc.jsonValue({ maxDepth: 3 }),
);

interface Said {
  readonly bytes: Uint8Array;
  readonly isBinary: boolean;
}

/** What a bot of a provider says: our own server side of the protocol speaks for it. */
function botWords(name: string): readonly Said[] {
  if (name === 'asterisk-incoming') return asteriskWords();
  const dialect = dialectOf(name);
  if (dialect === undefined) return [];
  const { session } = openStartedLine(dialect, { format: formatOf(dialect) });
  const said: Said[] = [];
  for (let frame = 0; frame < dialect.capabilities.messageFrames; frame++) {
    const bytes = session.writeAudio(rampFrame(frame, frameBytes(formatOf(dialect))));
    if (bytes !== undefined) said.push({ bytes: Uint8Array.from(bytes), isBinary: session.audioIsBinary });
  }
  const words = [session.writeMark('m1'), session.writeClear(), session.writeEnd('done')];
  return [...said, ...words.filter((word) => word !== undefined)];
}

/** Asterisk says the same whoever dialled. */
function asteriskWords(): readonly Said[] {
  const { caller } = openLine(dialectOf('asterisk')!);
  const words = [...caller.hello(), caller.audio(rampFrame(), 0), ...caller.dtmf('5'), ...caller.goodbye()];
  return words.flatMap((word) =>
    word === undefined ? [] : [{ bytes: Uint8Array.from(word.bytes), isBinary: word.isBinary }],
  );
}

/** A word of a backend with some of its values replaced, wherever they are, or bytes that are no word. */
const message: fc.Arbitrary<Uint8Array> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .tuple(fc.constantFrom(...WORDS), fc.double({ min: 0, max: 1, noNaN: true }), hostile, fc.boolean())
      .map(([word, place, value, isSpoilt]) =>
        Buffer.from(isSpoilt ? spoil(word, place, value) : JSON.stringify(word)),
      ),
  },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 400 }) },
  { weight: 1, arbitrary: fc.json().map((text) => Buffer.from(text)) },
);

/** Puts a hostile value in the place of one of a word's own; kinds stay, so that it is read at all. */
function spoil(word: object, place: number, value: unknown): string {
  const paths: string[] = [];
  JSON.stringify(word, (key: string, own: unknown) => {
    if (key !== '' && key !== 'type') paths.push(key);
    return own;
  });
  const path = paths[Math.min(paths.length - 1, Math.floor(place * paths.length))];
  return JSON.stringify(word, (key: string, own: unknown) => (key === path ? value : own));
}

function flawOf(result: ReadResult): string | undefined {
  if (result.type === 'refusal') {
    return Object.hasOwn(FAULTS, result.fault) && result.detail.length < 300 ? undefined : 'an odd refusal';
  }
  if (result.type === 'several') return result.inputs.map(flawOf).find((flaw) => flaw !== undefined);
  if (!ANSWERS.includes(result.type)) return `no answer: ${result.type}`;
  if (result.type === 'transcript') {
    if (result.text.length > TEXT_CHARACTERS_MAX) return 'a text without end';
    const { startMs, confidence } = result;
    if (startMs !== null && !(startMs >= 0)) return `start ${startMs}`;
    return confidence === null || (confidence >= 0 && confidence <= 1) ? undefined : `sure to ${confidence}`;
  }
  if (result.type === 'tool_call' && result.argumentsText.length > TEXT_CHARACTERS_MAX)
    return 'endless arguments';
  return undefined;
}

describe.each(CLIENT_DIALECTS)('a backend of $name', (dialect) => {
  it(`may say what it likes: it is answered, never thrown at (seed ${seed})`, () => {
    const seen = new Set<string>();
    const into = openInbound();
    const bot = botWords(dialect.name);
    const talk = fc.array(fc.tuple(message, fc.integer({ min: 0, max: 9 })), { maxLength: 20 });
    fc.assert(
      fc.property(talk, fc.boolean(), (messages, isOpen) => {
        const session = dialect.openClient(CLIENT_OPTIONS);
        session.hello();
        if (isOpen)
          for (const word of WORDS.slice(0, 3)) session.read(Buffer.from(JSON.stringify(word)), false, into);
        for (const [bytes, dice] of messages) {
          const word = dice > 6 ? bot[bytes.length % (bot.length + 1)] : undefined;
          const result = session.read(word?.bytes ?? bytes, word?.isBinary ?? dice === 0, into);
          const flaw = flawOf(result);
          if (flaw !== undefined) throw new Error(flaw);
          seen.add(result.type);
          if (dice === 1) session.writeInterrupted?.(null, 100);
          if (dice === 2) session.writeToolResult?.({ id: 'c1', name: 'lookup', ok: true, value: {} });
        }
      }),
      { numRuns: Math.ceil(numRuns / 4), seed },
    );
    // A fuzz that only ever hears refusals tests nothing.
    expect(seen.size).toBeGreaterThan(1);
  });
});
