import type { AtMs } from '../../base/clock.ts';
import type { ForkCommand } from '../../events/call-commands/fork.ts';

/** Where a copy of sound is to go, and how. */
export interface ForkWish extends Omit<ForkCommand, 'name' | 'gate' | 'leg_id'> {
  readonly forkId: string;
  readonly callId: string;
  readonly legId: string;
  readonly sampleRateHz: number;
  readonly channels: 1 | 2;
}

/** A connection that takes sound. */
export interface ForkLine {
  readonly stats: { readonly sentFrames: number; readonly droppedFrames: number };
  /** One frame, its channels interleaved: copied, and sent as soon as the other end takes it. */
  send(frame: Int16Array): void;
  /** The copy is over; or the call has `moved`, and its next owner opens a connection of its own. */
  close(why: 'ended' | 'moved'): void;
}

/** Something that was said, as a recogniser at the other end heard it. */
export interface ForkTranscript {
  readonly channel: 'first' | 'second';
  readonly text: string;
  /** From the opening of the connection on. */
  readonly startMs: number | null;
  readonly endMs: number | null;
}

/** Told in turns of their own: `opened` and then `gone`, or `gone` alone. */
export interface ForkListener {
  opened(line: ForkLine, nowMs: AtMs): void;
  /** There is no connection, or none any more. */
  gone(error: string, nowMs: AtMs): void;
  heard(said: ForkTranscript, nowMs: AtMs): void;
}

/** Opens connections for forks: what a call asks of whoever owns the sockets. */
export interface ForkDialler {
  /** Throws a `VoiceError` where it can never be dialled. What comes back gives a dial up. */
  dial(wish: ForkWish, listener: ForkListener): () => void;
}
