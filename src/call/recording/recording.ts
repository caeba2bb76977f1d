import type { AtMs } from '../../base/clock.ts';
import { FRAME_MS, frameSamples } from '../../base/units.ts';
import { ChannelLine, SETTLED_AFTER_TICKS } from './channel-line.ts';
import type { Tape } from './tape.ts';

/**
 * Two lines of sound on one clock: left the caller's, right what the caller was sent. Its length is that of
 * the clock, to the sample: a tick nobody filled is silence.
 */
export class Recording {
  readonly id: string;
  readonly tape: Tape;
  readonly #startedAtMs: AtMs;
  readonly #left: ChannelLine;
  readonly #right: ChannelLine;
  readonly #silence: Int16Array;
  #writtenTicks = 0;
  #isPaused = false;

  constructor(options: { id: string; tape: Tape; sampleRateHz: number; startedAtMs: AtMs }) {
    const { sampleRateHz } = options;
    this.id = options.id;
    this.tape = options.tape;
    this.#startedAtMs = options.startedAtMs;
    this.#left = new ChannelLine(sampleRateHz);
    this.#right = new ChannelLine(sampleRateHz);
    this.#silence = new Int16Array(frameSamples(sampleRateHz));
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** Written for good so far. */
  get writtenMs(): number {
    return this.#writtenTicks * FRAME_MS;
  }

  /** Frames that came too fast, or at another rate, to have a place. */
  get lostFrames(): number {
    const [left, right] = [this.#left.stats, this.#right.stats];
    return left.crowdedFrames + left.strangeFrames + right.crowdedFrames + right.strangeFrames;
  }

  /** How long it has been at `nowMs`, in whole frames. */
  lengthMs(nowMs: AtMs): number {
    return this.#tickAt(nowMs) * FRAME_MS;
  }

  /** What has just been said, over the tick before. */
  callerSaid(frame: Int16Array, nowMs: AtMs): void {
    this.#take(this.#left, frame, nowMs, -1);
  }

  /** What begins to sound now. */
  callerHeard(frame: Int16Array, nowMs: AtMs): void {
    this.#take(this.#right, frame, nowMs, 0);
  }

  /** Nothing that sounds from now on is kept, until `resume`; time goes on. */
  pause(nowMs: AtMs): void {
    this.settle(nowMs);
    // What was sent ahead of its time has not sounded yet, and is not to.
    this.#right.cutFrom(this.#tickAt(nowMs));
    this.#left.cutFrom(this.#tickAt(nowMs));
    this.#isPaused = true;
  }

  resume(nowMs: AtMs): void {
    this.settle(nowMs);
    this.#isPaused = false;
  }

  /** Writes what nothing can be added to any more. */
  settle(nowMs: AtMs): void {
    this.#writeUpTo(this.#tickAt(nowMs) - SETTLED_AFTER_TICKS);
  }

  /** Writes the rest, whole frames up to `nowMs`. */
  close(nowMs: AtMs): void {
    this.#writeUpTo(this.#tickAt(nowMs));
  }

  #take(line: ChannelLine, frame: Int16Array, nowMs: AtMs, offsetTicks: -1 | 0): void {
    this.settle(nowMs);
    if (!this.#isPaused) line.lay(frame, Math.max(0, this.#tickAt(nowMs) + offsetTicks));
  }

  #writeUpTo(tick: number): void {
    while (this.#writtenTicks < tick) {
      const left = this.#left.at(this.#writtenTicks) ?? this.#silence;
      const right = this.#right.at(this.#writtenTicks) ?? this.#silence;
      this.tape.write(left, right);
      this.#writtenTicks++;
    }
  }

  #tickAt(nowMs: AtMs): number {
    return Math.floor((nowMs - this.#startedAtMs) / FRAME_MS);
  }
}
