import type { AtMs } from '../../base/clock.ts';
import { frameSamples } from '../../base/units.ts';
import type { Leg } from '../leg.ts';
import type { LegOptions, Overlay } from '../leg-options.ts';
import { Playout, type Cleared, type PlayedMark } from '../playout.ts';
import { InFlight } from './in-flight.ts';
import { OwedMarks } from './owed-marks.ts';

/** A provider's clock may be so much ahead of ours. */
const PLAYED_OUT_EARLY_MS = 100;
/** So much longer than the sound lasts its word is waited for. */
const PLAYED_OUT_LATE_MS = 3_000;

/**
 * What is said to a leg by the metronome: its queue, what is mixed over it, and the marks in it. A provider
 * gets no more of it ahead of time than it can hold.
 */
export class QueuedSpeech {
  readonly playout: Playout;
  readonly owedMarks: OwedMarks;
  readonly #leg: Leg;
  readonly #listener: LegOptions['listener'];
  readonly #inFlight: InFlight;
  readonly #frame: Int16Array;
  #overlay: Overlay | undefined;

  constructor(leg: Leg, { slots, counters, listener, capabilities }: LegOptions) {
    this.#leg = leg;
    this.#listener = listener;
    this.playout = new Playout(slots, undefined, counters);
    this.owedMarks = new OwedMarks(capabilities.marksMax);
    this.#inFlight = new InFlight(capabilities.inFlightMsMax);
    this.#frame = new Int16Array(frameSamples(leg.sampleRateHz));
  }

  /** Nothing is left for a tick to do. */
  get isDone(): boolean {
    return this.#overlay === undefined && this.playout.isIdle && this.#leg.egress.collectedFrames === 0;
  }

  /** From the next tick on `overlay` is mixed over the queue; without one nothing is. */
  setOverlay(overlay: Overlay | undefined): void {
    this.#overlay = overlay;
  }

  /** Asks to be told when everything queued so far was really played. */
  mark(name: string, isLive: boolean, nowMs: AtMs): void {
    this.playout.mark(name, isLive);
    if (this.playout.waitingFrames === 0) this.#reportMarks(nowMs);
  }

  /** Drops what is queued, here and at the provider. */
  clear(nowMs: AtMs): Cleared {
    const { capabilities, egress, session } = this.#leg;
    const cleared = this.playout.clear();
    egress.discard();
    const message = capabilities.clear ? session.writeClear() : undefined;
    if (message !== undefined) {
      this.#inFlight.clear();
      this.#leg.send(message);
    }
    const isSilent = message !== undefined && capabilities.marksOnClear === 'dropped';
    const marks = isSilent ? [...this.owedMarks.settleAll(), ...cleared.marks] : cleared.marks;
    for (const mark of marks) this.#listener.onMark(this.#leg, mark, nowMs);
    return { ...cleared, marks };
  }

  /** The frames of one tick: one as a rule, those that had to wait for room besides. */
  play(nowMs: AtMs): void {
    const { egress } = this.#leg;
    if (egress.isHeld) return;
    const hadQueue = this.playout.waitingFrames > 0;
    let isQuiet = true;
    for (let turns = this.#inFlight.takeTurns(); turns > 0; turns--) {
      if (!this.#inFlight.hasRoom(egress.collectedFrames, nowMs)) return;
      if (!this.#nextFrame()) {
        this.#inFlight.rest();
        if (isQuiet) egress.rest();
        break;
      }
      isQuiet = false;
      this.#inFlight.used();
      this.#inFlight.left(egress.send(this.#frame), nowMs);
      this.#reportMarks(nowMs);
    }
    if (hadQueue || !this.playout.rest()) return;
    this.#listener.onPlayed(this.#leg, this.playout.playedOfSpeechFrames, nowMs);
  }

  /** The provider says that a mark was played. */
  markPlayed(name: string, nowMs: AtMs): void {
    const mark = this.owedMarks.settle(name);
    if (mark !== undefined) this.#listener.onMark(this.#leg, mark, nowMs);
  }

  /** The provider says that it has played all it had. */
  playedOut(nowMs: AtMs): void {
    this.#reportDue(nowMs + PLAYED_OUT_EARLY_MS, nowMs);
  }

  /** Looked at about once a second: marks for which a provider's word is long overdue are told without it. */
  reportOverdue(nowMs: AtMs): void {
    this.#reportDue(nowMs - PLAYED_OUT_LATE_MS, nowMs);
  }

  /** The leg has ended: nothing of it is heard any more, and no mark is told. */
  drop(): void {
    this.#overlay = undefined;
    this.playout.clear();
  }

  /** Whether there is anything to play: of the queue, or of the others. */
  #nextFrame(): boolean {
    const isQueued = this.playout.playInto(this.#frame);
    if (this.#overlay === undefined) return isQueued;
    if (!isQueued) this.#frame.fill(0);
    return this.#overlay.mixInto(this.#frame, isQueued) || isQueued;
  }

  /** Marks go through the provider where it has them: only it knows when its own buffer has played. */
  #reportMarks(nowMs: AtMs): void {
    // More was said behind it, so that no pause will tell: it is told when it can have been played.
    this.#reportDue(nowMs, nowMs);
    for (let mark = this.playout.takeMark(); mark !== undefined; mark = this.playout.takeMark()) {
      this.#inFlight.left(this.#leg.egress.flush(), nowMs);
      if (!this.#isOwed(mark, nowMs)) this.#listener.onMark(this.#leg, mark, nowMs);
    }
  }

  #isOwed(mark: PlayedMark, nowMs: AtMs): boolean {
    const { marks, playedOut = false } = this.#leg.capabilities;
    const dueAtMs = playedOut ? this.#inFlight.playedUntilAtMs : Infinity;
    if (dueAtMs <= nowMs || !(marks || playedOut) || !this.owedMarks.hasRoom()) return false;
    const message = marks ? this.#leg.session.writeMark(mark.name) : undefined;
    if (marks && message === undefined) return false;
    this.owedMarks.owe(mark, dueAtMs);
    if (message !== undefined) this.#leg.send(message);
    return true;
  }

  #reportDue(dueAtMs: AtMs, nowMs: AtMs): void {
    let mark = this.owedMarks.settleDue(dueAtMs);
    for (; mark !== undefined; mark = this.owedMarks.settleDue(dueAtMs)) {
      this.#listener.onMark(this.#leg, mark, nowMs);
    }
  }
}
