import type { AtMs } from '../../base/clock.ts';

/** How often the supervisor looks. */
export const WATCH_MS = 250;
/** A child that has not said anything yet is still starting, on a machine that may be busy. */
const FIRST_BEAT_MS = 15_000;
/** A child that has closed its channel is on its way out; a Node with a cold compile cache writes it then. */
const LAST_STEPS_MS = 10_000;
/** Our own timer this late: the machine stood still, and silence proves nothing. */
const STILLSTAND_MS = 1000;
/** How long nobody is judged after the machine stood still. */
const TRUCE_MS = 5000;

/** Who has fallen silent. Told every beat and every look; decides, and does nothing. */
export class Watchdog {
  readonly stats = { silences: 0, truces: 0 };
  readonly #watchdogMs: number;
  /** When each child is given up, unless it beats before. */
  readonly #deadlineAtMs = new Map<string, AtMs>();
  #lookAtMs: AtMs;
  #truceUntilMs: AtMs = Number.NEGATIVE_INFINITY;

  /** `watchdogMs` 0: nobody is ever judged. */
  constructor(watchdogMs: number, nowMs: AtMs) {
    this.#watchdogMs = watchdogMs;
    this.#lookAtMs = nowMs;
  }

  started(child: string, nowMs: AtMs): void {
    this.#deadlineAtMs.set(child, nowMs + Math.max(FIRST_BEAT_MS, this.#watchdogMs));
  }

  beat(child: string, nowMs: AtMs): void {
    if (this.#deadlineAtMs.has(child)) this.#deadlineAtMs.set(child, nowMs + this.#watchdogMs);
  }

  /** It says nothing more, and is to be gone soon. */
  leaving(child: string, nowMs: AtMs): void {
    if (this.#deadlineAtMs.has(child)) this.#deadlineAtMs.set(child, nowMs + LAST_STEPS_MS);
  }

  left(child: string): void {
    this.#deadlineAtMs.delete(child);
  }

  /** The children to kill now; each is named once. */
  look(nowMs: AtMs): readonly string[] {
    if (this.#watchdogMs === 0) return [];
    const lateMs = nowMs - this.#lookAtMs - WATCH_MS;
    this.#lookAtMs = nowMs;
    // A short patience must not outrun the proof that we were awake ourselves.
    if (lateMs > Math.min(STILLSTAND_MS, this.#watchdogMs / 2)) {
      this.stats.truces++;
      this.#truceUntilMs = nowMs + TRUCE_MS;
    }
    if (nowMs < this.#truceUntilMs) return [];
    const silent = [...this.#deadlineAtMs].filter(([, atMs]) => nowMs >= atMs).map(([child]) => child);
    for (const child of silent) this.left(child);
    this.stats.silences += silent.length;
    return silent;
  }
}
