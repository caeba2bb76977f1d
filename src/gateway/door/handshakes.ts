/** How many upgrades of each client address have not reached their protocol's start. */
export class Handshakes {
  readonly #pending = new Map<string, number>();

  of(clientAddress: string): number {
    return this.#pending.get(clientAddress) ?? 0;
  }

  /** Counts until what comes back is called, once or more often. */
  begin(clientAddress: string): () => void {
    this.#pending.set(clientAddress, this.of(clientAddress) + 1);
    let isSettled = false;
    return () => {
      if (isSettled) return;
      isSettled = true;
      this.#end(clientAddress);
    };
  }

  #end(clientAddress: string): void {
    const left = this.of(clientAddress) - 1;
    // An address nobody comes from any more is forgotten, or the map would keep every one ever seen.
    if (left === 0) this.#pending.delete(clientAddress);
    else this.#pending.set(clientAddress, left);
  }
}
