import { messageOf } from '../../src/base/errors.ts';
import { sleep, systemClock } from '../../src/base/clock.ts';
import { Samples, type Distribution } from '../load/distribution.ts';
import { Rounds } from '../load/rounds.ts';
import { FRAME_SAMPLES, type Speech } from '../load/speech.ts';
import { AgentServer, type AgentManner } from './agent-server.ts';
import { Talker, type HeardItem } from './talker.ts';
import { wordsOf } from './words.ts';

const OFFSET_STEP_FRAMES = 37;
const CLOSED_WITHIN_MS = 10_000;

/** Callers of one agent: all of them interrupt it, or all of them cough. */
export interface CrowdPlan {
  /** Begins the name of each. */
  readonly name: string;
  readonly calls: number;
  readonly callsPerSecond: number;
  /** Where they call, by turns: the first by Twilio, the second by `native`. */
  readonly urls: readonly [twilio: string, native: string];
}

/** How the callers of a crowd, by the first letter of their names, and their agents speak. */
const MANNERS = {
  /** Some longer than anybody waits to interrupt them. */
  i: { wordMs: 600, itemFrames: 300 },
  c: { wordMs: 200, itemFrames: 120 },
} as const;

/** An item as its caller heard it, with what its agent was told of it. */
export interface ToldItem extends HeardItem {
  /** Null where the agent was told nothing. */
  readonly toldMs: number | null;
}

export interface CrowdNotes {
  readonly items: readonly ToldItem[];
  readonly lateMs: Distribution;
  readonly lostCalls: number;
}

/** Callers who speak over agents, and the agents. */
export class Crowd {
  readonly #speech: Speech;
  readonly #agents: AgentServer;
  readonly #words: { readonly [manner in keyof typeof MANNERS]: readonly Int16Array[] };
  #talkers: Talker[] = [];
  #rounds: Rounds | undefined;
  #items: HeardItem[] = [];
  #late = new Samples();
  #isMeasuring = false;

  private constructor(speech: Speech, agents: AgentServer) {
    this.#speech = speech;
    this.#agents = agents;
    this.#words = { i: wordsOf(speech, MANNERS.i.wordMs), c: wordsOf(speech, MANNERS.c.wordMs) };
  }

  static async open(speech: Speech): Promise<Crowd> {
    const frames = speech.mulaw.length / FRAME_SAMPLES;
    return new Crowd(speech, await AgentServer.open(speech, (caller) => mannerOf(caller, frames)));
  }

  get agentUrl(): string {
    return this.#agents.url;
  }

  /** Dials them one after the other; answers who was refused, and why. */
  async ramp(plans: readonly CrowdPlan[]): Promise<string[]> {
    const refusals: string[] = [];
    const dialling = plans.flatMap(({ name, calls, callsPerSecond, urls }) =>
      Array.from({ length: calls }, async (_, i) => {
        const talker = this.#make(`${name}${i}`, i);
        await sleep(systemClock, (i * 1000) / callsPerSecond);
        await talker.dial(urls[i % 2]!).catch((error: unknown) => refusals.push(messageOf(error)));
      }),
    );
    this.#rounds = new Rounds({
      count: this.#talkers.length,
      inStep: false,
      turn: (index) => this.#talkers[index]!.turn(),
      wasLate: (lateMs) => this.#isMeasuring && this.#late.push(lateMs),
    });
    await Promise.all(dialling);
    return refusals;
  }

  /** From now on: what was heard before is forgotten. */
  measure(): void {
    this.#isMeasuring = true;
    this.#items = [];
  }

  /** What was heard until now, of items that are over and calls that are not. */
  read(): CrowdNotes {
    this.#isMeasuring = false;
    const lost = this.#talkers.filter(({ isClosed, hasHungUp }) => isClosed && !hasHungUp);
    const lostNames = new Set(lost.map(({ plan }) => plan.name));
    // A line that breaks drops what waited for it: that is no interruption.
    const whole = this.#items.filter(({ caller }) => !lostNames.has(caller));
    const items = whole.map((item) => ({
      ...item,
      toldMs: this.#agents.told.get(`${item.caller} ${item.itemId}`) ?? null,
    }));
    return { items, lateMs: this.#late.distribution(), lostCalls: lost.length };
  }

  async hangUp(): Promise<void> {
    this.#rounds?.stop();
    for (const talker of this.#talkers) talker.hangUp();
    const deadlineMs = systemClock.nowMs() + CLOSED_WITHIN_MS;
    while (this.#talkers.some(({ isClosed }) => !isClosed) && systemClock.nowMs() < deadlineMs) {
      await sleep(systemClock, 10);
    }
  }

  #make(name: string, index: number): Talker {
    const { offset, itemFrames } = mannerOf(name, this.#speech.mulaw.length / FRAME_SAMPLES);
    const words = this.#words[name.startsWith('c') ? 'c' : 'i'];
    const dialect = index % 2 === 0 ? 'twilio' : 'native';
    // Of each dialect every second line has an echo.
    const hasEcho = Math.floor(index / 2) % 2 === 0;
    const plan = { name, index, dialect, hasEcho, words, offset, itemFrames } as const;
    const talker = new Talker(plan, this.#speech, (item) => void this.#items.push(item));
    this.#talkers.push(talker);
    return talker;
  }
}

/** The same for the caller and its agent: both know the name. */
function mannerOf(caller: string, frames: number): AgentManner {
  const index = Number(caller.slice(1));
  const { itemFrames } = MANNERS[caller.startsWith('c') ? 'c' : 'i'];
  return { itemFrames, offset: (index * OFFSET_STEP_FRAMES) % frames };
}
