import type { Refusal } from '../../base/errors.ts';
import type { CallFacts } from '../facts.ts';

/** How recordings are written. */
export type RecordingFormat = 'wav_g711' | 'wav_l16' | 'ogg_opus';

/** Why a recording broke off; what was written until then is kept. */
export type TapeFailure = 'disk_full' | 'disk_too_slow' | 'too_large' | 'io_error';

/** What is to be recorded. */
export interface TapeWish {
  readonly recordingId: string;
  readonly facts: CallFacts;
  readonly sampleRateHz: number;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
}

/** A finished recording. */
export interface TapeEnd {
  readonly durationMs: number;
  readonly bytes: number;
  /** Of the file as it is downloaded; hex. */
  readonly sha256: string;
}

/** Where the sound of one recording goes. It never makes anybody wait. */
export interface Tape {
  readonly format: RecordingFormat;
  /** One frame of each channel: copied, and written later. Per frame: it must not allocate. */
  write(left: Int16Array, right: Int16Array): void;
  /**
   * Nothing more comes, and `lostFrames` never had a place. Told when the file is whole; undefined where it
   * broke off before.
   */
  finish(lostFrames: number): Promise<TapeEnd | undefined>;
}

/** Makes tapes: what recording asks of the world. */
export interface Tapes {
  /** A refusal where nothing can be recorded now. `failed` is told once, in a turn of its own. */
  open(wish: TapeWish, failed: (reason: TapeFailure) => void): Tape | Refusal;
  /** Whether a call is recorded from its first moment on, unasked. */
  isWanted(facts: CallFacts): boolean;
  /** Where a recording can be fetched once it is ready. */
  urlOf(recordingId: string): string;
}
