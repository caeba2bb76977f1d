import type { AtMs, Clock } from '../../../base/clock.ts';
import { FRAME_MS } from '../../../base/units.ts';
import { frameBytes, type AudioFormat } from '../../../media/format.ts';
import type { EchoCheck } from './echo-check.ts';
import { Playback, type PlaybackListener } from './playback.ts';
import { FrameCutter } from './frame-cutter.ts';
import type { Recorder } from './recorder.ts';
import type { SignalCheck } from './signal-check.ts';

/** One frame later than what came before lasts, and a listener with a frame in hand has a hole. */
const LATE_MS = FRAME_MS;
/** Shorter pauses are the network's: a recording shows those that the other side made. */
const PAUSE_MS_MIN = 200;

export interface HearingOptions {
  readonly clock: Pick<Clock, 'after'>;
  readonly format: AudioFormat;
  /** The provider says that a mark was reached. */
  readonly onMark: (name: string) => void;
  /** Where the provider says what it plays. */
  readonly playback?: PlaybackListener;
  readonly echo?: EchoCheck;
  readonly signal?: SignalCheck;
  readonly recorder?: Recorder;
}

/** What a caller hears: how steadily it comes, whether it is what was said, and on record if asked for. */
export class Hearing {
  /** A late frame came more than 40 ms after the one before it. */
  readonly stats = { receivedFrames: 0, receivedBytes: 0, lateFrames: 0, gapMsMax: 0, clears: 0 };
  readonly #options: HearingOptions;
  readonly #playback: Playback;
  readonly #frameBytes: number;
  readonly #cutter: FrameCutter;
  #lastAtMs: AtMs | undefined;
  #lastMs = FRAME_MS;

  constructor(options: HearingOptions) {
    this.#options = options;
    this.#frameBytes = frameBytes(options.format);
    this.#cutter = new FrameCutter(this.#frameBytes);
    this.#playback = new Playback(options.clock, options.onMark, options.playback);
  }

  /** Nothing is owed to this listener any more. */
  get isComplete(): boolean {
    const { echo, signal } = this.#options;
    return (echo ?? signal)?.isComplete ?? true;
  }

  /** Takes the audio of one message; the bytes are read before it returns. */
  hear(payload: Uint8Array, payloadBytes: number, nowMs: AtMs): void {
    const { recorder, signal } = this.#options;
    this.stats.receivedBytes += payloadBytes;
    const durationMs = this.#durationMsOf(payloadBytes);
    this.#measureGap(nowMs, durationMs);
    const idleMs = this.#playback.hear(durationMs, nowMs);
    if (recorder !== undefined) {
      if (idleMs >= PAUSE_MS_MIN) recorder.pause(idleMs);
      recorder.hear(payload.subarray(0, payloadBytes));
    }
    signal?.receive(payload, payloadBytes);
    this.#cutter.cut(payload, payloadBytes, (frame, bytes) => this.#hearFrame(frame, bytes, nowMs));
  }

  #hearFrame(frame: Uint8Array, bytes: number, nowMs: AtMs): void {
    this.stats.receivedFrames++;
    this.#options.echo?.receive(frame, bytes, nowMs);
  }

  // A packet of a codec without a fixed size holds one frame.
  #durationMsOf(payloadBytes: number): number {
    return this.#frameBytes === 0 ? FRAME_MS : (payloadBytes / this.#frameBytes) * FRAME_MS;
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

  #measureGap(nowMs: AtMs, durationMs: number): void {
    const gapMs = this.#lastAtMs === undefined ? 0 : nowMs - this.#lastAtMs;
    this.#lastAtMs = nowMs;
    if (gapMs > this.#lastMs + LATE_MS) this.stats.lateFrames++;
    this.#lastMs = durationMs;
    if (gapMs > this.stats.gapMsMax) this.stats.gapMsMax = gapMs;
  }
}
