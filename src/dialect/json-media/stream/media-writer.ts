import { invariant } from '../../../base/errors.ts';
import { Base64Template } from '../../base64-template.ts';
import type { WireMessage } from '../../dialect.ts';
import { textMessage } from '../../text-message.ts';
import { MessageFiller } from './message-filler.ts';

/** What is said to one provider on one stream. What is absent it has no words for. */
export interface MediaPhrases {
  /** False where it takes it amiss, or in vain, when anything is said. */
  readonly bidirectional: boolean;
  /** What stands before the payload, and behind it. */
  readonly audio: readonly [head: string, tail: string];
  readonly mark?: (name: string) => object;
  readonly clear?: object;
  readonly dtmf?: (digit: string) => object;
  /** Said before the socket is closed. */
  readonly end?: object;
  /** Audio messages of several frames: their bytes, and the byte of silence they are filled up with. */
  readonly longer?: { readonly messageBytes: number; readonly silence: number };
}

/** Says it: audio in place, everything else as a message of its own. */
export class MediaWriter {
  readonly #phrases: MediaPhrases;
  readonly #audio: Base64Template;
  readonly #filler: MessageFiller | undefined;
  readonly #clear: WireMessage | undefined;

  constructor(phrases: MediaPhrases) {
    this.#phrases = phrases;
    this.#audio = new Base64Template(...phrases.audio);
    this.#filler =
      phrases.longer === undefined
        ? undefined
        : new MessageFiller(phrases.longer.messageBytes, phrases.longer.silence);
    this.#clear = phrases.clear === undefined ? undefined : textMessage(phrases.clear);
  }

  audio(frame: Uint8Array): Uint8Array | undefined {
    invariant(this.#phrases.bidirectional, 'nothing is sent on a stream that listens to nothing');
    if (this.#filler === undefined) return this.#audio.write(frame);
    const filled = this.#filler.add(frame);
    return filled === undefined ? undefined : this.#audio.write(filled);
  }

  flush(): Uint8Array | undefined {
    const filled = this.#filler?.fillUp();
    return filled === undefined ? undefined : this.#audio.write(filled);
  }

  mark(name: string): WireMessage | undefined {
    return this.#said(this.#phrases.mark?.(name));
  }

  /** What was collected and not sent is forgotten, too. */
  clear(): WireMessage | undefined {
    this.#filler?.empty();
    return this.#phrases.bidirectional ? this.#clear : undefined;
  }

  dtmf(digit: string): WireMessage | undefined {
    return this.#said(this.#phrases.dtmf?.(digit));
  }

  end(): WireMessage | undefined {
    return this.#said(this.#phrases.end);
  }

  #said(value: object | undefined): WireMessage | undefined {
    return value === undefined || !this.#phrases.bidirectional ? undefined : textMessage(value);
  }
}
