import type { AtMs } from '../base/clock.ts';
import type { LegRole } from '../base/roles.ts';
import type { BuiltInAgent, LegSummary } from '../events/catalogue.ts';
import type { Leg } from '../leg/leg.ts';
import type { LegEndReason } from '../leg/state.ts';
import type { VoiceDetected } from '../media/voice/voice-edges.ts';

/** Anybody on the line: a leg with a socket, or software of the house. */
export interface Party {
  readonly id: string;
  readonly role: LegRole;
  readonly dialectName: string;
  readonly codecName: string | null;
  /** One frame of what this party is to hear; copy it to keep it. */
  hear(frame: Int16Array, nowMs: AtMs): void;
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

  hear(frame: Int16Array): void {
    this.leg.forward(frame);
  }

  end(reason: LegEndReason, closeCode: number, nowMs: AtMs): void {
    this.leg.end(reason, closeCode, nowMs);
  }
}

/** What a built-in agent may do: speak. Its barge-in policy is `ignore` (contract.md §5.2). */
export type Speak = (frame: Int16Array, nowMs: AtMs) => void;

/** Software on the line, without a socket. */
export class BuiltInParty implements Party {
  readonly id: string;
  readonly role = 'agent';
  readonly codecName = null;
  readonly dialectName: BuiltInAgent;
  readonly #speak: Speak;
  #hasEnded = false;

  constructor(id: string, agent: BuiltInAgent, speak: Speak) {
    this.id = id;
    this.dialectName = agent;
    this.#speak = speak;
  }

  hear(frame: Int16Array, nowMs: AtMs): void {
    if (this.dialectName === 'echo' && !this.#hasEnded) this.#speak(frame, nowMs);
  }

  end(): void {
    this.#hasEnded = true;
  }
}

/** One party's share of the call, kept for `leg_disconnected` and the post-call payload. */
export interface PartyRecord {
  readonly party: Party;
  summary: LegSummary;
  /** Voiced milliseconds so far. */
  talkMs: number;
  /** The voice that is going on. */
  voice: VoiceDetected | undefined;
}
