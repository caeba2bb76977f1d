import { messageOf, refuse, VoiceError } from '../base/errors.ts';
import type { CommandResult } from '../events/commands.ts';
import { MESSAGE_BYTES_MAX } from './framing.ts';
import { failedBy } from '../events/asking/questions.ts';

export interface AnsweringOptions {
  readonly runningMax: number;
  readonly encode: (id: number, result: CommandResult) => Buffer;
  /** Not called once the connection is gone. */
  readonly write: (encoded: Buffer) => void;
  readonly onRefused: () => void;
}

/** Answers what one connection is asked: each by itself, so that nothing else on it waits. */
export class Answering {
  readonly #options: AnsweringOptions;
  #running = 0;

  constructor(options: AnsweringOptions) {
    this.#options = options;
  }

  /** Never throws; what `work` throws is the answer. */
  async answer(id: number, work: () => Promise<CommandResult>): Promise<void> {
    if (this.#running >= this.#options.runningMax) {
      this.#options.onRefused();
      return this.#reply(id, failedBy(refuse('overloaded', 'too many questions at once')));
    }
    this.#running++;
    try {
      this.#reply(id, await work());
    } catch (error) {
      const fault = error instanceof VoiceError ? error.code : 'internal';
      this.#reply(id, failedBy(refuse(fault, messageOf(error))));
    } finally {
      this.#running--;
    }
  }

  #reply(id: number, result: CommandResult): void {
    const encoded = this.#options.encode(id, result);
    if (encoded.length <= MESSAGE_BYTES_MAX) this.#options.write(encoded);
    else this.#reply(id, failedBy(refuse('payload_too_large', `${encoded.length} bytes of answer`)));
  }
}
