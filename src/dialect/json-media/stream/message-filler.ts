/** Collects frames until they fill a message of the length that a provider wants. */
export class MessageFiller {
  readonly #messageBytes: number;
  readonly #silence: number;
  #bytes: Uint8Array;
  #filledBytes = 0;

  constructor(messageBytes: number, silence: number) {
    this.#messageBytes = messageBytes;
    this.#silence = silence;
    this.#bytes = new Uint8Array(messageBytes);
  }

  /** Undefined while there is room for more; what is given back is good until the next frame. */
  add(frame: Uint8Array): Uint8Array | undefined {
    const filledBytes = this.#filledBytes + frame.length;
    if (filledBytes > this.#bytes.length) this.#grow(filledBytes);
    this.#bytes.set(frame, this.#filledBytes);
    this.#filledBytes = filledBytes;
    return filledBytes < this.#messageBytes ? undefined : this.#take();
  }

  /** What was collected so far, with silence up to the length that is wanted. */
  fillUp(): Uint8Array | undefined {
    if (this.#filledBytes === 0) return undefined;
    this.#bytes.fill(this.#silence, this.#filledBytes, this.#messageBytes);
    this.#filledBytes = Math.max(this.#filledBytes, this.#messageBytes);
    return this.#take();
  }

  /** What was collected so far, however short. */
  takeRest(): Uint8Array | undefined {
    return this.#filledBytes === 0 ? undefined : this.#take();
  }

  empty(): void {
    this.#filledBytes = 0;
  }

  #take(): Uint8Array {
    const filledBytes = this.#filledBytes;
    this.#filledBytes = 0;
    // Whole frames fill a message exactly; only an odd length costs a view.
    return filledBytes === this.#bytes.length ? this.#bytes : this.#bytes.subarray(0, filledBytes);
  }

  // A frame longer than was thought of: a new leg's, or a packet codec's.
  #grow(bytes: number): void {
    const grown = new Uint8Array(bytes);
    grown.set(this.#bytes);
    this.#bytes = grown;
  }
}
