import { readFile, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Cancel, Clock } from '../../base/clock.ts';
import { hasCode, VoiceError } from '../../base/errors.ts';
import { sha256Hex } from '../../base/secret.ts';
import { SESSION_TOKEN_TTL_MS } from '../../base/session-token.ts';

const TICKETS_MAX = 100_000;

/**
 * Session tokens under the UUIDs that stand for them, for AudioSocket can carry no more: a file each, which
 * control writes and every node of the host reads. The token in it says itself how long it is good, and how
 * often.
 */
export class AudioSocketTickets {
  readonly #directory: string;
  readonly #clock: Pick<Clock, 'after'>;
  readonly #forget = new Map<string, Cancel>();

  constructor(directory: string, clock: Pick<Clock, 'after'>) {
    this.#directory = directory;
    this.#clock = clock;
  }

  /** Throws `conflict` where the UUID stands for a session already. */
  async put(uuid: string, token: string): Promise<void> {
    if (this.#forget.size >= TICKETS_MAX)
      throw new VoiceError('overloaded', 'too many UUIDs wait for a call');
    const path = this.#pathOf(uuid);
    try {
      await writeFile(path, token, { flag: 'wx', mode: 0o600 });
    } catch (error) {
      if (!hasCode(error, 'EEXIST')) throw error;
      const message = 'the UUID stands for a session already';
      throw new VoiceError('conflict', message, { field: 'audiosocket_uuid', cause: error });
    }
    this.#forget.set(
      path,
      this.#clock.after(SESSION_TOKEN_TTL_MS, () => void this.#remove(path)),
    );
  }

  /** Undefined where nobody made a session for this UUID. */
  async tokenOf(uuid: string): Promise<string | undefined> {
    try {
      return await readFile(this.#pathOf(uuid), 'utf8');
    } catch {
      // No such file: whatever else keeps it from being read, nobody is let in.
      return undefined;
    }
  }

  close(): void {
    for (const cancel of this.#forget.values()) cancel();
    this.#forget.clear();
  }

  async #remove(path: string): Promise<void> {
    this.#forget.delete(path);
    try {
      await unlink(path);
    } catch {
      // Cleared away with old tokens by a node that started meanwhile.
    }
  }

  // A name made of a hash: what a stranger sends is never part of a path.
  #pathOf(uuid: string): string {
    return join(this.#directory, `audiosocket-${sha256Hex(uuid.toLowerCase())}`);
  }
}
