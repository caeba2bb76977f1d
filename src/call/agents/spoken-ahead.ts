import type { Cancel, Clock } from '../../base/clock.ts';
import type { AgentLine } from '../agent-dialler.ts';
import type { Member } from '../parties/roster.ts';

/** Of the minute a listener's queue holds, the rest is for what is under way when we stop reading. */
const FULL_FRAMES = 2_500;
const ROOM_FRAMES = 2_000;
const LOOK_EVERY_MS = 500;

/** Frames of a speaker that wait at whoever hears the most of it behind. */
export function waitingFramesOf({ channels }: Member): number {
  let waitingFrames = 0;
  for (let i = 0; i < channels.length; i++) {
    waitingFrames = Math.max(waitingFrames, channels[i]!.waitingFrames);
  }
  return waitingFrames;
}

/** An agent may speak a minute ahead. Then its socket is not read, so that it waits and nothing is lost. */
export class SpokenAhead {
  readonly stats = { pauses: 0 };
  readonly #line: AgentLine;
  readonly #member: Member;
  readonly #clock: Clock;
  #cancelLook: Cancel | undefined;

  constructor(line: AgentLine, member: Member, clock: Clock) {
    this.#line = line;
    this.#member = member;
    this.#clock = clock;
  }

  /** Per frame: looks whether there is room for the next. */
  look(): void {
    if (this.#cancelLook !== undefined || waitingFramesOf(this.#member) < FULL_FRAMES) return;
    this.stats.pauses++;
    this.#line.pauseReading();
    this.#lookAgain();
  }

  close(): void {
    this.#cancelLook?.();
  }

  #lookAgain(): void {
    this.#cancelLook = this.#clock.after(LOOK_EVERY_MS, () => {
      if (waitingFramesOf(this.#member) >= ROOM_FRAMES) return this.#lookAgain();
      this.#cancelLook = undefined;
      this.#line.resumeReading();
    });
  }
}
