import { sleep, type Clock } from '../../base/clock.ts';
import type { OwnerLink } from '../../cluster/arrival.ts';
import type { PeerLink, PeerState } from '../../cluster/peers/peer-link.ts';
import type { GiveQuestion } from '../../cluster/peers/peer-messages.ts';
import { SUSPECT_MS } from '../../cluster/peers/peer-life.ts';
import type { Peers } from '../../cluster/peers/peers.ts';
import type { Registry } from '../../cluster/registry.ts';
import { CLAIM_NEW_MS } from '../../cluster/timing.ts';
import type { CommandResult } from '../../events/commands.ts';

const LOOK_EVERY_MS = 10;
/** Its lines speak on there meanwhile. */
const LEAVING_MS = 1_000;
/** A node that is there is dialled again within a few milliseconds. */
const REDIALLED_MS = 500;
/** Peers that are gone are remembered to date what was lost with them; beyond it the oldest is forgotten. */
const SILENT_MAX = 1_024;

/** How other nodes answer, and since when they do not. */
export class OwnerLinks {
  /** Peers whose loss can be dated no more: too many are gone. */
  forgottenSilent = 0;
  readonly #peers: () => Peers;
  readonly #clock: Clock;
  readonly #registry: Pick<Registry, 'nodes'>;
  readonly #silentSinceUnixMs = new Map<string, number>();
  readonly #knownBy = new WeakMap<PeerLink, string>();

  constructor(peers: () => Peers, clock: Clock, registry: Pick<Registry, 'nodes'>) {
    this.#peers = peers;
    this.#clock = clock;
    this.#registry = registry;
  }

  /** As the links tell it, at once. */
  changed(state: PeerState, link: PeerLink): void {
    if (state.name === 'open') {
      this.#knownBy.set(link, state.peer);
      this.#silentSinceUnixMs.delete(state.peer);
    }
    const peer = this.#knownBy.get(link);
    if (peer === undefined || state.name === 'open' || this.#silentSinceUnixMs.has(peer)) return;
    // Two that dialled each other at once keep one link: the other one's end says nothing of the node.
    if (this.#peers().stateOf(peer)?.name === 'open') return;
    const alreadyMs = state.name === 'suspect' ? SUSPECT_MS : 0;
    this.#silentSinceUnixMs.set(peer, this.#clock.unixMs() - alreadyMs);
    const [oldest] = this.#silentSinceUnixMs.keys();
    if (this.#silentSinceUnixMs.size <= SILENT_MAX || oldest === undefined) return;
    this.#silentSinceUnixMs.delete(oldest);
    this.forgottenSilent++;
  }

  /** Since when that node has not been heard; now where nobody can say. */
  lostSinceUnixMs(incarnation: string): number {
    return this.#silentSinceUnixMs.get(incarnation) ?? this.#clock.unixMs();
  }

  /**
   * As `settled`, once a link that has just broken was dialled again: whether its node is gone, or the link
   * was all that broke.
   */
  redialled(incarnation: string): Promise<OwnerLink> {
    const isTold = (state: PeerState): boolean => linkOf(state) !== 'none';
    return this.#when(incarnation, isTold, REDIALLED_MS);
  }

  /**
   * A link that is being dialled, or soon will be, is waited for, no longer than a question. A node of a
   * region that is lost is never met: it is not in the registry here.
   */
  async settled(incarnation: string): Promise<OwnerLink> {
    if (this.#peers().stateOf(incarnation) === undefined) {
      const nodes = await this.#registry.nodes();
      if (nodes?.every((node) => node.incarnation !== incarnation) === true) return 'none';
    }
    return this.#when(incarnation, ({ name }) => name !== 'greeting', CLAIM_NEW_MS);
  }

  /** How the link is once it tells what is asked; `none` where it does not in time. */
  async #when(
    incarnation: string,
    isTold: (state: PeerState) => boolean,
    withinMs: number,
  ): Promise<OwnerLink> {
    const untilMs = this.#clock.nowMs() + withinMs;
    for (;;) {
      const state = this.#peers().stateOf(incarnation);
      if (state !== undefined && isTold(state)) return linkOf(state);
      if (this.#clock.nowMs() >= untilMs) return 'none';
      await sleep(this.#clock, LOOK_EVERY_MS);
    }
  }

  /** One that leaves is known to be well, and has much to do: it is waited for longer. */
  async ask(
    incarnation: string,
    wanted: Omit<GiveQuestion, 'name'>,
    isLeaving = false,
  ): Promise<CommandResult> {
    const link = this.#peers().find(incarnation);
    if (link === undefined) return { ok: false, fault: 'unavailable', detail: 'the link is gone' };
    return link.ask({ name: 'give', ...wanted }, isLeaving ? LEAVING_MS : undefined);
  }

  /** Which of these nodes says that it has the call, where no registry can be asked. */
  async holderOf(callId: string, incarnations: readonly string[]): Promise<string | null> {
    const answers = incarnations.map(async (incarnation) => {
      const answer = await this.#peers().find(incarnation)?.ask({ name: 'holds', call_id: callId });
      return answer?.ok === true && answer.value === true ? incarnation : undefined;
    });
    return (await Promise.all(answers)).find((holder) => holder !== undefined) ?? null;
  }
}

function linkOf(state: PeerState): OwnerLink {
  if (state.name === 'open' || state.name === 'suspect') return state.name;
  return state.name === 'closed' && state.why === 'refused' ? 'refused' : 'none';
}
