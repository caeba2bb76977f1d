import { randomRatio, sleep, systemClock, type AtMs } from '../../src/base/clock.ts';
import { messageOf } from '../../src/base/errors.ts';
import type { Heard } from './ear.ts';
import type { CallerKind, FailoverCaller } from './failover-caller.ts';
import type { BreakCause } from './line-break.ts';
import { NativeCaller } from './native-caller.ts';
import { FRAME_MS } from './numbered-frame.ts';
import { TwilioCaller } from './twilio-caller.ts';

/** Who has been heard this lately is on the line. */
const HEARD_WITHIN_MS = 300;
const TURN_MS = 1;
/** Of how late frames were said, so much is kept. */
const LATE_MAX = 200_000;

/** Callers to be placed. */
export interface Placing {
  /** Names the run they are of; begins every provider's name for a call. */
  readonly label: string;
  readonly kind: CallerKind;
  readonly count: number;
  readonly callsPerSecond: number;
  readonly urls: readonly string[];
  readonly jitterMs: number;
  /** A key is pressed this often by each: something to be told of that must not be lost. */
  readonly digitEveryMs: number;
}

/** One leg, and what a fault did to it. Durations are null where nothing of the kind happened. */
export interface LegFigures extends Heard {
  readonly kind: CallerKind;
  readonly callId: string | null;
  readonly callSid: string | null;
  readonly cause: BreakCause | null;
  /** From the fault until its line was known to be lost. */
  readonly detectMs: number | null;
  /** From dialling the line that was let in until it was in its call; for a provider, to the first echo. */
  readonly resumeMs: number | null;
  readonly refusedLines: number;
  readonly refusals: readonly string[];
  /** It is not heard any more, or was told that its call is gone. */
  readonly isLost: boolean;
  readonly otherFrames: number;
}

/** How the legs of a run are, at a moment. */
export interface CrowdState {
  readonly onLine: number;
  /** Heard on a line they came back on. */
  readonly back: number;
  readonly over: number;
}

interface Member {
  readonly caller: FailoverCaller;
  readonly digitEveryMs: number;
  nextFrameAtMs: AtMs;
  nextDigitAtMs: AtMs;
}

/** Callers of many kinds on one schedule; who has no line goes on counting its frames. */
export class Crowd {
  readonly #runs = new Map<string, Member[]>();
  #lateMs: number[] = [];
  #isTurning = false;

  /** Dials them one after the other; answers why some were not let in. */
  async place(placing: Placing): Promise<readonly string[]> {
    const members = this.#runs.get(placing.label) ?? [];
    this.#runs.set(placing.label, members);
    const refusals: string[] = [];
    const startedAtMs = systemClock.nowMs();
    const dialling = Array.from({ length: placing.count }, async (_, i) => {
      await sleep(systemClock, startedAtMs + (i * 1000) / placing.callsPerSecond - systemClock.nowMs());
      const caller = openCaller(placing, i);
      try {
        await caller.dial();
        members.push(this.#memberOf(caller, placing, i));
      } catch (error) {
        refusals.push(messageOf(error));
      }
    });
    this.#begin();
    await Promise.all(dialling);
    return refusals;
  }

  state(label: string, faultAtMs: AtMs): CrowdState {
    const nowMs = systemClock.nowMs();
    const callers = this.#callersOf(label);
    const isOnLine = ({ ear }: FailoverCaller): boolean => nowMs - ear.lastAtMs < HEARD_WITHIN_MS;
    const isBack = (caller: FailoverCaller): boolean => {
      const backAtMs = caller.breaks.since(faultAtMs)?.backAtMs ?? null;
      return backAtMs !== null && caller.ear.lastAtMs > backAtMs;
    };
    return {
      onLine: callers.filter(isOnLine).length,
      back: callers.filter(isBack).length,
      over: callers.filter(({ isOver }) => isOver).length,
    };
  }

  /** What the fault did to each leg of the run, until now. */
  legs(label: string, faultAtMs: AtMs): readonly LegFigures[] {
    const nowMs = systemClock.nowMs();
    return this.#callersOf(label).map((caller) => figuresOf(caller, faultAtMs, nowMs));
  }

  /** Whoever hung up is forgotten with its run. */
  async hangUp(label: string): Promise<void> {
    const callers = this.#callersOf(label);
    for (const caller of callers) caller.hangUp();
    this.#runs.delete(label);
    await sleep(systemClock, 200);
    for (const caller of callers) caller.destroy();
  }

  /** How late frames were said since it was asked last: the noise of the machine, and of this load. */
  lateMs(): readonly number[] {
    const late = this.#lateMs;
    this.#lateMs = [];
    return late;
  }

  #callersOf(label: string): FailoverCaller[] {
    return (this.#runs.get(label) ?? []).map(({ caller }) => caller);
  }

  #memberOf(caller: FailoverCaller, { count, digitEveryMs }: Placing, index: number): Member {
    const nowMs = systemClock.nowMs();
    const share = index / count;
    const nextDigitAtMs = nowMs + digitEveryMs * (0.2 + 0.8 * share);
    return { caller, digitEveryMs, nextFrameAtMs: nowMs + FRAME_MS * share, nextDigitAtMs };
  }

  #begin(): void {
    if (this.#isTurning) return;
    this.#isTurning = true;
    this.#turn();
  }

  readonly #turn = (): void => {
    for (const members of this.#runs.values()) for (const member of members) this.#speak(member);
    setTimeout(this.#turn, TURN_MS);
  };

  #speak(member: Member): void {
    const { caller } = member;
    const nowMs = systemClock.nowMs();
    if (nowMs < member.nextFrameAtMs || caller.isOver) return;
    if (this.#lateMs.length < LATE_MAX) this.#lateMs.push(nowMs - member.nextFrameAtMs);
    member.nextFrameAtMs += FRAME_MS;
    caller.speak(nowMs);
    if (nowMs < member.nextDigitAtMs) return;
    member.nextDigitAtMs += member.digitEveryMs;
    caller.press('5');
  }
}

function openCaller({ label, kind, urls, jitterMs }: Placing, index: number): FailoverCaller {
  const ratio = (): number => randomRatio(systemClock);
  const wish = { urls, jitterMs, ratio, name: `CA${label}x${index}` };
  return kind === 'native' ? new NativeCaller(wish) : new TwilioCaller(wish);
}

function figuresOf(caller: FailoverCaller, faultAtMs: AtMs, nowMs: AtMs): LegFigures {
  const { kind, callId, callSid, ear, breaks, isOver } = caller;
  const one = breaks.since(faultAtMs);
  const resumeMs =
    one === undefined || one.backAtMs === null || one.dialledAtMs === null
      ? null
      : one.backAtMs - one.dialledAtMs;
  return {
    kind,
    callId,
    callSid,
    cause: one?.cause ?? null,
    detectMs: one === undefined ? null : one.noticedAtMs - faultAtMs,
    resumeMs,
    refusedLines: one?.refusedLines ?? 0,
    refusals: breaks.refusals,
    isLost: isOver || nowMs - ear.lastAtMs > HEARD_WITHIN_MS,
    otherFrames: ear.otherFrames,
    ...ear.heard(faultAtMs, nowMs),
  };
}
