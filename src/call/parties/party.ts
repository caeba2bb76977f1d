import type { AtMs } from '../../base/clock.ts';
import type { LegRole } from '../../base/roles.ts';
import type { BuiltInAgent } from '../../events/catalogue.ts';
import type { Leg } from '../../leg/leg.ts';
import type { LegEndReason } from '../../leg/state.ts';

/** Anybody on the line: a leg with a socket, or software of the house. */
export interface Party {
  readonly id: string;
  readonly role: LegRole;
  readonly dialectName: string;
  readonly codecName: string | null;
  /** The rate of what it says. */
  readonly sampleRateHz: number;
  /** May speak faster than real time: what it says queues at whoever hears it. */
  readonly isPaced: boolean;
  end(reason: LegEndReason, closeCode: number, nowMs: AtMs): void;
}

/** A party with a line of its own. */
export class LegParty implements Party {
  readonly leg: Leg;

  constructor(leg: Leg) {
    this.leg = leg;
  }

  get id(): string {
    return this.leg.id;
  }

  get role(): LegRole {
    return this.leg.role;
  }

  get dialectName(): string {
    return this.leg.dialectName;
  }

  get codecName(): string {
    return this.leg.codecName;
  }

  get sampleRateHz(): number {
    return this.leg.sampleRateHz;
  }

  get isPaced(): boolean {
    return this.leg.role === 'agent';
  }

  end(reason: LegEndReason, closeCode: number, nowMs: AtMs): void {
    this.leg.end(reason, closeCode, nowMs);
  }
}

/** What a built-in agent may do: speak. Its barge-in policy is `ignore` (contract.md §5.2). */
export type Speak = (frame: Int16Array, nowMs: AtMs) => void;

/** Software on the line, without a socket: it hears the caller and nobody else. */
export class BuiltInParty implements Party {
  readonly id: string;
  readonly role = 'agent';
  readonly codecName = null;
  readonly isPaced = false;
  readonly dialectName: BuiltInAgent;
  readonly sampleRateHz: number;
  readonly #speak: Speak;
  #hasEnded = false;

  constructor(id: string, agent: BuiltInAgent, sampleRateHz: number, speak: Speak) {
    this.id = id;
    this.dialectName = agent;
    this.sampleRateHz = sampleRateHz;
    this.#speak = speak;
  }

  /** One frame of the caller, valid until this returns. */
  hear(frame: Int16Array, nowMs: AtMs): void {
    if (this.dialectName === 'echo' && !this.#hasEnded) this.#speak(frame, nowMs);
  }

  end(): void {
    this.#hasEnded = true;
  }
}
