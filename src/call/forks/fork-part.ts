import type { AtMs } from '../../base/clock.ts';
import { messageOf, VoiceError } from '../../base/errors.ts';
import { newId } from '../../base/ids.ts';
import type { JsonObject } from '../../base/json.ts';
import type { CallCommand } from '../../events/call-commands.ts';
import type { ForkCommand } from '../../events/call-commands/fork.ts';
import type { CommandResult } from '../../events/commands.ts';
import type { VoiceEdge } from '../../media/voice/voice-edges.ts';
import type { CallDesk } from '../call-desk.ts';
import type { CallPart, MakeCallPart } from '../call-part.ts';
import { done, failed, type Asker, type Outcome } from '../commands/outcome.ts';
import { LegParty } from '../parties/party.ts';
import type { Member } from '../parties/roster.ts';
import type { ForkDialler } from './fork-line.ts';
import { Fork, tellForkEnded, type ForkEndReason, type ForkOptions } from './fork.ts';
import { keepFork, readKeptFork, type ForkSecrets, type KeptFork } from './kept-fork.ts';

/** Copies of one call that may go out at once. */
export const FORKS_MAX = 4;

type ForkGiven = 'id' | 'command' | 'sentFrames' | 'droppedFrames';

/** Forks for calls: copies of their sound to whoever analyses it. */
export function forksFor(dialler: ForkDialler, secrets?: ForkSecrets): MakeCallPart {
  return (desk) => new ForkPart(desk, dialler, secrets);
}

/** The forks of one call. */
export class ForkPart implements CallPart {
  readonly name = 'forks';
  readonly commands = ['fork', 'stop_fork'] as const;
  readonly #desk: CallDesk;
  readonly #dialler: ForkDialler;
  /** Without them a fork does not survive its node. */
  readonly #secrets: ForkSecrets | undefined;
  #forks: readonly Fork[] = [];
  /** Of a call that was restored, until their legs are back. */
  #awaited: readonly KeptFork[] = [];

  constructor(desk: CallDesk, dialler: ForkDialler, secrets?: ForkSecrets) {
    this.#desk = desk;
    this.#dialler = dialler;
    this.#secrets = secrets;
  }

  command(command: CallCommand, _asker: Asker, nowMs: AtMs): Outcome {
    if (command.name === 'fork') return this.#fork(command, nowMs);
    if (command.name !== 'stop_fork') return failed('internal', 'that is not for forks');
    const { fork_id } = command;
    if (this.#endAwaited(({ id }) => id === fork_id, 'stopped', nowMs) > 0) return done({ fork_id });
    const fork = this.#forks.find(({ id }) => id === fork_id);
    if (fork === undefined) return failed('not_found', `${fork_id} is no fork of this call`);
    fork.end('stopped', nowMs);
    return done({ fork_id: fork.id });
  }

  onFrame(speaker: Member, frame: Int16Array, nowMs: AtMs): void {
    for (let i = 0; i < this.#forks.length; i++) {
      const fork = this.#forks[i]!;
      if (fork.party === speaker.party) fork.incoming(frame, nowMs);
    }
  }

  onVoice({ party }: Member, edge: VoiceEdge, nowMs: AtMs): void {
    for (const fork of this.#forks) {
      if (fork.party === party) fork.onVoice(edge.type === 'voice_detected', nowMs);
    }
  }

  onReturned(member: Member, nowMs: AtMs): void {
    const { party } = member;
    const back = this.#awaited.filter(({ legId }) => legId === party.id);
    this.#awaited = this.#awaited.filter((kept) => !back.includes(kept));
    for (const kept of back) {
      const { command } = kept;
      const outcome = command === undefined ? undefined : this.#open(member, { ...kept, command }, nowMs);
      if (outcome?.ok !== true) tellForkEnded(this.#desk, kept, 'unreachable', nowMs);
    }
  }

  onLeft({ party }: Member, nowMs: AtMs): void {
    this.#endAwaited(({ legId }) => legId === party.id, 'leg_gone', nowMs);
    for (const fork of this.#forks) if (fork.party === party) fork.end('leg_gone', nowMs);
  }

  sweep(nowMs: AtMs): void {
    for (const fork of this.#forks) fork.sweep(nowMs);
  }

  onEnding(nowMs: AtMs): void {
    this.#endAwaited(() => true, 'call_ended', nowMs);
    for (const fork of this.#forks) fork.end('call_ended', nowMs);
  }

  onSurrendered(): void {
    for (const fork of this.#forks) fork.leave();
    this.#forks = [];
    this.#awaited = [];
  }

  save(): JsonObject | undefined {
    const kept = [...this.#awaited, ...this.#forks.map((fork) => fork.kept)];
    return kept.length === 0 ? undefined : { forks: kept.map((one) => keepFork(one, this.#secrets)) };
  }

  restore(saved: JsonObject | undefined): void {
    const forks = Array.isArray(saved?.['forks']) ? saved['forks'].slice(0, FORKS_MAX) : [];
    this.#awaited = forks.flatMap((kept) => readKeptFork(kept, this.#secrets) ?? []);
  }

  #endAwaited(isMeant: (kept: KeptFork) => boolean, reason: ForkEndReason, nowMs: AtMs): number {
    const meant = this.#awaited.filter(isMeant);
    this.#awaited = this.#awaited.filter((kept) => !meant.includes(kept));
    for (const kept of meant) tellForkEnded(this.#desk, kept, reason, nowMs);
    return meant.length;
  }

  #fork(command: ForkCommand, nowMs: AtMs): Outcome {
    const { roster, clock } = this.#desk;
    const member = command.leg_id === null ? roster.caller : roster.find(command.leg_id);
    if (member === undefined) return failed('not_found', `${command.leg_id ?? 'the caller'} is not here`);
    const { party } = member;
    if (!(party instanceof LegParty)) {
      return failed('failed_precondition', `${party.id} is software of the house and has no line`);
    }
    if (this.#forks.length + this.#awaited.length >= FORKS_MAX) {
      return failed('conflict', `a call has at most ${FORKS_MAX} forks`);
    }
    if (command.codec === 'pcmu' && party.sampleRateHz !== 8000) {
      return failed('failed_precondition', 'µ-law is for lines of 8 kHz; this one has 16');
    }
    return this.#open(member, { id: newId('fork', clock), command }, nowMs);
  }

  #open(member: Member, given: Pick<ForkOptions, ForkGiven>, nowMs: AtMs): CommandResult {
    const { party } = member;
    if (!(party instanceof LegParty)) return failed('failed_precondition', `${party.id} has no line`);
    const onEnded = (ended: Fork): void => {
      this.#forks = this.#forks.filter((other) => other !== ended);
    };
    const fork = new Fork({ ...given, desk: this.#desk, dialler: this.#dialler, party, onEnded });
    try {
      fork.start();
    } catch (error) {
      if (!(error instanceof VoiceError)) throw error;
      return failed(error.code, messageOf(error));
    }
    this.#forks = [...this.#forks, fork];
    // Whoever is speaking already began before the gate was there.
    if (member.voice !== undefined) fork.onVoice(true, nowMs);
    return done({ fork_id: fork.id, leg_id: party.id });
  }
}
