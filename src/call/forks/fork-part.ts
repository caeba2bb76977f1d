import type { AtMs } from '../../base/clock.ts';
import { messageOf, VoiceError } from '../../base/errors.ts';
import { newId } from '../../base/ids.ts';
import type { CallCommand, ForkCommand } from '../../events/call-commands.ts';
import type { VoiceEdge } from '../../media/voice/voice-edges.ts';
import type { CallDesk } from '../call-desk.ts';
import type { CallPart, MakeCallPart } from '../call-part.ts';
import { done, failed, type Asker, type Outcome } from '../commands/outcome.ts';
import { LegParty } from '../parties/party.ts';
import type { Member } from '../parties/roster.ts';
import type { ForkDialler } from './fork-line.ts';
import { Fork } from './fork.ts';

/** Copies of one call that may go out at once. */
export const FORKS_MAX = 4;

/** Forks for calls: copies of their sound to whoever analyses it. */
export function forksFor(dialler: ForkDialler): MakeCallPart {
  return (desk) => new ForkPart(desk, dialler);
}

class ForkPart implements CallPart {
  readonly commands = ['fork', 'stop_fork'] as const;
  readonly #desk: CallDesk;
  readonly #dialler: ForkDialler;
  #forks: readonly Fork[] = [];

  constructor(desk: CallDesk, dialler: ForkDialler) {
    this.#desk = desk;
    this.#dialler = dialler;
  }

  command(command: CallCommand, _asker: Asker, nowMs: AtMs): Outcome {
    if (command.name === 'fork') return this.#fork(command, nowMs);
    if (command.name !== 'stop_fork') return failed('internal', 'that is not for forks');
    const fork = this.#forks.find(({ id }) => id === command.fork_id);
    if (fork === undefined) return failed('not_found', `${command.fork_id} is no fork of this call`);
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

  onLeft({ party }: Member, nowMs: AtMs): void {
    for (const fork of this.#forks) if (fork.party === party) fork.end('leg_gone', nowMs);
  }

  sweep(nowMs: AtMs): void {
    for (const fork of this.#forks) fork.sweep(nowMs);
  }

  onEnding(nowMs: AtMs): void {
    for (const fork of this.#forks) fork.end('call_ended', nowMs);
  }

  #fork(command: ForkCommand, nowMs: AtMs): Outcome {
    const { roster, clock } = this.#desk;
    const member = command.leg_id === null ? roster.caller : roster.find(command.leg_id);
    const party = member?.party;
    if (party === undefined) return failed('not_found', `${command.leg_id ?? 'the caller'} is not here`);
    if (!(party instanceof LegParty)) {
      return failed('failed_precondition', `${party.id} is software of the house and has no line`);
    }
    if (this.#forks.length >= FORKS_MAX) return failed('conflict', `a call has at most ${FORKS_MAX} forks`);
    if (command.codec === 'pcmu' && party.sampleRateHz !== 8000) {
      return failed('failed_precondition', 'µ-law is for lines of 8 kHz; this one has 16');
    }
    const onEnded = (ended: Fork): void => {
      this.#forks = this.#forks.filter((other) => other !== ended);
    };
    const fork = new Fork({
      id: newId('fork', clock),
      desk: this.#desk,
      dialler: this.#dialler,
      command,
      party,
      onEnded,
    });
    try {
      fork.start();
    } catch (error) {
      if (!(error instanceof VoiceError)) throw error;
      return failed(error.code, messageOf(error));
    }
    this.#forks = [...this.#forks, fork];
    // Whoever is speaking already began before the gate was there.
    if (member?.voice !== undefined) fork.onVoice(true, nowMs);
    return done({ fork_id: fork.id, leg_id: party.id });
  }
}
