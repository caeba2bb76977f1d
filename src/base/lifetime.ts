import { messageOf } from './errors.ts';

/** Something that was opened and must be closed. */
export interface Closeable {
  close(): void | Promise<void>;
}

/**
 * Owns what a composition opened, and closes it in reverse; one failing close does not keep the others open.
 */
export class Lifetime implements Closeable {
  readonly #owned: Closeable[] = [];

  own<T extends Closeable>(opened: T): T {
    this.#owned.push(opened);
    return opened;
  }

  /** Owns a bare closing action. */
  defer(close: () => void | Promise<void>): void {
    this.#owned.push({ close });
  }

  async close(): Promise<void> {
    const failures: string[] = [];
    for (let owned = this.#owned.pop(); owned !== undefined; owned = this.#owned.pop()) {
      try {
        await owned.close();
      } catch (error) {
        failures.push(messageOf(error));
      }
    }
    if (failures.length > 0) throw new Error(`closing failed: ${failures.join('; ')}`);
  }
}
