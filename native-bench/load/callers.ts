import { systemClock, sleep } from '../../src/base/clock.ts';
import { messageOf } from '../../src/base/errors.ts';
import { Caller, type Notebook } from './caller.ts';
import { distributionOf, Samples, type Distribution } from './distribution.ts';
import { Rounds } from './rounds.ts';
import type { Speech } from './speech.ts';

/** Steps from one caller's place in the sample to the next one's: no two callers speak in chorus. */
const OFFSET_STEP = 37;
const IN_STEP_DELAY_MS = 100;
const CLOSED_WITHIN_MS = 10_000;

export interface Ramp {
  /** Begins every call id, so that runs can be told apart. */
  readonly label: string;
  readonly url: string;
  readonly calls: number;
  readonly callsPerSecond: number;
  /** All from the same place of the sample, and only when told to: `speakInStep`. */
  readonly inStep: boolean;
}

export interface RampFigures {
  readonly setupMs: Distribution;
  readonly refusals: readonly string[];
}

/** One page of what callers saw. */
export interface LoadFigures {
  readonly roundTripMs: Distribution;
  /** How late frames were sent, by the load's own doing: a noisy machine shows here first. */
  readonly lateMs: Distribution;
  readonly sentFrames: number;
  readonly echoedFrames: number;
  readonly lostFrames: number;
  readonly wrongFrames: number;
  readonly lostCalls: number;
  readonly blockedFrames: number;
}

/** What of a call was sent when: a frame by its number, or the words around it. */
export type Cause = number | 'start' | 'stop';

/** Hundreds of callers on one schedule: each has its own instant within the 20 ms, and never drifts. */
export class Callers {
  readonly #speech: Speech;
  #callers: Caller[] = [];
  readonly #all = new Map<string, Caller>();
  readonly #notes = newNotes();
  readonly #pages = new Map<string, { readonly notes: Notebook; readonly late: Samples }>();
  #late = new Samples();
  #isInStep = false;
  #rounds: Rounds | undefined;

  constructor(speech: Speech) {
    this.#speech = speech;
  }

  /** Dials them one after the other; who is in begins to speak at once, unless all are to begin together. */
  async ramp({ label, url, calls, callsPerSecond, inStep }: Ramp): Promise<RampFigures> {
    const notes = this.#notes;
    const offsetOf = (i: number): number => (inStep ? 0 : (i * OFFSET_STEP) % this.#speech.payloads.length);
    this.#callers = Array.from(
      { length: calls },
      (_, i) => new Caller(`CA${label}x${i}`, offsetOf(i), this.#speech, notes),
    );
    for (const caller of this.#callers) this.#all.set(caller.callSid, caller);
    this.#isInStep = inStep;
    const setups: number[] = [];
    const refusals: string[] = [];
    if (!inStep) this.#run();
    const startedAtMs = systemClock.nowMs();
    const dialling = this.#callers.map(async (caller, i) => {
      await sleep(systemClock, startedAtMs + (i * 1000) / callsPerSecond - systemClock.nowMs());
      try {
        setups.push(await caller.dial(url));
        caller.isSpeaking = !inStep;
      } catch (error) {
        refusals.push(messageOf(error));
      }
    });
    await Promise.all(dialling);
    return { setupMs: distributionOf(setups), refusals };
  }

  /** Everybody begins now, with the same words, in the same instant. */
  speakInStep(): void {
    for (const caller of this.#callers) caller.isSpeaking = !caller.isClosed;
    this.#run(IN_STEP_DELAY_MS);
  }

  /** Ends a page of the notes under this name and begins the next one; nothing is worked out meanwhile. */
  turnPage(name: string): void {
    this.#pages.set(name, { notes: { ...this.#notes }, late: this.#late });
    // Callers hold on to the book itself.
    Object.assign(this.#notes, newNotes());
    this.#late = new Samples();
  }

  /** What is on the pages turned so far. Takes its time: ask when nobody is on the line. */
  readPages(): { readonly [name: string]: LoadFigures } {
    const pages = [...this.#pages].map(([name, { notes, late }]) => {
      const figures = {
        ...notes,
        roundTripMs: notes.roundTripMs.distribution(),
        lateMs: late.distribution(),
      };
      return [name, figures] as const;
    });
    return Object.fromEntries(pages);
  }

  /** When what caused something was sent, by call id; NaN where it never was. */
  sentAtMs(asked: readonly { readonly callSid: string; readonly cause: Cause }[]): Float64Array {
    return Float64Array.from(asked, ({ callSid, cause }) => {
      const caller = this.#all.get(callSid);
      if (caller === undefined) return Number.NaN;
      if (cause === 'start') return caller.startedAtMs;
      return cause === 'stop' ? caller.stoppedAtMs : (caller.sentAtMs[cause] ?? Number.NaN);
    });
  }

  /** Everybody hangs up at once; resolves when the last socket is closed. */
  async hangUp(): Promise<void> {
    this.#rounds?.stop();
    for (const caller of this.#callers) caller.hangUp();
    const deadlineMs = systemClock.nowMs() + CLOSED_WITHIN_MS;
    while (this.#callers.some(({ isClosed }) => !isClosed) && systemClock.nowMs() < deadlineMs) {
      await sleep(systemClock, 10);
    }
    for (const caller of this.#callers) caller.destroy();
  }

  #run(delayMs = 0): void {
    const callers = this.#callers;
    const turn = (index: number): boolean => {
      const caller = callers[index]!;
      if (caller.isSpeaking) caller.speak();
      return caller.isSpeaking;
    };
    const options = { count: callers.length, inStep: this.#isInStep, turn };
    this.#rounds = new Rounds({ ...options, wasLate: (lateMs) => this.#late.push(lateMs) }, delayMs);
  }
}

function newNotes(): Notebook {
  return {
    roundTripMs: new Samples(),
    sentFrames: 0,
    echoedFrames: 0,
    lostFrames: 0,
    wrongFrames: 0,
    lostCalls: 0,
    blockedFrames: 0,
  };
}
