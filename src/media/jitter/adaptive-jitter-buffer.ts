import type { AtMs } from '../../base/clock.ts';
import { invariant } from '../../base/errors.ts';
import { FRAME_MS, frameSamples } from '../../base/units.ts';
import { FramePool } from '../frame-pool.ts';
import { ArrivalDelays } from './arrival-delays.ts';
import { DepthControl, SPARE_MS } from './depth-control.ts';
import { ElasticSound } from './elastic-sound.ts';
import { JITTER_TARGET_MS_MAX } from './fixed-jitter-buffer.ts';
import { FrameOrder } from './frame-order.ts';
import { HeldFrames, type FrameSlots } from './held-frames.ts';
import { newJitterStats, type JitterBuffer, type JitterStats, type Played } from './jitter-buffer.ts';
import { TickClock } from './tick-clock.ts';

/** Turns in a row that are concealed while nothing is held; after them the sender is taken to have paused. */
const STARVED_FRAMES_MAX = 5;
/** Frames that may still come in before the very first, turned round by the network. */
const EARLY_FRAMES = 10;
/** Frames taken together where a long backlog is got through; else two. */
const RUSH_FRAMES = 3;

export interface AdaptiveJitterOptions {
  readonly sampleRateHz: number;
  /** The target never falls below. 0, the default, follows the network alone. */
  readonly minMs?: number;
  /** Nor does it rise above; 0 means no clock: frames go on in the turn they came. */
  readonly maxMs?: number;
  /** What may be held in all, bursts included: beyond it the oldest goes. */
  readonly heldMsMax?: number;
  /** How long a sender that paused is filled in with the line's own noise. */
  readonly comfortMsMax?: number;
  /** Where frames are kept; a pool of its own by default. */
  readonly slots?: FrameSlots;
}

/**
 * `idle`: the next frame, whatever its number, sets the order. `opening`: the first frames are held until the
 * target is reached. `playing`: one frame leaves each turn. `paused`: nothing came for a while, and the next
 * frames are held for the target again.
 */
type State = 'idle' | 'opening' | 'playing' | 'paused';

/**
 * The adaptive jitter buffer: holds audio as long as the network makes it necessary and no longer. The target
 * follows the delays of arrival; the depth follows the target by making sound shorter or longer, a pitch
 * period at a time; what is missing is concealed; and a sender's clock that runs fast or slow is just another
 * reason to do so.
 */
export class AdaptiveJitterBuffer implements JitterBuffer {
  readonly stats: JitterStats = newJitterStats();
  readonly #sampleRateHz: number;
  readonly #frameSamples: number;
  readonly #order: FrameOrder;
  readonly #arrivals = new ArrivalDelays();
  readonly #held: HeldFrames;
  readonly #sound: ElasticSound;
  readonly #tick = new TickClock();
  readonly #depth = new DepthControl();
  readonly #comfortFramesMax: number;
  #minMs = 0;
  #maxMs = 0;
  #state: State = 'idle';
  /** Turns before this number are over. */
  #next = 0;
  /** Turns filled since the last frame while nothing was held: delayed, lost or never sent. */
  #madeUpFrames = 0;
  #comfortFramesLeft = 0;
  /** The frame that is next does not follow what was played last. */
  #isTorn = false;

  constructor(options: AdaptiveJitterOptions) {
    const { sampleRateHz, heldMsMax = 6_000, comfortMsMax = 5_000 } = options;
    const framesMax = heldMsMax / FRAME_MS;
    invariant(Number.isInteger(framesMax) && framesMax >= 20, 'a jitter buffer holds 400 ms at least');
    this.#sampleRateHz = sampleRateHz;
    this.#frameSamples = frameSamples(sampleRateHz);
    this.#order = new FrameOrder(this.#frameSamples);
    const ownPool = { frameSamples: this.#frameSamples, framesMin: framesMax, framesMax };
    this.#held = new HeldFrames(framesMax, options.slots ?? new FramePool(ownPool));
    this.#sound = new ElasticSound(sampleRateHz);
    this.#comfortFramesMax = Math.floor(comfortMsMax / FRAME_MS);
    this.setRange(options.minMs ?? 0, options.maxMs ?? JITTER_TARGET_MS_MAX);
  }

  /**
   * Where the target may be from now on. A change to or from a maximum of 0 changes the clock and neither
   * drops nor doubles a frame; after one to 0, `playInto` until `waiting` hands out what is held.
   */
  setRange(minMs: number, maxMs: number): void {
    const isInOrder = minMs >= 0 && minMs <= maxMs && maxMs <= JITTER_TARGET_MS_MAX;
    invariant(isInOrder, `a jitter target is ${minMs} to ${maxMs} ms of 0 to ${JITTER_TARGET_MS_MAX}`);
    if (this.#maxMs === 0 && maxMs > 0) {
      this.#tick.reset();
      this.#sound.reset();
    }
    this.#minMs = minMs;
    this.#maxMs = maxMs;
  }

  /** While the metronome asks, a frame waits for its turn: up to one frame, however good the network is. */
  get targetMs(): number {
    return this.#maxMs === 0 ? 0 : Math.max(FRAME_MS, this.#wantedMs);
  }

  get depthMs(): number {
    return this.#held.length * FRAME_MS + this.#waitingMs;
  }

  get driftPpm(): number {
    return this.#arrivals.driftPpm;
  }

  insert(frame: Int16Array, sequence: number, timestampSamples: number, arrivedAtMs: AtMs): void {
    invariant(frame.length === this.#frameSamples, 'a jitter buffer takes whole frames');
    const number = this.#order.numberOf(sequence, timestampSamples, arrivedAtMs);
    if (this.#order.isRestart) {
      this.stats.resets++;
      this.#arrivals.restart();
    }
    if (this.#held.knows(number)) {
      this.stats.duplicateFrames++;
      return;
    }
    this.#arrivals.note(number, arrivedAtMs);
    if (this.#state === 'idle') this.#open(number);
    if (number < this.#next) {
      this.stats.lateFrames++;
      return;
    }
    this.#makeRoomFor(number);
    this.#hold(frame, number);
  }

  playInto(nowMs: AtMs, target: Int16Array): Played {
    if (this.#maxMs === 0) return this.#forwardInto(target);
    this.#tick.note(nowMs);
    if (this.#state !== 'playing') {
      if (!this.#mayBegin(nowMs)) return this.#idleInto(target);
      this.#passHole();
      this.#state = 'playing';
    }
    let played: Played = 'audio';
    while (!this.#sound.hasFrame) {
      played = this.#refill();
      if (played === 'waiting') return this.#idleInto(target);
    }
    this.#sound.shiftInto(target);
    return played;
  }

  reset(): void {
    this.#order.reset();
    this.#arrivals.restart();
    this.#held.clear();
    this.#sound.reset();
    this.#madeUpFrames = 0;
    this.#isTorn = false;
    this.#state = 'idle';
  }

  get #wantedMs(): number {
    return Math.min(this.#maxMs, Math.max(this.#minMs, this.#arrivals.neededMs));
  }

  get #waitingMs(): number {
    return (this.#sound.waitingSamples * 1000) / this.#sampleRateHz;
  }

  /** How much later than it did the next frame could have come and been in time. */
  get #slackMs(): number {
    return this.#tick.atMs - this.#arrivals.dueAtMs(this.#next);
  }

  #open(number: number): void {
    this.#state = 'opening';
    this.#next = number - EARLY_FRAMES;
  }

  /** Moves on until `number` fits: the oldest frames go, the oldest holes are lost. */
  #makeRoomFor(number: number): void {
    const firstNumber = number - this.#held.framesMax + 1;
    while (this.#next < firstNumber) {
      const ahead = this.#held.length === 0 ? number : this.#held.nextFrom(this.#next);
      const silentFrames = ahead === number ? this.#order.silentFrames : this.#held.silentBefore(ahead);
      const passedTo = Math.min(ahead, firstNumber);
      this.#countLost(Math.min(passedTo, ahead - silentFrames) - this.#next);
      this.#next = passedTo;
      this.#madeUpFrames = 0;
      if (passedTo === ahead && ahead !== number) this.#dropNext();
    }
  }

  #dropNext(): void {
    this.#held.release(this.#next++);
    this.stats.overflowFrames++;
    this.#isTorn = true;
  }

  #hold(frame: Int16Array, number: number): void {
    const silentFrames = this.#order.silentFrames;
    if (!this.#held.hold(frame, number, silentFrames)) {
      // No slot is to be had: the oldest of our own makes room, as if the buffer were full.
      this.stats.overflowFrames++;
      if (this.#held.length === 0) return;
      const oldest = this.#held.nextFrom(this.#next);
      if (oldest > number) return;
      this.#passTo(oldest);
      this.#held.release(this.#next++);
      this.#isTorn = true;
      if (!this.#held.hold(frame, number, silentFrames)) return;
    }
    this.stats.receivedFrames++;
  }

  /** The way without a clock: what is next in order goes on at once, what lies before it is lost. */
  #forwardInto(target: Int16Array): Played {
    if (this.#held.length === 0) {
      target.fill(0);
      return 'waiting';
    }
    this.#passHole();
    this.#state = 'playing';
    const frame = this.#held.at(this.#next);
    // Left over from the time with a clock.
    if (this.#sound.waitingSamples > 0) this.stats.removedSamples += this.#sound.foldInto(frame);
    target.set(frame);
    this.#held.release(this.#next++);
    this.#madeUpFrames = 0;
    this.#isTorn = false;
    return 'audio';
  }

  #mayBegin(nowMs: AtMs): boolean {
    if (this.#held.length === 0) return false;
    const first = this.#held.nextFrom(this.#next);
    return nowMs - this.#arrivals.dueAtMs(first) >= this.#wantedMs;
  }

  #idleInto(target: Int16Array): Played {
    if (this.#state === 'paused' && this.#comfortFramesLeft > 0) {
      this.#comfortFramesLeft--;
      this.stats.comfortFrames++;
      this.#sound.comfortInto(target);
      return 'comfort';
    }
    target.fill(0);
    return 'waiting';
  }

  /** Brings at least a few samples more; 'waiting' where the sender has paused. */
  #refill(): Played {
    if (this.#held.length === 0) return this.#starve();
    if (this.#held.has(this.#next)) return this.#playNext();
    const ahead = this.#held.nextFrom(this.#next);
    // What was filled in while nothing was held stands for what turned out to be missing.
    const coveredFrames = Math.min(this.#madeUpFrames, ahead - this.#next);
    this.#madeUpFrames -= coveredFrames;
    const silentFrom = ahead - this.#held.silentBefore(ahead);
    this.#countLost(Math.min(this.#next + coveredFrames, silentFrom) - this.#next);
    this.#next += coveredFrames;
    if (this.#next === ahead) return this.#playNext();
    return this.#next < silentFrom ? this.#concealNext() : this.#comfortNext(ahead);
  }

  #starve(): Played {
    if (this.#madeUpFrames >= STARVED_FRAMES_MAX) {
      this.#state = 'paused';
      this.#comfortFramesLeft = this.#comfortFramesMax;
      this.#sound.fallSilent();
      return 'waiting';
    }
    this.#madeUpFrames++;
    this.#depth.starved();
    this.stats.concealedFrames++;
    this.#sound.conceal();
    return 'concealed';
  }

  #concealNext(): Played {
    this.#next++;
    this.stats.lostFrames++;
    this.stats.concealedFrames++;
    this.#sound.conceal();
    return 'concealed';
  }

  /** Silence that the sender left out: as much of it as keeps the target, and no more. */
  #comfortNext(ahead: number): Played {
    while (this.#next < ahead && this.#slackMs >= this.#wantedMs + SPARE_MS) {
      this.#next++;
      this.stats.removedSamples += this.#frameSamples;
    }
    if (this.#next === ahead) return this.#playNext();
    this.#next++;
    this.stats.comfortFrames++;
    this.#sound.comfort();
    return 'comfort';
  }

  #playNext(): Played {
    const frame = this.#held.at(this.#next);
    const step = this.#depth.next(this.#slackMs - this.#wantedMs, this.#arrivals.driftPpm);
    this.#madeUpFrames = 0;
    if (this.#isTorn) {
      this.#isTorn = false;
      this.#sound.playMended(frame);
    } else if ((step === 'shorten' || step === 'rush') && this.#held.has(this.#next + 1)) {
      return this.#playShortened(step);
    } else if (step === 'lengthen') {
      const addedSamples = this.#sound.playLengthened(frame);
      this.stats.addedSamples += addedSamples;
      if (addedSamples > 0) this.#depth.grew();
    } else {
      this.#sound.play(frame);
    }
    this.#held.release(this.#next++);
    return 'audio';
  }

  #playShortened(step: 'shorten' | 'rush'): Played {
    const frames = step === 'rush' && this.#held.has(this.#next + 2) ? RUSH_FRAMES : 2;
    for (let i = 0; i < frames; i++) {
      this.#sound.gather(this.#held.at(this.#next));
      this.#held.release(this.#next++);
    }
    const removedSamples = this.#sound.playGathered(frames === RUSH_FRAMES ? RUSH_FRAMES : 1);
    this.stats.removedSamples += removedSamples;
    if (removedSamples > 0) this.#depth.shrank();
    return 'audio';
  }

  /** Goes on to the oldest frame held. What lies before it is lost, except before the very first. */
  #passHole(): void {
    this.#passTo(this.#held.nextFrom(this.#next));
  }

  #passTo(ahead: number): void {
    this.#countLost(ahead - this.#held.silentBefore(ahead) - this.#next);
    this.#next = ahead;
    this.#madeUpFrames = 0;
  }

  #countLost(frames: number): void {
    if (frames > 0 && this.#state !== 'opening') this.stats.lostFrames += frames;
  }
}
