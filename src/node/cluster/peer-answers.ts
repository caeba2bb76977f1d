import type { Clock } from '../../base/clock.ts';
import { messageOf } from '../../base/errors.ts';
import type { JsonObject } from '../../base/json.ts';
import type { Call } from '../../call/call.ts';
import type { CallDirectory } from '../../call/directory.ts';
import { LegParty, type Party } from '../../call/parties/party.ts';
import type { PeerHandlers, PeerLink, PeerState } from '../../cluster/peers/peer-link.ts';
import type { GiveQuestion, PeerQuestion } from '../../cluster/peers/peer-messages.ts';
import type { CommandResult, CommandToCall } from '../../events/commands.ts';
import { TAIL, type RelayWay } from '../../gateway/relay/relay-frames.ts';
import type { NodeDrain } from '../drain/node-drain.ts';
import { TAIL_MS, type Tails } from '../drain/tails.ts';
import type { NodeLog } from '../media-node.ts';
import type { OwnerLinks } from './owner-links.ts';
import type { Relays } from './relays.ts';

export interface PeerAnswersOptions {
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly calls: CallDirectory;
  readonly links: Pick<OwnerLinks, 'changed'>;
  readonly relays: Pick<Relays, 'carried' | 'ended' | 'letFollow'>;
  /** Lets go of a call whose last word is with another node; its lines have `graceMs` to leave. */
  readonly handOver: (callId: string, graceMs: number) => void;
  /** Whether this node is leaving, with that call, and who of it speaks on meanwhile. */
  readonly leaving: Pick<NodeDrain, 'gives' | 'speakingOn' | 'following'>;
  readonly tails: Pick<Tails, 'give' | 'carried' | 'ended'>;
  /** This node is to leave. */
  readonly drainNode: () => void;
  /** A peer is leaving. */
  readonly onDraining: (incarnation: string) => void;
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

  async answer(question: PeerQuestion, from: RelayWay): Promise<CommandResult> {
    const { calls } = this.#options;
    if (question.name === 'call_command') return this.#command(question);
    if (question.name === 'drain') {
      this.#options.drainNode();
      return { ok: true, value: null };
    }
    const isHeld = calls.get(question.call_id) !== undefined;
    if (question.name === 'holds') return { ok: true, value: isHeld };
    if (!isHeld) return NOT_HELD;
    if (this.#isReplaced(question)) return REPLACED;
    return { ok: true, value: this.#give(question, from) };
  }

  /** Told at once; everything else of how a peer stands is in its next beat. */
  status({ state }: JsonObject, from: PeerLink): void {
    if (state === 'draining' && 'peer' in from.state) this.#options.onDraining(from.state.peer);
  }

  carried(type: number, handle: number, payload: Buffer, from: PeerLink): void {
    if (type >= TAIL.text) return this.#options.tails.carried(type, handle, payload, from);
    this.#options.relays.carried(type, handle, payload, from);
  }

  changed(state: PeerState, link: PeerLink): void {
    this.#options.links.changed(state, link);
    if (state.name !== 'closed') return;
    this.#options.relays.ended(link);
    this.#options.tails.ended(link);
  }

  reportFailure(error: unknown, where: string): void {
    this.#options.log.error({ error: messageOf(error), where }, 'a promise was broken');
  }

  /** A connection its client gave up may be served late, by a node that stood still: it moves nothing. */
  #isReplaced({ call_id, leg_id, generation }: GiveQuestion): boolean {
    const member = leg_id === undefined ? undefined : this.#options.calls.get(call_id)?.roster.find(leg_id);
    return member !== undefined && generation !== undefined && generation < member.generation;
  }

  /**
   * A call whose other parties are on lines of this node stays: what comes elsewhere is but one of them. A
   * node that is leaving has sent them all after it.
   */
  #give(asked: GiveQuestion, to: RelayWay): { readonly snapshot?: string; readonly tails?: object } {
    const { calls, clock, handOver, leaving, relays, tails } = this.#options;
    const callId = asked.call_id;
    const call = calls.get(callId);
    const isLeaving = call !== undefined && leaving.gives(call);
    if (call === undefined || (!isLeaving && staysWith(call, asked))) return {};
    const saved = call.save(clock.nowMs());
    if (saved === undefined) return {};
    const snapshot = JSON.stringify(saved);
    if (!isLeaving) {
      handOver(callId, 0);
      return { snapshot };
    }
    const handles = tails.give(leaving.speakingOn(call), to);
    for (const legId of leaving.following(call)) relays.letFollow(legId);
    handOver(callId, TAIL_MS);
    return { snapshot, tails: handles };
  }

  async #command({ call_id, workspace_id, command }: CommandToCall): Promise<CommandResult> {
    const { calls, clock } = this.#options;
    const call = calls.get(call_id);
    if (call?.facts.workspaceId === workspace_id) return call.command(command, clock.nowMs());
    return NOT_HELD;
  }
}

/**
 * Whether somebody else of the call is on a line here, or more than one of it: then whoever came to another
 * node is carried here. Two who came back at two nodes would else take the call from each other for ever.
 */
export function staysWith(
  { roster }: Pick<Call, 'roster'>,
  { leg_id }: Pick<GiveQuestion, 'leg_id'>,
): boolean {
  const onLines = roster.present.filter(
    ({ party }) => party instanceof LegParty && party.leg.state.name === 'active',
  );
  const isComer = ({ id, role }: Party): boolean =>
    leg_id === undefined ? role === 'caller' : id === leg_id;
  return onLines.length > 1 || onLines.some(({ party, agent }) => agent === undefined && !isComer(party));
}
