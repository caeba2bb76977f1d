import { connect, type Socket } from 'node:net';
import type { AtMs, Cancel, Clock } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import type { Ask, AskResult } from '../events/asks.ts';
import type { Command, CommandResult } from '../events/commands.ts';
import type { NodeHello, NodeStatus } from './messages.ts';
import { NodeConversation, type AskingStats } from './node-conversation.ts';
import { NodeBurial, type NodeBurialOptions } from './node-burial.ts';
import { giveUpSpool, hasSpooled } from './spool/recovery.ts';

const REDIAL_FIRST_MS = 10;
const REDIAL_MAX_MS = 250;
const CONVERSATION_MS = 1000;
const RETRY_MS = 500;

/** A node as control sees it. */
export interface ConnectedNode {
  readonly incarnation: string;
  readonly hello: NodeHello;
  /** What it last said of itself; undefined until it has. */
  readonly status: NodeStatus | undefined;
  readonly isConnected: boolean;
  /** Connected, and `onConnected` has brought it everything it needs. */
  readonly isServing: boolean;
}

export interface NodeLifelineOptions extends NodeBurialOptions {
  /** How long an empty spool may wait for its node's socket to appear. */
  readonly graceMs: number;
  readonly onConnected: (node: ConnectedNode) => Promise<void>;
  readonly onDisconnected: (node: ConnectedNode) => void;
  readonly onAsk: (ask: Ask, incarnation: string) => Promise<AskResult>;
  readonly asking: AskingStats;
  readonly clock: Pick<Clock, 'after' | 'nowMs'>;
}

type Dialled =
  | { readonly name: 'open'; readonly socket: Socket }
  /** Nobody listens there, which only a dead node's socket does. */
  | { readonly name: 'refused' }
  | { readonly name: 'absent' }
  | { readonly name: 'failed'; readonly detail: string };

/**
 * Follows one incarnation of a node from its first sign to its end: dials, converses, dials again; and once
 * its death is proven buries it.
 */
export class NodeLifeline {
  /** Resolves when the incarnation is dead and gone, or control closes. */
  readonly ended: Promise<void>;
  readonly #options: NodeLifelineOptions;
  readonly #burial: NodeBurial;
  readonly #firstSeenAtMs: AtMs;
  /** The socket that is open, before and after its hello. */
  #open: NodeConversation | undefined;
  #conversation: NodeConversation | undefined;
  #hello: NodeHello | undefined;
  #status: NodeStatus | undefined;
  #isServing = false;
  #isGivenUp = false;
  #wasListening = false;
  #isClosed = false;
  #wake: () => void = () => {};

  constructor(options: NodeLifelineOptions) {
    this.#options = options;
    this.#burial = new NodeBurial(options);
    this.#firstSeenAtMs = options.clock.nowMs();
    this.ended = this.#live();
  }

  get node(): ConnectedNode | undefined {
    return this.#hello === undefined ? undefined : this.#nodeOf(this.#hello);
  }

  ask(command: Command, timeoutMs: number): Promise<CommandResult> {
    if (this.#conversation !== undefined) return this.#conversation.ask(command, timeoutMs);
    return Promise.resolve({ ok: false, fault: 'unavailable', detail: 'the node is not connected' });
  }

  /** The socket was seen: whoever waits before the next dial stops waiting. */
  socketAppeared(): void {
    if (this.#wasListening) return;
    this.#wasListening = true;
    this.#wake();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#open?.close();
    this.#burial.stop();
    this.#wake();
    await this.ended;
  }

  async #live(): Promise<void> {
    let delayMs = REDIAL_FIRST_MS;
    while (!this.#isClosed) {
      const heldMs = await this.#meet();
      if (heldMs === 'dead') return this.#burial.run();
      // At once after a real conversation; a node that ends every one of them must not keep us busy.
      delayMs =
        heldMs >= CONVERSATION_MS ? 0 : Math.min(Math.max(delayMs * 2, REDIAL_FIRST_MS), REDIAL_MAX_MS);
      if (!this.#isClosed && delayMs > 0) await this.#pause(delayMs);
    }
  }

  /** One attempt: how long the conversation held, or that the node is dead. */
  async #meet(): Promise<number | 'dead'> {
    const { socketPath, spoolDir, incarnation, clock, log } = this.#options;
    const startedAtMs = clock.nowMs();
    try {
      // Asked before the dial, for the socket may appear right after it: a node listens before it spools, so
      // records without a socket are a dead one's, and so is a socket that was there and is not.
      const mustListen = this.#wasListening || hasSpooled(spoolDir);
      const dialled = await dial(socketPath);
      if (dialled.name === 'open') await this.#converse(dialled.socket);
      else if (this.#isDead(dialled, mustListen)) return 'dead';
    } catch (error) {
      log.error({ incarnation, error: messageOf(error) }, 'a node could not be met; control tries again');
    }
    return clock.nowMs() - startedAtMs;
  }

  async #converse(socket: Socket): Promise<void> {
    if (this.#isClosed) {
      socket.destroy();
      return;
    }
    const { incarnation, queue, asking, onAsk, clock, log } = this.#options;
    this.#wasListening = true;
    const conversation = new NodeConversation(socket, {
      incarnation,
      queue,
      stats: asking,
      onAsk: (ask) => onAsk(ask, incarnation),
      clock,
      log,
      onHello: (hello) => {
        this.#hello = hello;
        this.#conversation = conversation;
        void this.#prepare(conversation, this.#nodeOf(hello));
      },
      onStatus: (status) => (this.#status = status),
    });
    this.#open = conversation;
    socket.once('close', () => this.#disconnected(conversation));
    await conversation.ended;
  }

  /** Brings the node what it needs, until that has worked or the connection is gone. */
  async #prepare(conversation: NodeConversation, node: ConnectedNode): Promise<void> {
    const { incarnation, onConnected, clock, log } = this.#options;
    try {
      await onConnected(node);
      if (this.#conversation === conversation) this.#isServing = true;
    } catch (error) {
      log.warn({ incarnation, error: messageOf(error) }, 'a node could not be prepared; control tries again');
      clock.after(RETRY_MS, () => {
        if (this.#conversation === conversation) void this.#prepare(conversation, node);
      });
    }
  }

  #disconnected(conversation: NodeConversation): void {
    if (this.#conversation !== conversation) return;
    this.#conversation = undefined;
    this.#isServing = false;
    const node = this.node;
    if (node !== undefined) this.#options.onDisconnected(node);
  }

  #isDead(dialled: Dialled, mustListen: boolean): boolean {
    if (dialled.name === 'refused') return true;
    if (dialled.name === 'absent') return mustListen || this.#isStillborn();
    const { incarnation, log } = this.#options;
    log.warn({ ...dialled, incarnation }, 'a node cannot be dialled; control tries again');
    return false;
  }

  /** Nothing spooled and no socket for the whole grace, and the node has been told so by the tombstone. */
  #isStillborn(): boolean {
    const { clock, graceMs, spoolDir } = this.#options;
    if (clock.nowMs() - this.#firstSeenAtMs < graceMs) return false;
    if (!this.#isGivenUp) {
      // The dial after this one decides. Either it finds the socket, or the node, which looks for the
      // tombstone after its socket is in place, finds that and gives this start up.
      this.#isGivenUp = giveUpSpool(spoolDir);
      return !this.#isGivenUp;
    }
    return true;
  }

  #nodeOf(hello: NodeHello): ConnectedNode {
    return {
      incarnation: this.#options.incarnation,
      hello,
      status: this.#status,
      isConnected: this.#conversation !== undefined,
      isServing: this.#isServing,
    };
  }

  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel: Cancel = this.#options.clock.after(delayMs, resolve);
      this.#wake = () => {
        cancel();
        resolve();
      };
    });
  }
}

function dial(path: string): Promise<Dialled> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => resolve({ name: 'open', socket }));
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED') resolve({ name: 'refused' });
      else if (error.code === 'ENOENT') resolve({ name: 'absent' });
      else resolve({ name: 'failed', detail: error.message });
    });
  });
}
