import { sleep, type AtMs, type Cancel, type Clock } from '../../base/clock.ts';
import { messageOf, type FaultCode } from '../../base/errors.ts';
import type { Closeable } from '../../base/lifetime.ts';
import type { NodeRecord } from '../../cluster/node-record.ts';
import { PeerCounts } from '../../cluster/peers/peer-counts.ts';
import type { PeerKeys } from '../../cluster/peers/peer-key.ts';
import type { PeerHandlers, PeerLink } from '../../cluster/peers/peer-link.ts';
import type { PeerQuestion } from '../../cluster/peers/peer-messages.ts';
import type { PeerAddress } from '../../cluster/peers/peer-sockets.ts';
import { Peers } from '../../cluster/peers/peers.ts';
import type { Registry } from '../../cluster/registry.ts';
import type { CommandResult } from '../../events/commands.ts';

/** Questions to nodes of other hosts that may be under way at once; each holds a request of somebody. */
const ASKED_MAX = 256;
/** As long as a node of this host has. */
const ANSWER_WITHIN_MS = 2_000;
/** A node of the same region is linked with in a few milliseconds. */
const LINK_WITHIN_MS = 500;
const LOOK_EVERY_MS = 5;
/** A link that nobody has asked over for so long is given up. */
const IDLE_MS = 60_000;
const LOOK_FOR_IDLE_MS = 10_000;

/**
 * What came of asking a node. `unreached`: nothing was sent, so nothing can have been done, and another may
 * be asked.
 */
export interface Reply {
  readonly isReached: boolean;
  readonly result: CommandResult;
}

export interface NodePeersOptions {
  /** As this process says its name to nodes; never one that owns a call. */
  readonly self: string;
  readonly keys: PeerKeys;
  readonly registry: Pick<Registry, 'nodes'>;
  /** Where a node is; undefined where it cannot be reached from here. */
  readonly placeOf: (node: NodeRecord) => PeerAddress | undefined;
  readonly clock: Clock;
  readonly log: {
    warn(fields: object, sentence: string): void;
    error(fields: object, sentence: string): void;
  };
}

/**
 * Control's links to nodes of other hosts: dialled when there is something to ask, kept while they are used.
 * A node is found by its lease; one that was linked with before is asked even where the registry is away.
 */
export class NodePeers implements Closeable {
  readonly counts = new PeerCounts();
  readonly stats = { asked: 0, refused: 0, unreached: 0 };
  readonly #options: NodePeersOptions;
  readonly #peers: Peers;
  readonly #usedAtMs = new Map<string, AtMs>();
  #underWay = 0;
  #cancelLook: Cancel;

  constructor(options: NodePeersOptions) {
    this.#options = options;
    const { self, keys, clock } = options;
    const handlers = onlyAsking(options.log);
    this.#peers = new Peers({ self, keys, clock, counts: this.counts, handlers });
    this.#cancelLook = clock.after(LOOK_FOR_IDLE_MS, () => this.#forgetIdle());
  }

  /** Nodes that are linked with, or dialled. */
  get links(): number {
    return this.#usedAtMs.size;
  }

  /** Asks one life of a node. Every failure is a reply. */
  async ask(incarnation: string, question: PeerQuestion, withinMs = ANSWER_WITHIN_MS): Promise<Reply> {
    if (this.#underWay >= ASKED_MAX) {
      this.stats.refused++;
      return failed(true, 'overloaded', 'too many questions to other hosts are under way');
    }
    this.#underWay++;
    try {
      const link = await this.#linkTo(incarnation);
      if (link?.state.name !== 'open') {
        this.stats.unreached++;
        return failed(false, 'unavailable', 'the node of this call cannot be reached');
      }
      this.stats.asked++;
      return { isReached: true, result: await link.ask(question, withinMs) };
    } finally {
      this.#underWay--;
    }
  }

  async close(): Promise<void> {
    this.#cancelLook();
    await this.#peers.close();
  }

  async #linkTo(incarnation: string): Promise<PeerLink | undefined> {
    if (!(await this.#isMet(incarnation))) return undefined;
    const { clock } = this.#options;
    this.#usedAtMs.set(incarnation, clock.nowMs());
    const untilMs = clock.nowMs() + LINK_WITHIN_MS;
    for (;;) {
      const state = this.#peers.stateOf(incarnation);
      // Nobody listens there: it is not waited for, and may have been asked for nothing.
      if (state?.name !== 'greeting' || clock.nowMs() >= untilMs) return this.#peers.find(incarnation);
      await sleep(clock, LOOK_EVERY_MS);
    }
  }

  async #isMet(incarnation: string): Promise<boolean> {
    if (this.#usedAtMs.has(incarnation)) return true;
    const { registry, placeOf } = this.#options;
    const nodes = (await registry.nodes()) ?? [];
    const node = nodes.find((record) => record.incarnation === incarnation);
    const place = node === undefined ? undefined : placeOf(node);
    return place !== undefined && this.#peers.meet(incarnation, place);
  }

  #forgetIdle(): void {
    const { clock } = this.#options;
    this.#cancelLook = clock.after(LOOK_FOR_IDLE_MS, () => this.#forgetIdle());
    for (const [incarnation, usedAtMs] of this.#usedAtMs) {
      if (clock.nowMs() - usedAtMs < IDLE_MS) continue;
      this.#usedAtMs.delete(incarnation);
      this.#peers.forget(incarnation);
    }
  }
}

function failed(isReached: boolean, fault: FaultCode, detail: string): Reply {
  return { isReached, result: { ok: false, fault, detail } };
}

/** Control asks nodes; it is no node, and nobody has anything to ask of it here. */
function onlyAsking(log: NodePeersOptions['log']): PeerHandlers {
  return {
    answer: async () => ({ ok: false, fault: 'invalid_argument', detail: 'this is no media node' }),
    status: () => {},
    carried: () => {},
    changed: () => {},
    reportFailure: (error, where) =>
      log.error({ error: messageOf(error), where }, 'a promise to a node of another host was broken'),
  };
}
