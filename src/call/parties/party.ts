import type { AtMs } from '../../base/clock.ts';
import type { LegRole } from '../../base/roles.ts';
import type { BuiltInAgent, LegSummary } from '../../events/catalogue.ts';
import { HOUSE_RATES_HZ, houseRateHz } from '../../leg/house-rate.ts';
import type { Leg } from '../../leg/leg.ts';
import type { LegEndReason } from '../../leg/state.ts';
import type { AudioFormat } from '../../media/format.ts';

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

/** What is known of a line wherever it ends. */
export interface LineFacts {
  readonly inbound: AudioFormat;
  readonly outbound: AudioFormat;
  readonly bidirectional: boolean;
  readonly providerCallId: string | null;
  readonly providerStreamId: string | null;
  /** We dialled it: it does not come back by itself. */
  readonly isDialled: boolean;
}

/** The line of a party that another node had: its place is kept, and a leg of the same id may take it. */
export class LostLine implements Party {
  readonly id: string;
  readonly role: LegRole;
  readonly dialectName: string;
  readonly codecName: string | null;
  readonly sampleRateHz: number;
  readonly lostAtMs: AtMs;
  /** Undefined where the party has left: only its name is remembered. */
  readonly facts: LineFacts | undefined;

  constructor(summary: LegSummary, facts: LineFacts | undefined, lostAtMs: AtMs) {
    this.id = summary.leg_id;
    this.role = summary.role;
    this.dialectName = summary.dialect;
    this.codecName = summary.codec;
    this.sampleRateHz = facts === undefined ? HOUSE_RATES_HZ[0] : houseRateHz(facts);
    this.facts = facts;
    this.lostAtMs = lostAtMs;
  }

  get isPaced(): boolean {
    return this.role === 'agent';
  }

  end(): void {
    // Nothing of it is here.
  }
}

/** Since when a party's line is gone; undefined while it is there. */
export function lostAtMsOf(party: Party): AtMs | undefined {
  if (party instanceof LostLine) return party.lostAtMs;
  if (!(party instanceof LegParty) || party.leg.state.name !== 'lost') return undefined;
  return party.leg.state.enteredAtMs;
}

/** Whether a line is there, or may come back: software of the house alone keeps no call alive. */
export function isOnALine({ party }: { readonly party: Party }): boolean {
  return !(party instanceof BuiltInParty);
}

/** What a party's line is, here or lost; undefined for software of the house. */
export function lineOf({ party, agent }: { party: Party; agent?: unknown }): LineFacts | undefined {
  if (party instanceof LostLine) return party.facts;
  if (!(party instanceof LegParty)) return undefined;
  const { inbound, outbound, bidirectional, providerCallId, providerStreamId } = party.leg.started;
  const isDialled = agent !== undefined;
  return { inbound, outbound, bidirectional, providerCallId, providerStreamId, isDialled };
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
