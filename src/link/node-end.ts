import { chmodSync, renameSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import type { Cancel, Clock } from '../base/clock.ts';
import { invariant, VoiceError } from '../base/errors.ts';
import type { Ask, AskResult } from '../events/asks.ts';
import type { Command, CommandResult } from '../events/commands.ts';
import type { EventRecord } from '../events/envelope.ts';
import { ControlConnection, NOBODY_TO_ASK, type LinkStats } from './control-connection.ts';
import type { LinkLog } from './link-log.ts';
import type { NodeFacts, NodeStatus } from './messages.ts';
import { newbornPathOf } from './places.ts';
import { failedBy } from '../events/asking/questions.ts';
import type { Spool } from './spool/spool.ts';

const STATUS_EVERY_MS = 500;

export interface NodeEndOptions {
  /** `socketPathOf(runDir, incarnation)`. */
  readonly socketPath: string;
  /** Still empty: nothing may be spooled before the socket can be seen (see `openNodeEnd`). */
  readonly spool: Spool;
  readonly facts: NodeFacts;
  readonly onCommand: (command: Command) => Promise<CommandResult>;
  readonly status: () => NodeStatus;
  readonly clock: Pick<Clock, 'after'>;
  readonly log: LinkLog;
}

/**
 * Opens a node's end of the link.
 *
 * Control takes a node for dead when its socket refuses (ECONNREFUSED) or is absent (ENOENT) though it was
 * seen or though something is spooled; and when, with an empty spool, no socket appears within a grace. For
 * a node that is just starting this order keeps it safe: spool directory, then a socket that *listens*
 * under another name, then its rename to the final one (so no connect can fall between bind and listen),
 * then a look whether control has given the spool up meanwhile (then this start fails, and the next one has
 * a new incarnation), and only then the first record.
 */
export async function openNodeEnd(options: NodeEndOptions): Promise<NodeEnd> {
  invariant(options.spool.lastRecord === 0, 'the link is opened before anything is spooled');
  const server = createServer();
  const newbornPath = newbornPathOf(options.socketPath);
  rmSync(newbornPath, { force: true });
  await listen(server, newbornPath);
  chmodSync(newbornPath, 0o600);
  const end = new NodeEnd(server, options);
  renameSync(newbornPath, options.socketPath);
  if (!options.spool.isGivenUp) return end;
  await end.close();
  throw new VoiceError('unavailable', 'control took this start for dead before it listened');
}

/** A node's end of the link: accepts events into the spool and keeps whichever control is there informed. */
export class NodeEnd {
  readonly stats: LinkStats & { publishedRecords: number; connections: number; replacedConnections: number } =
    {
      publishedRecords: 0,
      connections: 0,
      replacedConnections: 0,
      sentRecords: 0,
      readBackRecords: 0,
      skippedStatuses: 0,
      refusedCommands: 0,
      refusedQuestions: 0,
      unansweredQuestions: 0,
    };
  readonly #server: Server;
  readonly #options: NodeEndOptions;
  #connection: ControlConnection | undefined;
  #cancelStatus: Cancel;
  #isClosed = false;

  constructor(server: Server, options: NodeEndOptions) {
    this.#server = server;
    this.#options = options;
    server.on('connection', (socket) => this.#welcome(socket));
    this.#cancelStatus = options.clock.after(STATUS_EVERY_MS, () => this.#beat());
  }

  /** True while control is connected and has said where its journal stands. */
  get isConnected(): boolean {
    return this.#connection?.isWelcome === true;
  }

  /** Bytes of the link that the kernel has not taken yet. */
  get bufferedBytes(): number {
    return this.#connection?.bufferedBytes ?? 0;
  }

  /**
   * Accepts an event and numbers it: once this returns it will reach the journal. Throws only when the spool
   * is full.
   */
  publish(record: EventRecord): number {
    invariant(!this.#isClosed, 'nothing is published after the link was closed');
    const spooled = this.#options.spool.append(record);
    this.stats.publishedRecords++;
    this.#connection?.offer(spooled);
    return spooled.number;
  }

  /**
   * Asks control. `unavailable` while control is away, goes away meanwhile or does not answer in time: then
   * nobody knows whether it was done. `overloaded` beyond 256 questions at once, `payload_too_large` beyond
   * 256 KiB; any other fault is control's own. Never rejects, and a question is never put twice.
   */
  ask(ask: Ask, timeLimitMs: number): Promise<AskResult> {
    return this.#connection?.ask(ask, timeLimitMs) ?? Promise.resolve(failedBy(NOBODY_TO_ASK));
  }

  /** Tells control at once; otherwise it hears twice a second. */
  statusChanged(): void {
    this.#connection?.tell(this.#options.status());
  }

  /** Stops listening and leaves the spool as it is: control reads the rest of it from the disk. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#cancelStatus();
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#connection?.close();
    rmSync(this.#options.socketPath, { force: true });
    await closed;
  }

  #beat(): void {
    this.#cancelStatus = this.#options.clock.after(STATUS_EVERY_MS, () => this.#beat());
    this.#options.spool.tend();
    this.statusChanged();
  }

  // One control at a time: a newer connection is a newer process, or the same one that lost the older.
  #welcome(socket: Socket): void {
    this.stats.connections++;
    if (this.#connection !== undefined) {
      this.stats.replacedConnections++;
      this.#connection.close();
    }
    this.#connection = new ControlConnection(socket, {
      stats: this.stats,
      spool: this.#options.spool,
      facts: this.#options.facts,
      onCommand: this.#options.onCommand,
      onClosed: (connection) => {
        if (this.#connection === connection) this.#connection = undefined;
      },
      clock: this.#options.clock,
      log: this.#options.log,
    });
  }
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.on('error', (error: NodeJS.ErrnoException) => {
      reject(new VoiceError('unavailable', `cannot listen on ${path}: ${error.message}`, { cause: error }));
    });
    server.listen(path, resolve);
  });
}
