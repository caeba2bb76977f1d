import { newFrameCounters, type FrameCounters } from './counters.ts';

/** A minute of audio: an agent may speak ahead this far, then its socket is not read (calls.md, Talking). */
export const PLAYOUT_FRAMES_MAX = 3000;
/** A source that speaks just in time leaves its queue empty after every frame; three ticks are a pause. */
const QUIET_TICKS = 3;

/** Frame slots lent by the node's pool. */
export interface FrameSlots {
  take(): Int16Array | undefined;
  giveBack(frame: Int16Array): void;
}

/** A mark whose turn has come, and how much of the speech it stands in was played by then. */
export interface PlayedMark {
  readonly name: string;
  /** Null of a live voice, which is heard as it speaks: nothing of it is counted. */
  readonly playedFrames: number | null;
}

interface QueuedMark {
  readonly name: string;
  readonly afterFrame: number;
  readonly isLive: boolean;
}

type FullCounter = Pick<FrameCounters, 'droppedFullFrames'>;

/** What was cut off: how much of the queue was heard and how much was not, and which marks never came. */
export interface Cleared {
  readonly playedFrames: number;
  readonly unplayedFrames: number;
  readonly marks: readonly PlayedMark[];
}

/** Why a queue waits: somebody asked for it, its speaker may have been interrupted, or is not heard now. */
export type PauseReason = 'asked' | 'interrupted' | 'parked';

/**
 * Audio for a leg that may arrive faster than it is spoken. It queues up to a minute, is taken a frame a
 * tick, and can
 * be marked, paused and cleared. Frames are copied into slots of the node's pool and given back when played.
 */
export class Playout {
  readonly stats = { refusedFrames: 0 };
  readonly #slots: FrameSlots;
  readonly #framesMax: number;
  readonly #counters: FullCounter;
  #queue: Int16Array[] = [];
  #head = 0;
  #marks: QueuedMark[] = [];
  /** Frames ever queued and ever played: marks stand between them. */
  #queuedFrames = 0;
  #playedFrames = 0;
  #spokenSince = 0;
  readonly #pausedBy = new Set<PauseReason>();
  #isSpeaking = false;
  #quietTicks = 0;

  /** `counters`: of all legs of the kind, what is refused here included. */
  constructor(slots: FrameSlots, framesMax = PLAYOUT_FRAMES_MAX, counters: FullCounter = newFrameCounters()) {
    this.#slots = slots;
    this.#framesMax = framesMax;
    this.#counters = counters;
  }

  /** Another queue out of the same pool. */
  beside(): Playout {
    return new Playout(this.#slots, this.#framesMax, this.#counters);
  }

  get waitingFrames(): number {
    return this.#queue.length - this.#head;
  }

  get isIdle(): boolean {
    return this.waitingFrames === 0 && this.#marks.length === 0 && !this.#isSpeaking;
  }

  /** Something was said, and no pause has come after it yet. */
  get isSpeaking(): boolean {
    return this.#isSpeaking;
  }

  get isFull(): boolean {
    return this.waitingFrames >= this.#framesMax;
  }

  /** Frames played since the last pause or clear: what a listener really heard of this speech. */
  get playedOfSpeechFrames(): number {
    return this.#playedFrames - this.#spokenSince;
  }

  /** False when the queue is full or the pool is empty: nothing was queued, and it is counted. */
  push(frame: Int16Array): boolean {
    const slot = this.isFull ? undefined : this.#slots.take();
    if (slot === undefined) {
      this.stats.refusedFrames++;
      this.#counters.droppedFullFrames++;
      return false;
    }
    if (!this.#isSpeaking) this.#spokenSince = this.#playedFrames;
    this.#isSpeaking = true;
    this.#quietTicks = 0;
    slot.set(frame);
    this.#queue.push(slot);
    this.#queuedFrames++;
    return true;
  }

  /** Reported by `takeMark` once everything queued so far has been played. */
  mark(name: string, isLive = false): void {
    this.#marks.push({ name, afterFrame: this.#queuedFrames, isLive });
  }

  /** It waits until every reason to has gone. */
  pause(reason: PauseReason): void {
    this.#pausedBy.add(reason);
  }

  resume(reason: PauseReason): void {
    this.#pausedBy.delete(reason);
  }

  /** What follows belongs to a speech of which so much was played out of another queue. */
  carryOn(playedFrames: number): void {
    if (!this.#isSpeaking) this.#spokenSince = this.#playedFrames;
    this.#isSpeaking = true;
    this.#quietTicks = 0;
    this.#spokenSince -= playedFrames;
  }

  /** Copies the next frame to play into `target`; false when there is none or the queue is paused. */
  playInto(target: Int16Array): boolean {
    return this.#pausedBy.size === 0 && this.moveInto(target);
  }

  /** The same, paused or not: it goes to another queue. */
  moveInto(target: Int16Array): boolean {
    if (this.waitingFrames === 0) return false;
    const slot = this.#queue[this.#head++]!;
    target.set(slot);
    this.#slots.giveBack(slot);
    this.#playedFrames++;
    if (this.#head === this.#queue.length) {
      this.#queue.length = 0;
      this.#head = 0;
    }
    return true;
  }

  /** Nothing waited in this tick. True once, when that has become a pause: what was said has been played. */
  rest(): boolean {
    if (!this.#isSpeaking || ++this.#quietTicks < QUIET_TICKS) return false;
    this.#isSpeaking = false;
    return true;
  }

  /** The next mark whose audio has all been played, or undefined. */
  takeMark(): PlayedMark | undefined {
    const next = this.#marks[0];
    if (next === undefined || next.afterFrame > this.#playedFrames) return undefined;
    this.#marks.shift();
    return this.#played(next);
  }

  /**
   * Drops what waits. Marks come back at once, as providers return them on `clear`. Who was interrupted, or
   * is not heard, has nothing more to wait with; a pause that was asked for goes on.
   */
  clear(): Cleared {
    const unplayedFrames = this.waitingFrames;
    const playedFrames = this.playedOfSpeechFrames;
    for (let i = this.#head; i < this.#queue.length; i++) this.#slots.giveBack(this.#queue[i]!);
    this.#queue = [];
    this.#head = 0;
    const marks = this.#marks.map((mark) => this.#played(mark));
    this.#queuedFrames = this.#playedFrames;
    this.#spokenSince = this.#playedFrames;
    this.#marks = [];
    this.#pausedBy.delete('interrupted');
    this.#pausedBy.delete('parked');
    this.#isSpeaking = false;
    return { playedFrames, unplayedFrames, marks };
  }

  #played({ name, afterFrame, isLive }: QueuedMark): PlayedMark {
    const playedFrames = Math.min(afterFrame, this.#playedFrames) - this.#spokenSince;
    return { name, playedFrames: isLive ? null : Math.max(0, playedFrames) };
  }
}
