import { numberOf, type JsonObject } from '../../base/json.ts';
import type { WireMessage } from '../dialect.ts';
import { textMessage } from '../text-message.ts';

/** Every message names it. */
export const VERSION = '2';

/**
 * What all our messages have in common: the session's id, a number of their own, and the number of the
 * client's message they were written after.
 */
export class Envelope {
  #sessionId: string;
  #clientSeq = 0;
  #serverSeq = 0;

  /** The session as the upgrade named it; `open` says it again. */
  constructor(sessionId: string) {
    this.#sessionId = sessionId;
  }

  get sessionId(): string {
    return this.#sessionId;
  }

  /** The session has introduced itself. */
  open(sessionId: string): void {
    this.#sessionId = sessionId;
  }

  /**
   * Takes note of a message's numbers; what is wrong with them, or undefined. Texts are numbered one by one
   * from 1, and nobody can have heard what we have not said.
   */
  accept(message: JsonObject): string | undefined {
    const serverSeq = numberOf(message['serverseq']);
    if (numberOf(message['seq']) !== this.#clientSeq + 1) return 'seq is not the next number';
    if (serverSeq === undefined || serverSeq < 0 || serverSeq > this.#serverSeq) {
      return 'serverseq is a number that was not sent';
    }
    this.#clientSeq++;
    return undefined;
  }

  write(type: string, parameters: object = {}): WireMessage {
    return textMessage({
      version: VERSION,
      type,
      id: this.#sessionId,
      seq: ++this.#serverSeq,
      clientseq: this.#clientSeq,
      parameters,
    });
  }
}
