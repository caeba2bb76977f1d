import type { AtMs, Clock } from '../../../base/clock.ts';
import { FRAME_MS } from '../../../base/units.ts';
import { frameBytes, type AudioFormat } from '../../../media/format.ts';
import type { EchoCheck } from './echo-check.ts';
import { Playback } from './playback.ts';
import type { Recorder } from './recorder.ts';

/** One frame late, and a listener with a frame in hand has a hole. */
const LATE_MS = 2 * FRAME_MS;
/** Shorter pauses are the network's: a recording shows those that the other side made. */
const PAUSE_MS_MIN = 200;

export interface HearingOptions {
  readonly clock: Pick<Clock, 'after'>;
  readonly format: AudioFormat;
  /** The provider says that a mark was reached. */
  readonly onMark: (name: string) => void;
  readonly echo?: EchoCheck;
  readonly recorder?: Recorder;
  /** Told how long each frame was away, where there is an echo. */
  readonly onRoundTrip?: (durationMs: number, nowMs: AtMs) => void;
}

/** What a caller hears: how steadily it comes, whether it is what was said, and on record if asked for. */
export class Hearing {
  /** A late frame came more than 40 ms after the one before it. */
  readonly stats = { receivedFrames: 0, receivedBytes: 0, lateFrames: 0, gapMsMax: 0, clears: 0 };
  readonly #options: HearingOptions;
  readonly #playback: Playback;
  readonly #frameBytes: number;
  #lastAtMs: AtMs | undefined;

  constructor(options: HearingOptions) {
    this.#options = options;
    this.#frameBytes = frameBytes(options.format);
    this.#playback = new Playback(options.clock, options.onMark);
  }

  /** Nothing is owed to this listener any more. */
  get isComplete(): boolean {
    return this.#options.echo?.isComplete ?? true;
  }

  /** Takes the audio of one message; the bytes are read before it returns. */
  hear(payload: Uint8Array, payloadBytes: number, nowMs: AtMs): void {
    const { echo, recorder, onRoundTrip } = this.#options;
    this.stats.receivedFrames++;
    this.stats.receivedBytes += payloadBytes;
    this.#measureGap(nowMs);
    const idleMs = this.#playback.hear((payloadBytes / this.#frameBytes) * FRAME_MS, nowMs);
    if (recorder !== undefined) {
      if (idleMs >= PAUSE_MS_MIN) recorder.pause(idleMs);
      recorder.hear(payload.subarray(0, payloadBytes));
    }
    const roundTripMs = echo?.receive(payload, payloadBytes, nowMs);
    if (roundTripMs !== undefined) onRoundTrip?.(roundTripMs, nowMs);
  }

  mark(name: string, nowMs: AtMs): void {
    this.#playback.mark(name, nowMs);
  }

  clear(nowMs: AtMs): void {
    this.stats.clears++;
    this.#options.recorder?.takeBack(this.#playback.clear(nowMs));
  }

  close(): void {
    this.#playback.close();
  }

  #measureGap(nowMs: AtMs): void {
    const gapMs = this.#lastAtMs === undefined ? 0 : nowMs - this.#lastAtMs;
    this.#lastAtMs = nowMs;
    if (gapMs > LATE_MS) this.stats.lateFrames++;
    if (gapMs > this.stats.gapMsMax) this.stats.gapMsMax = gapMs;
  }
}
