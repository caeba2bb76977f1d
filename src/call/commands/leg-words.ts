import type { AtMs } from '../../base/clock.ts';
import type { Refusal } from '../../base/errors.ts';
import { FRAME_MS } from '../../base/units.ts';
import type { CallCommand } from '../../events/call-commands.ts';
import { readCallCommand } from '../../events/call-commands.ts';
import type { CommandResult } from '../../events/commands.ts';
import type { CallEndReason } from '../../events/catalogue.ts';
import type { Leg } from '../../leg/leg.ts';
import type { PlayedMark } from '../../leg/playout.ts';
import type { CallInput } from '../../leg/leg-listener.ts';
import { done, failed, type Outcome } from './outcome.ts';
import type { Conversation } from '../hearing/conversation.ts';
import type { Marks } from '../hearing/marks.ts';
import type { Member } from '../parties/roster.ts';

type InBand = Extract<CallInput, { type: 'command' }>;

/** What is needed to see to a command that came in a leg's own socket. */
export interface LegWordsOptions {
  readonly conversation: Conversation;
  readonly marks: Marks;
  readonly carryOut: (command: CallCommand, member: Member, nowMs: AtMs) => Outcome;
}

/** What a leg asks for in its own socket: of its own audio, and of the call. */
export class LegWords {
  readonly #options: LegWordsOptions;

  constructor(options: LegWordsOptions) {
    this.#options = options;
  }

  obey(member: Member, leg: Leg, { id, name, args }: InBand, nowMs: AtMs): void {
    const markName = args['name'];
    if (name === 'mark') {
      if (typeof markName === 'string') this.#mark(member, leg, markName, nowMs);
      return;
    }
    // The bare word is about what the leg itself has said; a command of this name has an id.
    if (name === 'clear' && id === null) {
      for (const channel of member.channels) channel.clear(nowMs);
      return;
    }
    const command = readCallCommand(name, args);
    if (isRefusal(command)) return answer(leg, id, failed(command.fault, command.detail));
    // Whoever asks for its own end is answered while it can still be.
    if (command.name === 'hang_up') answer(leg, id, done());
    const outcome = this.#options.carryOut(command, member, nowMs);
    if (command.name === 'hang_up') return;
    if (!(outcome instanceof Promise)) return answer(leg, id, outcome);
    outcome.then(
      (result) => answer(leg, id, result),
      () => answer(leg, id, failed('internal', 'the command broke')),
    );
  }

  /** Before nobody's ears everything has been played: the mark comes back at once. */
  #mark(member: Member, leg: Leg, name: string, nowMs: AtMs): void {
    const { conversation, marks } = this.#options;
    const channel = conversation.mainChannelOf(member);
    if (channel === undefined) return tellMark(leg, name, null);
    const { listenerId } = channel;
    marks.ask({ listenerId, name, speakerId: leg.id });
    if (channel.mark(name, nowMs)) return;
    marks.settle(listenerId, name);
    tellMark(leg, name, null);
  }
}

/** How much of the speech was played when its mark was; null where nothing is counted. */
export function playedMsOf({ playedFrames }: PlayedMark): number | null {
  return playedFrames === null ? null : playedFrames * FRAME_MS;
}

/** Tells a speaker that what it marked has been played, where its protocol has words for it. */
export function tellMark(leg: Leg, name: string, playedMs: number | null): void {
  const played = leg.session.writeMarkPlayed?.(name, playedMs);
  if (played !== undefined) leg.send(played);
}

/** Tells the leg what came of its command. A success nobody gave a name to is not told. */
export function answer(leg: Leg, id: string | null, result: CommandResult): void {
  const value = result.ok && typeof result.value === 'object' && result.value !== null ? result.value : {};
  const verdict = result.ok
    ? { id, ok: true, value: { ...value } }
    : { id, ok: false, fault: result.fault, detail: result.detail };
  const message = leg.session.writeAnswer(verdict);
  if (message !== undefined) leg.send(message);
}

/** How a call ends when this leg hangs up. */
export function hangUpOf(leg: Leg, by: 'provider' | 'peer'): CallEndReason {
  if (by === 'provider') return 'provider_stop';
  if (leg.role === 'agent') return 'agent_hangup';
  return leg.role === 'caller' ? 'caller_hangup' : 'human_hangup';
}

function isRefusal(command: CallCommand | Refusal): command is Refusal {
  return 'type' in command && command.type === 'refusal';
}
