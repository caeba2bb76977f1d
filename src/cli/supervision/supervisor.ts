import type { AtMs, Cancel, Clock } from '../../base/clock.ts';
import { newIncarnation } from '../../base/ids.ts';
import { isObject } from '../../base/json.ts';
import type { FromSupervisor, ToSupervisor } from '../../base/supervision.ts';
import { afterDeath, NO_RESTARTS, type Restarts } from './restarts.ts';
import { SignalCount } from './signals.ts';
import { WATCH_MS, Watchdog } from './watchdog.ts';

/** A process that was started. */
export interface Child {
  readonly pid: number | undefined;
  send(message: FromSupervisor): void;
  /** At once, whatever it is doing. */
  kill(): void;
}

export interface ChildEvents {
  readonly onMessage: (message: unknown) => void;
  /** It closed its channel. */
  readonly onDisconnect: () => void;
  /** Called once. */
  readonly onExit: (exit: ChildExit) => void;
}

export interface ChildExit {
  readonly code: number | null;
  readonly signal: string | null;
}

/** Starts `omnivoice` with these arguments. */
export type StartChild = (args: readonly string[], events: ChildEvents) => Child;

export interface SupervisorLog {
  info(facts: object, sentence: string): void;
  warn(facts: object, sentence: string): void;
}

export type Facts = { readonly [name: string]: string };

export interface SupervisorOptions {
  readonly clock: Clock;
  readonly log: SupervisorLog;
  readonly startChild: StartChild;
  readonly mediaNodes: number;
  readonly watchdogMs: number;
  readonly drainDeadlineMs: number;
  /** Everybody listens for the first time; what they want the person who started the house to see. */
  readonly onReady: (facts: Facts) => void;
}

type Phase =
  | { readonly name: 'starting' }
  | { readonly name: 'serving' }
  /** Nodes first; control when they are gone, as their last events go through it. */
  | { readonly name: 'leaving'; readonly how: 'drain' | 'stop'; readonly exitCode: number };

type PostState =
  | { readonly name: 'running'; readonly child: Child; readonly startedAtMs: AtMs; readonly isReady: boolean }
  | { readonly name: 'waiting'; readonly cancel: Cancel }
  | { readonly name: 'empty' };

/** A place that one child after another fills. */
interface Post {
  readonly name: string;
  /** undefined for control. */
  readonly node: number | undefined;
  state: PostState;
  restarts: Restarts;
}

/**
 * A lost node's calls come back to its siblings in these moments, and starting another takes most of a core:
 * they go first.
 */
const SIBLINGS_FIRST_MS = 2000;
/** How long a process may take to leave after its time is up. */
const LEAVE_GRACE_MS = 5000;
/** How long control may go on delivering once the nodes are gone; the rest waits in the store. */
const CONTROL_DRAIN_MS = 10_000;

/** Keeps control and the media nodes running, and lets them go in order. It has no port and no store. */
export class Supervisor {
  /** The exit code, once every child is gone. */
  readonly ended: Promise<number>;
  readonly #options: SupervisorOptions;
  readonly #control: Post = openPost('control', undefined);
  readonly #nodes: readonly Post[];
  readonly #watchdog: Watchdog;
  readonly #signals = new SignalCount();
  #phase: Phase = { name: 'starting' };
  #facts: Facts = {};
  #cancelLook: Cancel = () => {};
  #cancelKill: Cancel = () => {};
  #end: (exitCode: number) => void = () => {};

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    this.#nodes = Array.from({ length: options.mediaNodes }, (_, node) => openPost(`node-${node}`, node));
    this.#watchdog = new Watchdog(options.watchdogMs, options.clock.nowMs());
    for (const post of this.#posts()) this.#fill(post);
    this.#lookLater();
  }

  /** SIGTERM or SIGINT. */
  signal(): void {
    const asked = this.#signals.next(this.#options.clock.nowMs());
    if (asked === undefined) return;
    this.#options.log.info({ asked }, 'signalled');
    if (asked === 'kill') this.#kill(this.#posts(), 'third signal');
    else this.#leave(asked, this.#phase.name === 'leaving' ? this.#phase.exitCode : 0);
  }

  /** SIGHUP. */
  reload(): void {
    for (const post of this.#posts()) send(post, { type: 'reload' });
  }

  #posts(): readonly Post[] {
    return [this.#control, ...this.#nodes];
  }

  #fill(post: Post): void {
    const { clock, startChild, log } = this.#options;
    let hasLeft = false;
    const startedAtMs = clock.nowMs();
    const child = startChild(this.#argumentsOf(post), {
      onMessage: (message) => {
        if (!hasLeft) this.#hear(post, message);
      },
      onDisconnect: () => {
        if (!hasLeft) this.#watchdog.leaving(post.name, clock.nowMs());
      },
      onExit: (exit) => {
        if (hasLeft) return;
        hasLeft = true;
        this.#lose(post, exit, startedAtMs);
      },
    });
    post.state = { name: 'running', child, startedAtMs, isReady: false };
    this.#watchdog.started(post.name, startedAtMs);
    log.info({ child: post.name, child_pid: child.pid }, 'started');
  }

  #argumentsOf({ node }: Post): string[] {
    if (node === undefined) return ['control'];
    const incarnation = newIncarnation(node, this.#options.clock);
    return ['node', '--index', String(node), '--incarnation', incarnation];
  }

  #hear(post: Post, message: unknown): void {
    this.#watchdog.beat(post.name, this.#options.clock.nowMs());
    if (!isObject(message) || post.state.name !== 'running') return;
    const word = message as unknown as ToSupervisor;
    if (word.type !== 'ready') return;
    post.state = { ...post.state, isReady: true };
    this.#options.log.info({ child: post.name }, 'ready');
    if (this.#phase.name !== 'starting') return;
    this.#facts = { ...this.#facts, ...word.facts };
    if (!this.#posts().every(({ state }) => state.name === 'running' && state.isReady)) return;
    this.#phase = { name: 'serving' };
    this.#options.onReady(this.#facts);
  }

  #lose(post: Post, exit: ChildExit, startedAtMs: AtMs): void {
    const livedMs = this.#options.clock.nowMs() - startedAtMs;
    this.#watchdog.left(post.name);
    post.state = { name: 'empty' };
    const { log } = this.#options;
    const facts = { child: post.name, ...exit, lived_ms: Math.round(livedMs) };
    if (this.#phase.name === 'leaving' && exit.code === 0) log.info(facts, 'left');
    else log.warn(facts, 'left');
    if (this.#phase.name === 'leaving') this.#loseWhileLeaving(post, livedMs);
    // Who gives up by itself at the first start has said why; trying again would hide it.
    else if (this.#phase.name === 'starting' && exit.code !== null) {
      this.#leave('stop', exit.code === 2 ? 2 : 1);
    } else
      this.#refill(post, livedMs, exit.code !== 0 && this.#hasServingSibling(post) ? SIBLINGS_FIRST_MS : 0);
  }

  #loseWhileLeaving(post: Post, livedMs: number): void {
    const isNeeded = post === this.#control && this.#nodes.some(isRunning);
    if (isNeeded && this.#phase.name === 'leaving' && this.#phase.how === 'drain')
      this.#refill(post, livedMs, 0);
    this.#settle();
  }

  #refill(post: Post, livedMs: number, atLeastMs: number): void {
    const { restarts, delayMs: penaltyMs } = afterDeath(post.restarts, livedMs);
    post.restarts = restarts;
    const delayMs = Math.max(penaltyMs, atLeastMs);
    if (delayMs === 0) this.#fill(post);
    else post.state = { name: 'waiting', cancel: this.#options.clock.after(delayMs, () => this.#fill(post)) };
  }

  #hasServingSibling(post: Post): boolean {
    const isServing = ({ state }: Post): boolean => state.name === 'running' && state.isReady;
    return post !== this.#control && this.#nodes.some((other) => other !== post && isServing(other));
  }

  #leave(how: 'drain' | 'stop', exitCode: number): void {
    this.#phase = { name: 'leaving', how, exitCode };
    const deadlineMs = how === 'drain' ? this.#options.drainDeadlineMs : 0;
    for (const post of this.#nodes) {
      abandon(post);
      send(post, how === 'drain' ? { type: 'drain', deadlineMs } : { type: 'stop' });
    }
    this.#killIn(deadlineMs + LEAVE_GRACE_MS, this.#nodes);
    this.#settle();
  }

  #settle(): void {
    if (this.#phase.name !== 'leaving' || this.#nodes.some(isRunning)) return;
    const { how, exitCode } = this.#phase;
    abandon(this.#control);
    if (isRunning(this.#control)) {
      const deadlineMs = how === 'drain' ? CONTROL_DRAIN_MS : 0;
      send(this.#control, how === 'drain' ? { type: 'drain', deadlineMs } : { type: 'stop' });
      this.#killIn(deadlineMs + LEAVE_GRACE_MS, [this.#control]);
      return;
    }
    this.#cancelLook();
    this.#cancelKill();
    this.#end(exitCode);
  }

  #killIn(delayMs: number, posts: readonly Post[]): void {
    this.#cancelKill();
    this.#cancelKill = this.#options.clock.after(delayMs, () => this.#kill(posts, 'did not leave in time'));
  }

  #kill(posts: readonly Post[], why: string): void {
    for (const { name, state } of posts) {
      if (state.name !== 'running') continue;
      this.#options.log.warn({ child: name, why }, 'killed');
      state.child.kill();
    }
  }

  #lookLater(): void {
    this.#cancelLook = this.#options.clock.after(WATCH_MS, () => {
      this.#lookLater();
      const silent = this.#watchdog.look(this.#options.clock.nowMs());
      const posts = this.#posts().filter(({ name }) => silent.includes(name));
      this.#kill(posts, 'fell silent');
    });
  }
}

function openPost(name: string, node: number | undefined): Post {
  return { name, node, state: { name: 'empty' }, restarts: NO_RESTARTS };
}

function isRunning({ state }: Post): boolean {
  return state.name === 'running';
}

function send(post: Post, message: FromSupervisor): void {
  if (post.state.name === 'running') post.state.child.send(message);
}

/** Nobody is to come to this post any more. */
function abandon(post: Post): void {
  if (post.state.name !== 'waiting') return;
  post.state.cancel();
  post.state = { name: 'empty' };
}
