import type { AtMs } from '../../base/clock.ts';
import { invariant } from '../../base/errors.ts';
import { FRAME_MS, frameSamples } from '../../base/units.ts';
import { sliceIntoFrames } from '../frame-ring.ts';
import { newJitterStats, type JitterBuffer, type JitterStats, type Played } from './jitter-buffer.ts';

/** The longest time audio may be held on purpose. */
export const JITTER_TARGET_MS_MAX = 200;

/** What a burst may add to the delay by default: held beyond the target, then the oldest goes. */
const EXCESS_MS = 200;

/** Turns in a row that silence fills while nothing is held; after them the sender is taken to have paused. */
const STARVED_FRAMES_MAX = 5;

/** A jump further than this, either way, is a sender that started over (RFC 3550 A.1, MAX_MISORDER). */
const JUMP_FRAMES_MAX = 100;

/** Where our own numbers begin: high enough that none from before the first is negative. */
const FIRST_NUMBER = 0x1_0000;
const NEVER = -1;

export interface FixedJitterOptions {
  readonly sampleRateHz: number;
  /** 0 to 200, in whole frames. */
  readonly targetMs: number;
  /** What may be held beyond the target, in whole frames. */
  readonly excessMs?: number;
}

/**
 * `idle`: the next frame, whatever its number, sets the order. `filling`: the first frames are held until the
 * target is reached. `playing`: one frame leaves each turn. `paused`: the sender went silent, its order is
 * known, and the next frames are held for the target again.
 */
type State = 'idle' | 'filling' | 'playing' | 'paused';

/**
 * A jitter buffer whose target stands still and which fills what is missing with silence.
 *
 * At target 0 it has no clock: drain it with `playInto` until `waiting` after every `insert`, and each frame
 * leaves in the turn it came in, the hole before it counted as lost. Above 0 the metronome asks for one frame
 * every 20 ms. The caller numbers the frames of a wire that has no numbers.
 */
export class FixedJitterBuffer implements JitterBuffer {
  readonly stats: JitterStats = newJitterStats();
  /** Arrivals are not judged here. */
  readonly driftPpm = 0;
  readonly targetMs: number;
  readonly #frameSamples: number;
  readonly #slots: readonly Int16Array[];
  /** The number each slot held last, played or not: how a duplicate is told from a late frame. */
  readonly #numbers: Float64Array;
  /** 1 where what a slot holds is still to be played. */
  readonly #isHeld: Uint8Array;
  #heldFrames = 0;
  #state: State = 'idle';
  /** Turns before this number are over. The slots span this number and those after it. */
  #nextNumber = FIRST_NUMBER;
  /** Turns filled with silence since the last frame while nothing was held: delayed, lost, or never sent. */
  #starvedFrames = 0;
  #fillingSinceMs: AtMs = 0;

  constructor({ sampleRateHz, targetMs, excessMs = EXCESS_MS }: FixedJitterOptions) {
    invariant(targetMs >= 0 && targetMs <= JITTER_TARGET_MS_MAX, 'a jitter target is 0 to 200 ms');
    invariant(targetMs % FRAME_MS === 0, 'a jitter target is whole frames');
    const framesMax = (targetMs + excessMs) / FRAME_MS;
    this.targetMs = targetMs;
    this.#frameSamples = frameSamples(sampleRateHz);
    this.#slots = sliceIntoFrames(framesMax, this.#frameSamples);
    this.#numbers = new Float64Array(framesMax).fill(NEVER);
    this.#isHeld = new Uint8Array(framesMax);
  }

  get depthMs(): number {
    return this.#heldFrames * FRAME_MS;
  }

  insert(frame: Int16Array, sequence: number, _timestampSamples: number, arrivedAtMs: AtMs): void {
    invariant(frame.length === this.#frameSamples, 'a jitter buffer takes whole frames');
    const number = this.#numberOf(sequence);
    if (this.#numbers[number % this.#slots.length] === number) {
      this.stats.duplicateFrames++;
    } else if (number < this.#nextNumber + this.#starvedFrames) {
      this.stats.lateFrames++;
    } else {
      this.#giveUpStarved();
      this.#makeRoomFor(number);
      this.#hold(frame, number, arrivedAtMs);
    }
  }

  playInto(nowMs: AtMs, target: Int16Array): Played {
    if (this.#mayPlay(nowMs)) {
      if (this.#state !== 'playing' || this.targetMs === 0) this.#passHole();
      if (this.#takeNextInto(target)) return 'audio';
      if (this.#fillTurn()) {
        target.fill(0);
        return 'concealed';
      }
    }
    target.fill(0);
    return 'waiting';
  }

  reset(): void {
    this.#isHeld.fill(0);
    this.#numbers.fill(NEVER);
    this.#heldFrames = 0;
    this.#starvedFrames = 0;
    this.#state = 'idle';
  }

  /** Unwraps the wire's 16 bits around the turn that is next. */
  #numberOf(sequence: number): number {
    if (this.#state !== 'idle') {
      const jumpFrames = ((sequence - this.#nextNumber) << 16) >> 16;
      if (Math.abs(jumpFrames) <= JUMP_FRAMES_MAX) return this.#nextNumber + jumpFrames;
      this.stats.resets++;
      this.stats.overflowFrames += this.#heldFrames;
      this.reset();
    }
    const number = FIRST_NUMBER + (sequence & 0xffff);
    this.#state = 'filling';
    // Until playing starts, frames sent before the one that happened to come first are still in time.
    this.#nextNumber = number - this.targetMs / FRAME_MS;
    return number;
  }

  #hold(frame: Int16Array, number: number, arrivedAtMs: AtMs): void {
    const index = number % this.#slots.length;
    if (this.#heldFrames === 0) this.#fillingSinceMs = arrivedAtMs;
    this.#slots[index]!.set(frame);
    this.#numbers[index] = number;
    this.#isHeld[index] = 1;
    this.#heldFrames++;
    this.stats.receivedFrames++;
  }

  /** Moves the span on until it reaches `number`: the oldest frames go, the oldest holes are lost. */
  #makeRoomFor(number: number): void {
    const framesMax = this.#slots.length;
    if (number < this.#nextNumber + framesMax) return;
    if (this.#state === 'filling') this.#passHole();
    while (this.#nextNumber <= number - framesMax) {
      const index = this.#nextNumber++ % framesMax;
      if (this.#isHeld[index] === 1) {
        this.#release(index);
        this.stats.overflowFrames++;
      } else {
        this.stats.lostFrames++;
      }
    }
  }

  /** A frame after the starved turns has come, so these will stay empty. */
  #giveUpStarved(): void {
    this.stats.lostFrames += this.#starvedFrames;
    this.#nextNumber += this.#starvedFrames;
    this.#starvedFrames = 0;
  }

  #mayPlay(nowMs: AtMs): boolean {
    if (this.#state === 'playing') return this.targetMs > 0 || this.#heldFrames > 0;
    return this.#heldFrames > 0 && nowMs - this.#fillingSinceMs >= this.targetMs;
  }

  /** Goes on to the oldest frame held. What lies before it is lost, except before the very first. */
  #passHole(): void {
    let holeFrames = 0;
    while (this.#isHeld[(this.#nextNumber + holeFrames) % this.#slots.length] === 0) holeFrames++;
    this.#nextNumber += holeFrames;
    if (this.#state !== 'filling') this.stats.lostFrames += holeFrames;
    this.#state = 'playing';
  }

  #takeNextInto(target: Int16Array): boolean {
    const index = this.#nextNumber % this.#slots.length;
    if (this.#isHeld[index] === 0) return false;
    target.set(this.#slots[index]!);
    this.#release(index);
    this.#nextNumber++;
    return true;
  }

  /** Whether the turn is to be filled: a hole between frames always, an empty buffer only for a while. */
  #fillTurn(): boolean {
    if (this.#heldFrames > 0) {
      this.stats.lostFrames++;
      this.#nextNumber++;
    } else if (this.#starvedFrames < STARVED_FRAMES_MAX) {
      this.#starvedFrames++;
    } else {
      this.#starvedFrames = 0;
      this.#state = 'paused';
      return false;
    }
    this.stats.concealedFrames++;
    return true;
  }

  #release(index: number): void {
    this.#isHeld[index] = 0;
    this.#heldFrames--;
  }
}
