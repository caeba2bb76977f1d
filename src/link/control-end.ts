import { mkdirSync, readdirSync, watch, type FSWatcher } from 'node:fs';
import type { Cancel, Clock } from '../base/clock.ts';
import { messageOf, refuse } from '../base/errors.ts';
import type { Ask, AskResult } from '../events/asks.ts';
import type { Command, CommandResult } from '../events/commands.ts';
import type { CommitStats, LinkJournal } from './commit-queue.ts';
import type { LinkLog } from './link-log.ts';
import type { AskingStats } from './node-conversation.ts';
import { NodeLifeline, type ConnectedNode } from './node-lifeline.ts';
import { incarnationOfSocket, incarnationOfSpool, socketPathOf, spoolDirOf } from './places.ts';
import { failedBy } from '../events/asking/questions.ts';

const LOOK_EVERY_MS = 500;
const GRACE_MS = 2000;
const COMMAND_WITHIN_MS = 2000;

export interface ControlEndOptions {
  /** Where nodes listen: `<incarnation>.sock`. */
  readonly runDir: string;
  /** Where nodes spool: `<incarnation>/`. */
  readonly spoolsDir: string;
  readonly journal: LinkJournal;
  /** Awaited before the node counts as serving; made again each half second while it fails. */
  readonly onConnected: (node: ConnectedNode) => Promise<void>;
  readonly onDisconnected?: (node: ConnectedNode) => void;
  /**
   * Everything the dead node ever accepted is committed; made again while it fails, then nothing is left of
   * it.
   */
  readonly onNodeDead: (incarnation: string) => Promise<void>;
  /**
   * Answers what a node asks, up to 256 of one node at once; events never wait for it. A rejection is
   * answered by its fault, and so is what a node asks where there is nobody to answer.
   */
  readonly onAsk?: (ask: Ask, incarnation: string) => Promise<AskResult>;
  readonly clock: Pick<Clock, 'after' | 'nowMs'>;
  readonly log: LinkLog;
  readonly graceMs?: number;
}

/** Opens control's end of the link for the nodes of one host. */
export function openControlEnd(options: ControlEndOptions): ControlEnd {
  return new ControlEnd(options);
}

/**
 * Control's end of the link: finds the nodes of this host by their sockets and spools, follows each of them
 * by itself, and brings what they spool into the journal. It remembers nothing: a control that starts again
 * finds everything in the same files and in the journal's cursors.
 */
export class ControlEnd {
  readonly stats: CommitStats & AskingStats & { buriedNodes: number } = {
    commits: 0,
    committedRecords: 0,
    failedCommits: 0,
    buriedNodes: 0,
    refusedAsks: 0,
    refusedQuestions: 0,
    unansweredQuestions: 0,
  };
  readonly #options: ControlEndOptions;
  readonly #lifelines = new Map<string, NodeLifeline>();
  readonly #watchers: FSWatcher[] = [];
  #cancelLook: Cancel;
  #isClosed = false;

  constructor(options: ControlEndOptions) {
    this.#options = options;
    for (const dir of [options.runDir, options.spoolsDir]) {
      mkdirSync(dir, { recursive: true, mode: 0o700 });
      this.#watch(dir);
    }
    this.#cancelLook = options.clock.after(LOOK_EVERY_MS, () => this.#lookAgain());
    this.#look();
  }

  /** Every node that has said hello and is not gone yet. */
  nodes(): readonly ConnectedNode[] {
    return [...this.#lifelines.values()].flatMap(({ node }) => node ?? []);
  }

  /** Whether anything is left of this node: its process, its socket or its spool. */
  isFollowing(incarnation: string): boolean {
    return this.#lifelines.has(incarnation);
  }

  /** Asks one node to do something; that it cannot be asked or does not answer is a result as well. */
  command(incarnation: string, command: Command, timeoutMs = COMMAND_WITHIN_MS): Promise<CommandResult> {
    const lifeline = this.#lifelines.get(incarnation);
    if (lifeline !== undefined) return lifeline.ask(command, timeoutMs);
    return Promise.resolve({ ok: false, fault: 'unavailable', detail: `there is no node ${incarnation}` });
  }

  /** Lets go of every node and resolves when the last running commit has ended. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancelLook();
    for (const watcher of this.#watchers) watcher.close();
    await Promise.all([...this.#lifelines.values()].map((lifeline) => lifeline.close()));
  }

  // Watching is the fast way; looking every half second is the sure one (inotify has limits, and no
  // promises on network file systems), so a failing watcher is worth a line and nothing more.
  #watch(dir: string): void {
    try {
      const watcher = watch(dir, () => this.#look());
      watcher.on('error', (error) => this.#options.log.warn({ dir, error: messageOf(error) }, 'not watched'));
      this.#watchers.push(watcher);
    } catch (error) {
      this.#options.log.warn({ dir, error: messageOf(error) }, 'not watched');
    }
  }

  #lookAgain(): void {
    this.#cancelLook = this.#options.clock.after(LOOK_EVERY_MS, () => this.#lookAgain());
    this.#look();
  }

  #look(): void {
    if (this.#isClosed) return;
    const { runDir, spoolsDir, log } = this.#options;
    try {
      for (const entry of readdirSync(spoolsDir, { withFileTypes: true })) {
        const incarnation = incarnationOfSpool(entry.name);
        if (entry.isDirectory() && incarnation !== undefined) this.#follow(incarnation);
      }
      for (const name of readdirSync(runDir)) {
        const incarnation = incarnationOfSocket(name);
        if (incarnation !== undefined) this.#follow(incarnation).socketAppeared();
      }
    } catch (error) {
      log.error({ error: messageOf(error) }, 'nodes cannot be looked for');
    }
  }

  #follow(incarnation: string): NodeLifeline {
    const known = this.#lifelines.get(incarnation);
    if (known !== undefined) return known;
    const { runDir, spoolsDir, journal, onConnected, onNodeDead, clock, log } = this.#options;
    const lifeline = new NodeLifeline({
      incarnation,
      socketPath: socketPathOf(runDir, incarnation),
      spoolDir: spoolDirOf(spoolsDir, incarnation),
      graceMs: this.#options.graceMs ?? GRACE_MS,
      queue: { journal, stats: this.stats },
      onConnected,
      onDisconnected: this.#options.onDisconnected ?? (() => {}),
      onAsk: this.#options.onAsk ?? unanswerable,
      asking: this.stats,
      onNodeDead,
      clock,
      log,
    });
    this.#lifelines.set(incarnation, lifeline);
    void lifeline.ended.then(() => this.#forget(incarnation));
    return lifeline;
  }

  #forget(incarnation: string): void {
    this.#lifelines.delete(incarnation);
    if (!this.#isClosed) this.stats.buriedNodes++;
  }
}

function unanswerable({ name }: Ask): Promise<AskResult> {
  return Promise.resolve(failedBy(refuse('invalid_argument', `control does not answer ${name}`)));
}
