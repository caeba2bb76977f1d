import { refuse, type Refusal } from '../../base/errors.ts';
import { isObject, numberOf, parseObject, type JsonObject } from '../../base/json.ts';
import { IGNORED, type Inbound, type ReadResult } from '../dialect.ts';
import { digitOf, isRefusal, nameOf } from '../fields.ts';
import { AudioReader } from './audio.ts';
import { readWishes, type Wishes } from './start.ts';

const HUNG_UP = { type: 'hung_up', reason: 'peer' } as const;
const CLEAR = { type: 'command', id: null, name: 'clear', args: {} } as const;

const TOKEN_CHARACTERS_MAX = 4_096;
const DTMF_MS_MAX = 60_000;

type ReaderState =
  | { readonly name: 'opening' }
  | { readonly name: 'started'; readonly wishes: Wishes; readonly audio: AudioReader }
  | { readonly name: 'ended'; readonly wishes: Wishes | undefined };

/** What a client of ours says (docs/protocol.md). */
export class NativeReader {
  #state: ReaderState = { name: 'opening' };

  /** What the client asked for, once it has; it holds to the last word we say. */
  get wishes(): Wishes | undefined {
    return this.#state.name === 'opening' ? undefined : this.#state.wishes;
  }

  read(message: Uint8Array, isBinary: boolean, into: Inbound): ReadResult {
    if (this.#state.name === 'ended') return IGNORED;
    if (isBinary) {
      return this.#state.name === 'started'
        ? this.#state.audio.read(message, into)
        : refuse('protocol_violation', 'audio before start');
    }
    const parsed = parseObject(message);
    if (parsed === undefined) return refuse('not_json', 'a text message that is no JSON object');
    return this.#state.name === 'opening' ? this.#readFirst(parsed) : this.#readWord(parsed);
  }

  #readFirst(message: JsonObject): ReadResult {
    const { type } = message;
    if (type === 'bye') return this.#end();
    if (type !== 'start' && type !== 'resume') {
      return isWord(type)
        ? refuse('protocol_violation', 'the first word is neither start nor resume')
        : IGNORED;
    }
    const wishes = readWishes(message);
    if (isRefusal(wishes)) return wishes;
    const token = type === 'resume' ? tokenOf(message['token']) : undefined;
    if (type === 'resume' && token === undefined) return refuse('invalid_argument', 'resume without a token');
    const audio = new AudioReader(wishes.formats.inbound, wishes.hasRtp);
    this.#state = { name: 'started', wishes, audio };
    return token === undefined ? wishes.started : { type: 'resume', token, started: wishes.started };
  }

  #readWord(message: JsonObject): ReadResult {
    switch (message['type']) {
      case 'start':
      case 'resume':
        return refuse('protocol_violation', 'a second start');
      case 'mark':
        return readMark(message, (name) => ({ type: 'command', id: null, name: 'mark', args: { name } }));
      case 'mark_played':
        return readMark(message, (name) => ({ type: 'mark_played', name }));
      case 'clear':
        return CLEAR;
      case 'dtmf':
        return readDtmf(message);
      case 'command':
        return readCommand(message);
      case 'ping':
        return readPing(message);
      case 'bye':
        return this.#end();
      default:
        return IGNORED;
    }
  }

  #end(): ReadResult {
    this.#state = { name: 'ended', wishes: this.wishes };
    return HUNG_UP;
  }
}

// Words of this version that may not come first; unknown ones are ignored there as everywhere.
function isWord(type: unknown): boolean {
  return ['mark', 'mark_played', 'clear', 'dtmf', 'command', 'ping'].some((word) => word === type);
}

function tokenOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' && value.length <= TOKEN_CHARACTERS_MAX
    ? value
    : undefined;
}

function readMark(message: JsonObject, make: (name: string) => ReadResult): ReadResult {
  const name = nameOf(message['name']);
  return name === undefined ? refuse('invalid_argument', 'a mark without a usable name') : make(name);
}

function readDtmf(message: JsonObject): ReadResult {
  const digit = digitOf(message['digit']);
  if (digit === undefined) return refuse('invalid_argument', 'digit is not one of 0-9, *, #, A-D');
  const durationMs = message['duration_ms'] ?? null;
  if (durationMs === null) return { type: 'dtmf', digit, durationMs };
  const givenMs = numberOf(durationMs);
  return givenMs === undefined || givenMs < 0 || givenMs > DTMF_MS_MAX
    ? refuse('invalid_argument', `duration_ms is not from 0 to ${DTMF_MS_MAX}`)
    : { type: 'dtmf', digit, durationMs: givenMs };
}

function readCommand(message: JsonObject): ReadResult {
  const id = idOf(message);
  if (isRefused(id)) return id;
  const { name } = message;
  if (typeof name !== 'string' || !/^[a-z][a-z0-9_]{0,63}$/.test(name)) {
    return refuse('invalid_argument', 'a command without a usable name');
  }
  const args = message['args'] ?? {};
  return isObject(args)
    ? { type: 'command', id, name, args }
    : refuse('invalid_argument', 'args are not an object');
}

function readPing(message: JsonObject): ReadResult {
  const id = idOf(message);
  return isRefused(id) ? id : { type: 'ping', id };
}

function idOf(message: JsonObject): string | null | Refusal {
  const given = message['id'] ?? null;
  return given === null
    ? null
    : (nameOf(given) ?? refuse('invalid_argument', 'id is empty, too long or no text'));
}

function isRefused(id: string | null | Refusal): id is Refusal {
  return id !== null && typeof id !== 'string';
}
