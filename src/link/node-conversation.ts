import type { Socket } from 'node:net';
import type { Cancel, Clock } from '../base/clock.ts';
import { messageOf, refuse, type Refusal } from '../base/errors.ts';
import type { JsonObject } from '../base/json.ts';
import type { Ask, AskResult } from '../events/asks.ts';
import type { Command, CommandResult } from '../events/commands.ts';
import type { EventRecord } from '../events/envelope.ts';
import { failedBy, Questions, type QuestionStats } from '../events/asking/questions.ts';
import { Answering } from './answering.ts';
import { CommitQueue, type CommitQueueOptions } from './commit-queue.ts';
import { encodeMessage, FrameDecoder, MESSAGE_BYTES_MAX, tooLong } from './framing.ts';
import type { LinkLog } from './link-log.ts';
import { LINK_PROTOCOL, type FromNode, type NodeHello, type NodeStatus } from './messages.ts';
import { readFromNode } from './read-message.ts';

const HELLO_WITHIN_MS = 2000;
const PENDING_COMMANDS_MAX = 256;
const RUNNING_ASKS_MAX = 256;
// A socket whose records wait for commits is not read: one more chunk of it is all that can still arrive.
const WAITING_RECORDS_MAX = 1000;
const NOT_CONNECTED = refuse('unavailable', 'the node is not connected');

/** What all conversations of one control count together, of what is asked in either direction. */
export interface AskingStats extends QuestionStats {
  /** Questions of nodes that were turned away because too many of one node were being answered. */
  refusedAsks: number;
}

export interface NodeConversationOptions {
  readonly incarnation: string;
  readonly stats: AskingStats;
  /** What the node asks; a rejection is answered by its fault. */
  readonly onAsk: (ask: Ask) => Promise<AskResult>;
  readonly queue: Omit<CommitQueueOptions, 'incarnation' | 'onAcknowledged' | 'clock' | 'log'>;
  readonly onHello: (hello: NodeHello) => void;
  readonly onStatus: (status: NodeStatus) => void;
  readonly clock: Pick<Clock, 'after'>;
  readonly log: LinkLog;
}

/** Control's side of one connection to a node: from its hello to the end of the socket. */
export class NodeConversation {
  /** Resolves when the socket is gone and the last commit has ended. */
  readonly ended: Promise<void>;
  readonly #socket: Socket;
  readonly #options: NodeConversationOptions;
  readonly #decoder: FrameDecoder;
  readonly #questions: Questions;
  readonly #answering: Answering;
  readonly #cancelHello: Cancel;
  #hello: NodeHello | undefined;
  #queue: CommitQueue | undefined;

  constructor(socket: Socket, options: NodeConversationOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#decoder = new FrameDecoder((message) => this.#hear(message));
    this.#questions = new Questions({
      pendingMax: PENDING_COMMANDS_MAX,
      stats: options.stats,
      clock: options.clock,
    });
    this.#answering = new Answering({
      runningMax: RUNNING_ASKS_MAX,
      encode: (id, result) => encodeMessage({ type: 'answer', id, result }),
      write: (encoded) => this.#write(encoded),
      onRefused: () => options.stats.refusedAsks++,
    });
    this.#cancelHello = options.clock.after(HELLO_WITHIN_MS, () =>
      this.#refuse(refuse('handshake_timeout', `no hello within ${HELLO_WITHIN_MS} ms`)),
    );
    this.ended = new Promise((resolve) => {
      socket.on('close', () => resolve(this.#end()));
    });
    socket.on('error', () => {}); // 'close' follows and says all there is to know
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
  }

  /** Asks the node to do something; every failure of the way is an answer too. */
  ask(command: Command, timeoutMs: number): Promise<CommandResult> {
    if (this.#socket.destroyed) return Promise.resolve(failedBy(NOT_CONNECTED));
    return this.#questions.ask((id) => {
      const encoded = encodeMessage({ type: 'command', id, command });
      const refusal = tooLong(encoded, MESSAGE_BYTES_MAX);
      if (refusal === undefined) this.#write(encoded);
      return refusal;
    }, timeoutMs);
  }

  close(): void {
    this.#socket.destroy();
  }

  async #end(): Promise<void> {
    this.#cancelHello();
    this.#questions.end('the node went away');
    this.#queue?.stop();
    await this.#queue?.idle();
  }

  #receive(chunk: Buffer): void {
    const refusal = this.#decoder.push(chunk);
    if (refusal !== undefined) this.#refuse(refusal);
  }

  #hear(json: JsonObject): void {
    if (this.#socket.destroyed) return;
    const message = readFromNode(json);
    const refusal = message.type === 'refusal' ? message : this.#take(message);
    if (refusal !== undefined) this.#refuse(refusal);
  }

  #take(message: FromNode): Refusal | undefined {
    switch (message.type) {
      case 'hello':
        return this.#greet(message);
      case 'events':
        return this.#queueRecords(message.first, message.records);
      case 'status':
        this.#options.onStatus(message.status);
        break;
      case 'result':
        this.#questions.settle(message.id, message.result);
        break;
      case 'ask':
        return this.#answer(message.id, message.ask);
    }
    return undefined;
  }

  #greet(hello: NodeHello): Refusal | undefined {
    const { incarnation } = this.#options;
    if (this.#hello !== undefined) return refuse('protocol_violation', 'a second hello');
    if (hello.incarnation !== incarnation) {
      return refuse('protocol_violation', `${hello.incarnation} answers in the place of ${incarnation}`);
    }
    this.#hello = hello;
    this.#cancelHello();
    void this.#welcome(hello);
    return undefined;
  }

  async #welcome(hello: NodeHello): Promise<void> {
    const { queue, incarnation, log } = this.#options;
    try {
      const ackedRecord = await queue.journal.cursorOf(incarnation);
      if (this.#socket.destroyed) return;
      this.#openQueue(Math.max(ackedRecord + 1, hello.firstRecord));
      if (hello.firstRecord > ackedRecord + 1) {
        // Only a journal put back from an older copy can have lost what it once acknowledged.
        log.error({ incarnation, ackedRecord, firstRecord: hello.firstRecord }, 'the journal misses events');
      }
      this.#socket.write(encodeMessage({ type: 'welcome', protocol: LINK_PROTOCOL, ackedRecord }));
      this.#options.onHello(hello);
    } catch (error) {
      log.error({ incarnation, error: messageOf(error) }, 'a node could not be welcomed');
      this.close();
    }
  }

  #openQueue(nextRecord: number): void {
    const { queue, incarnation, clock, log } = this.#options;
    this.#queue = new CommitQueue(nextRecord, {
      ...queue,
      incarnation,
      clock,
      log,
      onAcknowledged: (record) => this.#acknowledge(record),
    });
  }

  #queueRecords(first: number, records: readonly EventRecord[]): Refusal | undefined {
    const queue = this.#queue;
    if (queue === undefined) return refuse('protocol_violation', 'events before the welcome');
    if (first !== queue.expectedRecord) {
      return refuse('protocol_violation', `record ${first} where ${queue.expectedRecord} is due`);
    }
    queue.push(records);
    if (queue.waitingRecords > WAITING_RECORDS_MAX) this.#socket.pause();
    return undefined;
  }

  #acknowledge(record: number): void {
    if (this.#socket.destroyed) return;
    this.#socket.write(encodeMessage({ type: 'ack', record }));
    const waitingRecords = this.#queue?.waitingRecords ?? 0;
    if (this.#socket.isPaused() && waitingRecords <= WAITING_RECORDS_MAX) this.#socket.resume();
  }

  #answer(id: number, ask: Ask): Refusal | undefined {
    if (this.#hello === undefined) return refuse('protocol_violation', 'a question before the hello');
    void this.#answering.answer(id, () => this.#options.onAsk(ask));
    return undefined;
  }

  #write(encoded: Buffer): void {
    if (!this.#socket.destroyed) this.#socket.write(encoded);
  }

  #refuse(refusal: Refusal): void {
    if (this.#socket.destroyed) return;
    this.#options.log.warn({ incarnation: this.#options.incarnation, ...refusal }, 'a node was refused');
    this.close();
  }
}
