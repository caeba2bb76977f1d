import type { AtMs } from '../base/clock.ts';
import { invariant } from '../base/errors.ts';
import { FRAME_MS } from '../base/units.ts';

/** Frames of a stall that are caught up; older ones are forgiven: nobody wants to hear them any more. */
export const CATCH_UP_FRAMES = 5;

/**
 * The node's one schedule: absolute, so that it never drifts. The 20 ms are parted into phases, and every leg
 * plays in its own, so that work is level: `for (let left = metronome.due(nowMs); left > 0; left--)
 * play(metronome.nextPhase())`. A stalled loop catches up to a limit; the rest is forgiven and counted.
 */
export class Metronome {
  /** In steps: one step is one phase playing one frame. */
  readonly stats = { playedSteps: 0, caughtUpSteps: 0, forgivenSteps: 0 };
  readonly phases: number;
  readonly #startedAtMs: AtMs;
  readonly #stepMs: number;
  readonly #legsOfPhase: Int32Array;
  /** Steps whose time has passed, counted from the start: a sum of durations would gather rounding errors. */
  #passedSteps = 0;
  #phase = 0;

  constructor(startedAtMs: AtMs, phases = 1) {
    invariant(Number.isInteger(phases) && phases > 0, 'a metronome has one phase or more');
    this.phases = phases;
    this.#startedAtMs = startedAtMs;
    this.#stepMs = FRAME_MS / phases;
    this.#legsOfPhase = new Int32Array(phases);
  }

  /** When the next step is due: what the node sets its timer to. */
  get nextAtMs(): AtMs {
    return this.#startedAtMs + (this.#passedSteps + 1) * this.#stepMs;
  }

  /** How many steps are due now; exactly as many times `nextPhase` is to be asked. */
  due(nowMs: AtMs): number {
    if (nowMs < this.nextAtMs) return 0;
    const passedSteps = Math.floor((nowMs - this.#startedAtMs) / this.#stepMs);
    const missedSteps = Math.max(1, passedSteps - this.#passedSteps);
    const dueSteps = Math.min(missedSteps, CATCH_UP_FRAMES * this.phases);
    this.#passedSteps += missedSteps;
    this.#phase = (this.#passedSteps - dueSteps) % this.phases;
    this.stats.playedSteps += dueSteps;
    this.stats.caughtUpSteps += dueSteps - 1;
    this.stats.forgivenSteps += missedSteps - dueSteps;
    return dueSteps;
  }

  /** Whatever fell due until now is nobody's: the schedule goes on after a time when nothing was played. */
  skipTo(nowMs: AtMs): void {
    const passedSteps = Math.floor((nowMs - this.#startedAtMs) / this.#stepMs);
    this.#passedSteps = Math.max(this.#passedSteps, passedSteps);
  }

  /** The phase whose turn it is. */
  nextPhase(): number {
    const phase = this.#phase;
    this.#phase = (phase + 1) % this.phases;
    return phase;
  }

  /** Seats a leg in the emptiest phase and says which. */
  join(): number {
    let emptiest = 0;
    for (let phase = 1; phase < this.phases; phase++) {
      if (this.#legsOfPhase[phase]! < this.#legsOfPhase[emptiest]!) emptiest = phase;
    }
    this.#legsOfPhase[emptiest]!++;
    return emptiest;
  }

  leave(phase: number): void {
    invariant(this.#legsOfPhase[phase]! > 0, 'a leg left a phase it was not in');
    this.#legsOfPhase[phase]!--;
  }
}
