import { optionOf, type OptionValues } from '../capabilities.ts';
import { PARTICIPANT } from './options.ts';

/** The id stands in front of the payload; behind so many bytes nobody looks for it. */
const HEAD_BYTES = 256;
const ID_BYTES_MAX = 192;
const QUOTE = 0x22;
const COLON = 0x3a;
/** Of letters only: one bit makes each of them small. */
const KEY = Buffer.from('participantrawid');
const SMALL = 0x20;
/** What ids of telephones begin with. */
const PHONE = Buffer.from('4:');

/**
 * Whose audio it is. A mixed stream names nobody; of an unmixed one a single participant is listened to, for
 * each sends a stream of its own. Looks at bytes where they lie: it is asked for every frame.
 */
export class ParticipantChoice {
  readonly stats = { otherMessages: 0 };
  readonly #wantsPhone: boolean;
  #chosen: Uint8Array | undefined;

  constructor(options: OptionValues) {
    this.#wantsPhone = optionOf(PARTICIPANT, options) === 'phone';
  }

  /** False where somebody else is speaking. */
  isOurs(message: Uint8Array): boolean {
    const start = idStart(message);
    if (start < 0) return true;
    const end = idEnd(message, start);
    if (end === start) return true;
    if (this.#chosen === undefined) this.#choose(message, start, end);
    const isOurs = this.#chosen !== undefined && isSame(message, start, end, this.#chosen);
    if (!isOurs) this.stats.otherMessages++;
    return isOurs;
  }

  #choose(message: Uint8Array, start: number, end: number): void {
    if (this.#wantsPhone && !isSame(message, start, Math.min(end, start + PHONE.length), PHONE)) return;
    this.#chosen = message.slice(start, end);
  }
}

/** Behind the opening quote of the id, or -1. */
function idStart(message: Uint8Array): number {
  const last = Math.min(message.length, HEAD_BYTES) - KEY.length;
  for (let at = 0; at < last; at++) {
    if (message[at] !== QUOTE || !isKeyAt(message, at + 1)) continue;
    let value = at + KEY.length + 2;
    while (message[value] === COLON || message[value] === 0x20) value++;
    return message[value] === QUOTE ? value + 1 : -1;
  }
  return -1;
}

function isKeyAt(message: Uint8Array, start: number): boolean {
  for (let i = 0; i < KEY.length; i++) if ((message[start + i]! | SMALL) !== KEY[i]) return false;
  return message[start + KEY.length] === QUOTE;
}

function idEnd(message: Uint8Array, start: number): number {
  const last = Math.min(message.length, start + ID_BYTES_MAX);
  let at = start;
  while (at < last && message[at] !== QUOTE) at++;
  return at;
}

function isSame(message: Uint8Array, start: number, end: number, id: Uint8Array): boolean {
  if (end - start !== id.length) return false;
  for (let i = 0; i < id.length; i++) if (message[start + i] !== id[i]) return false;
  return true;
}
