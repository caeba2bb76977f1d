import type { AtMs, Cancel, Clock } from '../../../base/clock.ts';

/** Whoever sets more marks than this has lost count of them. */
const MARKS_MAX = 1_000;

/** A message that is a little late is no end of what is played. */
const STARVED_MS = 40;

/** Told where the provider tells it: that something plays, and that all of it has. */
export interface PlaybackListener {
  readonly onStarted: () => void;
  readonly onPlayedOut: () => void;
}

/** The provider's loudspeaker: what is received plays at the speed of time; marks are told when reached. */
export class Playback {
  readonly stats = { droppedMarks: 0 };
  readonly #clock: Pick<Clock, 'after'>;
  readonly #onMark: (name: string) => void;
  readonly #marks = new Map<number, { readonly name: string; readonly cancel: Cancel }>();
  readonly #listener: PlaybackListener | undefined;
  /** Of what is told when all has played. */
  #cancelEnd: Cancel | undefined;
  #marksSet = 0;
  #untilMs: AtMs | undefined;

  constructor(clock: Pick<Clock, 'after'>, onMark: (name: string) => void, listener?: PlaybackListener) {
    this.#clock = clock;
    this.#onMark = onMark;
    this.#listener = listener;
  }

  /** Queues audio behind what still plays; answers how long nothing had been playing before it. */
  hear(durationMs: number, nowMs: AtMs): number {
    const fromMs = Math.max(nowMs, this.#untilMs ?? nowMs);
    const idleMs = fromMs - (this.#untilMs ?? fromMs);
    this.#untilMs = fromMs + durationMs;
    if (this.#listener !== undefined) this.#tell(this.#listener, this.#untilMs - nowMs);
    return idleMs;
  }

  /** Tells this name once all that was heard so far has played. */
  mark(name: string, nowMs: AtMs): void {
    if (this.#marks.size >= MARKS_MAX) {
      this.stats.droppedMarks++;
      return;
    }
    const id = this.#marksSet++;
    const cancel = this.#clock.after(Math.max(0, (this.#untilMs ?? nowMs) - nowMs), () => {
      this.#marks.delete(id);
      this.#onMark(name);
    });
    this.#marks.set(id, { name, cancel });
  }

  /** Drops what has not played, tells the marks in it, and answers how long it would have played. */
  clear(nowMs: AtMs): number {
    const unplayedMs = Math.max(0, (this.#untilMs ?? nowMs) - nowMs);
    if (unplayedMs > 0) this.#untilMs = nowMs;
    const marks = [...this.#marks.values()];
    this.close();
    for (const { name } of marks) this.#onMark(name);
    return unplayedMs;
  }

  #tell({ onStarted, onPlayedOut }: PlaybackListener, leftMs: number): void {
    if (this.#cancelEnd === undefined) onStarted();
    else this.#cancelEnd();
    this.#cancelEnd = this.#clock.after(leftMs + STARVED_MS, () => {
      this.#cancelEnd = undefined;
      onPlayedOut();
    });
  }

  close(): void {
    this.#cancelEnd?.();
    this.#cancelEnd = undefined;
    for (const { cancel } of this.#marks.values()) cancel();
    this.#marks.clear();
  }
}
