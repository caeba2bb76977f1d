import type { Clock } from '../../base/clock.ts';
import { messageOf } from '../../base/errors.ts';
import type { CallDirectory } from '../../call/directory.ts';
import type { PeerHandlers, PeerLink, PeerState } from '../../cluster/peers/peer-link.ts';
import type { GiveQuestion, PeerQuestion } from '../../cluster/peers/peer-messages.ts';
import type { CommandResult, CommandToCall } from '../../events/commands.ts';
import type { NodeLog } from '../media-node.ts';
import type { OwnerLinks } from './owner-links.ts';
import type { Relays } from './relays.ts';

export interface PeerAnswersOptions {
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly calls: CallDirectory;
  readonly links: Pick<OwnerLinks, 'changed'>;
  readonly relays: Pick<Relays, 'carried' | 'ended'>;
  /** Lets go of a call whose last word is with another node. */
  readonly handOver: (callId: string) => void;
  readonly log: NodeLog;
}

const NOT_HELD: CommandResult = {
  ok: false,
  fault: 'call_not_found',
  detail: 'this node has no such call',
};

const REPLACED: CommandResult = {
  ok: false,
  fault: 'leg_replaced',
  detail: 'the leg is on a newer connection',
};

/** What this node answers its peers. */
export class PeerAnswers implements PeerHandlers {
  readonly #options: PeerAnswersOptions;

  constructor(options: PeerAnswersOptions) {
    this.#options = options;
  }

  async answer(question: PeerQuestion): Promise<CommandResult> {
    const { calls } = this.#options;
    if (question.name === 'call_command') return this.#command(question);
    const isHeld = calls.get(question.call_id) !== undefined;
    if (question.name === 'holds') return { ok: true, value: isHeld };
    if (!isHeld) return NOT_HELD;
    if (this.#isReplaced(question)) return REPLACED;
    return { ok: true, value: this.#give(question.call_id) };
  }

  status(): void {
    // How a peer stands is in its next beat.
  }

  carried(type: number, handle: number, payload: Buffer, from: PeerLink): void {
    this.#options.relays.carried(type, handle, payload, from);
  }

  changed(state: PeerState, link: PeerLink): void {
    this.#options.links.changed(state, link);
    if (state.name === 'closed') this.#options.relays.ended(link);
  }

  reportFailure(error: unknown, where: string): void {
    this.#options.log.error({ error: messageOf(error), where }, 'a promise was broken');
  }

  /** A connection that its client gave up may be served late, by a node that stood still: it moves nothing. */
  #isReplaced({ call_id, leg_id, generation }: GiveQuestion): boolean {
    const member = leg_id === undefined ? undefined : this.#options.calls.get(call_id)?.roster.find(leg_id);
    return member !== undefined && generation !== undefined && generation < member.generation;
  }

  /** A call whose other parties are on lines of this node stays: what comes elsewhere is but one of them. */
  #give(callId: string): { readonly snapshot?: string } {
    const { calls, clock, handOver } = this.#options;
    const call = calls.get(callId);
    const activeLegs = call?.legs.filter(({ state }) => state.name === 'active').length ?? 0;
    const saved = activeLegs > 1 ? undefined : call?.save(clock.nowMs());
    if (saved === undefined) return {};
    const snapshot = JSON.stringify(saved);
    handOver(callId);
    return { snapshot };
  }

  async #command({ call_id, workspace_id, command }: CommandToCall): Promise<CommandResult> {
    const { calls, clock } = this.#options;
    const call = calls.get(call_id);
    if (call?.facts.workspaceId === workspace_id) return call.command(command, clock.nowMs());
    return NOT_HELD;
  }
}
