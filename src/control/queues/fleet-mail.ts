import { BoundedQueue } from '../../base/bounded-queue.ts';
import type { AtMs, Clock } from '../../base/clock.ts';
import { messageOf } from '../../base/errors.ts';
import type { Closeable } from '../../base/lifetime.ts';
import { WokenRounds } from '../../base/woken-rounds.ts';
import type { FleetLetter, FleetLetters, TakenLetter } from '../../delivery/partitions/fleet-letters.ts';

/** Letters that wait to be sent while the database is slow or away. */
const UNSENT_MAX = 5_000;
const LETTERS_AT_A_TIME = 200;
/** A notice that was lost holds a letter up no longer. */
const LOOK_MS = 1_000;
const RETRY_MS = 500;
/** What is said here is said again every two seconds: an older letter has nothing to say any more. */
export const STALE_MS = 6_000;
const FORGET_MS = 60_000;

/** Said once: afterwards it is counted. */
const OTHER_KEYS =
  'letters of another control process do not open: OMNIVOICE_ENCRYPTION_KEYS must be the same at all hosts';

export interface FleetMailOptions {
  readonly letters: FleetLetters;
  /** Of this life of the process. */
  readonly name: string;
  /** By which names letters are ours now. */
  readonly names: () => readonly string[];
  readonly take: (letter: TakenLetter) => void;
  readonly clock: Clock;
  readonly log: { warn(fields: object, sentence: string): void };
}

/** What one process of a fleet says to the others, in order, and what it is told by them. */
export class FleetMail implements Closeable {
  readonly stats = { sent: 0, taken: 0, refused: 0, stale: 0, forgotten: 0, failures: 0 };
  readonly #options: FleetMailOptions;
  readonly #unsent = new BoundedQueue<FleetLetter>(UNSENT_MAX);
  readonly #sending: WokenRounds;
  readonly #taking: WokenRounds;
  /** Taken out of the queue, and not known to have been sent. */
  #batch: FleetLetter[] = [];
  #forgetAtMs: AtMs;

  constructor(options: FleetMailOptions) {
    this.#options = options;
    const { clock } = options;
    const failed = (error: unknown): void => this.#failed(error);
    this.#sending = new WokenRounds({ clock, round: () => this.#send(), failed, retryMs: RETRY_MS });
    this.#taking = new WokenRounds({ clock, round: () => this.#take(), failed, retryMs: LOOK_MS });
    this.#forgetAtMs = clock.nowMs() + FORGET_MS;
  }

  /** Letters that nobody here can open. */
  get unreadable(): number {
    return this.#options.letters.stats.unreadable;
  }

  /** From now on letters are read. */
  start(): void {
    this.#taking.wake();
  }

  send(to: string, letter: object): void {
    const { name: from } = this.#options;
    if (this.#unsent.push({ to, from, text: JSON.stringify(letter) })) this.#sending.wake();
    else this.stats.refused++;
  }

  /** Somebody sent a letter to that name. */
  heard(name: string): void {
    if (this.#options.names().includes(name)) this.#taking.wake();
  }

  /** What was to be said is said, if the database takes it now. */
  async close(): Promise<void> {
    await this.#taking.close();
    await this.#sending.idle();
    await this.#sending.close();
  }

  async #send(): Promise<number | undefined> {
    while (this.#batch.length < LETTERS_AT_A_TIME && this.#unsent.length > 0) {
      this.#batch.push(this.#unsent.shift()!);
    }
    if (this.#batch.length === 0) return undefined;
    await this.#options.letters.send(this.#batch);
    this.stats.sent += this.#batch.length;
    this.#batch = [];
    return this.#unsent.length > 0 ? 0 : undefined;
  }

  async #take(): Promise<number> {
    const { letters, names, log } = this.#options;
    const before = this.unreadable;
    const taken = await letters.take(names(), LETTERS_AT_A_TIME);
    if (before === 0 && this.unreadable > 0) log.warn({}, OTHER_KEYS);
    for (const letter of taken) this.#read(letter);
    await this.#forget();
    return taken.length === LETTERS_AT_A_TIME ? 0 : LOOK_MS;
  }

  #read(letter: TakenLetter): void {
    this.stats.taken++;
    if (letter.ageMs > STALE_MS) {
      this.stats.stale++;
      return;
    }
    try {
      this.#options.take(letter);
    } catch (error) {
      this.#failed(error);
    }
  }

  /** What nobody reads any more: whoever it was meant for is gone. */
  async #forget(): Promise<void> {
    const nowMs = this.#options.clock.nowMs();
    if (nowMs < this.#forgetAtMs) return;
    this.#forgetAtMs = nowMs + FORGET_MS;
    this.stats.forgotten += await this.#options.letters.forget(FORGET_MS);
  }

  #failed(error: unknown): void {
    this.stats.failures++;
    this.#options.log.warn({ error: messageOf(error) }, 'letters between control processes are held up');
  }
}
