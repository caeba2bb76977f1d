import { expect } from 'vitest';
import { AUDIO, type Dialect, type WireMessage } from '../../src/dialect/dialect.ts';
import { frameBytes } from '../../src/media/format.ts';
import { formatOf, openInbound, payloadOf, rampFrame, textBytes, type Line } from './wire.ts';

/** Where a message keeps what its user named; nothing unknown is put there. */
const FREE_FORM = /^(parameters|.*params|.*parameters|custom_?config|input_?variables|.*headers|metadata)$/i;
/** What protocols call the word of a message. */
export const WORDS = ['event', 'type', 'command', 'kind', 'eventType'];
/** Longer than a message of any protocol. */
export const FRAMES_MAX = 60;

/** Text messages only. */
export function isText({ isBinary }: WireMessage): boolean {
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
export function loosened(message: WireMessage): WireMessage {
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
export function renamed(message: WireMessage): WireMessage {
  const json = jsonOf(message);
  if (json === undefined) return { bytes: textBytes('NEWLY_ADDED with:some words'), isBinary: false };
  const known = WORDS.filter((name) => name in json).map((name) => [name, 'newly_added'] as const);
  return { bytes: textBytes({ ...json, ...Object.fromEntries(known) }), isBinary: false };
}

/** Frames that a reader can check by eye, in the size of the dialect's format. */
export function frameOf(dialect: Dialect, first: number): Uint8Array {
  return rampFrame(first, frameBytes(formatOf(dialect)));
}

/** Sends frames as the provider does, and gives back what the house heard of them. */
export function heardOf(dialect: Dialect, { caller, say, inbound }: Line, frames: number): Buffer {
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
export function spokenTo(dialect: Dialect, { caller, session }: Line, frames: number): Buffer {
  const heard: Buffer[] = [];
  const into = openInbound();
  const hear = (message: Uint8Array | undefined): void => {
    if (message === undefined) return;
    expect(caller.read(message, session.audioIsBinary, into)).toBe(AUDIO);
    heard.push(payloadOf(into));
  };
  const head = session.writeHead?.();
  if (head !== undefined) caller.read(head.bytes, head.isBinary, into);
  for (let index = 0; index < frames; index++) hear(session.writeAudio(frameOf(dialect, index)));
  hear(session.flushAudio?.());
  return Buffer.concat(heard);
}

/** The same frames as one stretch. */
export function framesOf(dialect: Dialect, frames: number): Buffer {
  return Buffer.concat(Array.from({ length: frames }, (_, index) => frameOf(dialect, index)));
}

/** As many frames as make one message. */
export function audioMessage(dialect: Dialect, { caller }: Line): WireMessage {
  for (let index = 0; index < FRAMES_MAX; index++) {
    const message = caller.audio(frameOf(dialect, 0), index);
    if (message !== undefined) return message;
  }
  throw new Error('no message was made');
}

/** Every message of the provider's that makes no sense before its start. */
export function earlyMessages(dialect: Dialect, line: Line): readonly WireMessage[] {
  const { caller } = line;
  const mark = dialect.capabilities.marks ? caller.markPlayed('m') : undefined;
  return [audioMessage(dialect, line), ...caller.dtmf('1'), ...(mark === undefined ? [] : [mark])];
}
