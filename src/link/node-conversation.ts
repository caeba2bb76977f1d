import type { Socket } from 'node:net';
import type { Cancel, Clock } from '../base/clock.ts';
import { messageOf, refuse, type FaultCode, type Refusal } from '../base/errors.ts';
import type { JsonObject } from '../base/json.ts';
import type { Command, CommandResult } from '../events/commands.ts';
import type { EventRecord } from '../events/envelope.ts';
import { CommitQueue, type CommitQueueOptions } from './commit-queue.ts';
import { encodeMessage, FrameDecoder } from './framing.ts';
import type { LinkLog } from './link-log.ts';
import { LINK_PROTOCOL, type FromNode, type NodeHello, type NodeStatus } from './messages.ts';
import { readFromNode } from './read-message.ts';

const HELLO_WITHIN_MS = 2000;
const PENDING_COMMANDS_MAX = 256;
// A socket whose records wait for commits is not read: one more chunk of it is all that can still arrive.
const WAITING_RECORDS_MAX = 1000;

export interface NodeConversationOptions {
  readonly incarnation: string;
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
  readonly #pending = new Map<number, (result: CommandResult) => void>();
  readonly #cancelHello: Cancel;
  #lastCommandId = 0;
  #hello: NodeHello | undefined;
  #queue: CommitQueue | undefined;

  constructor(socket: Socket, options: NodeConversationOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#decoder = new FrameDecoder((message) => this.#hear(message));
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
    if (this.#socket.destroyed) return Promise.resolve(failed('unavailable', 'the node is not connected'));
    if (this.#pending.size >= PENDING_COMMANDS_MAX) {
      return Promise.resolve(failed('overloaded', 'too many commands wait for this node'));
    }
    const id = ++this.#lastCommandId;
    return new Promise((resolve) => {
      const cancel = this.#options.clock.after(timeoutMs, () =>
        this.#settle(id, failed('unavailable', `no answer within ${timeoutMs} ms`)),
      );
      this.#pending.set(id, (result) => {
        cancel();
        resolve(result);
      });
      this.#socket.write(encodeMessage({ type: 'command', id, command }));
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  async #end(): Promise<void> {
    this.#cancelHello();
    for (const id of this.#pending.keys()) this.#settle(id, failed('unavailable', 'the node went away'));
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
        this.#settle(message.id, message.result);
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

  #settle(id: number, result: CommandResult): void {
    const resolve = this.#pending.get(id);
    this.#pending.delete(id);
    resolve?.(result); // an answer that comes after its deadline has nobody left to hear it
  }

  #refuse(refusal: Refusal): void {
    if (this.#socket.destroyed) return;
    this.#options.log.warn({ incarnation: this.#options.incarnation, ...refusal }, 'a node was refused');
    this.close();
  }
}

function failed(fault: FaultCode, detail: string): CommandResult {
  return { ok: false, fault, detail };
}
