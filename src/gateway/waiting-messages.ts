/** A second of audio. */
const MESSAGES_MAX = 50;

/** What a client says before its leg can be made: heard once it is. The oldest is dropped. */
export class WaitingMessages {
  readonly #messages: { readonly message: Buffer; readonly isBinary: boolean }[] = [];
  readonly #stats: { waitingDropped: number };

  constructor(stats: { waitingDropped: number }) {
    this.#stats = stats;
  }

  keep(message: Buffer, isBinary: boolean): void {
    if (this.#messages.length === MESSAGES_MAX) {
      this.#messages.shift();
      this.#stats.waitingDropped++;
    }
    this.#messages.push({ message: Buffer.from(message), isBinary });
  }

  hearAll(hear: (message: Buffer, isBinary: boolean) => void): void {
    for (const { message, isBinary } of this.#messages.splice(0)) hear(message, isBinary);
  }
}
