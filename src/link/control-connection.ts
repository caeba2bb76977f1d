import type { Socket } from 'node:net';
import type { Cancel, Clock } from '../base/clock.ts';
import { messageOf, refuse, type Refusal } from '../base/errors.ts';
import type { JsonObject } from '../base/json.ts';
import type { Ask, AskResult } from '../events/asks.ts';
import type { Command, CommandResult } from '../events/commands.ts';
import { failedBy, Questions, type QuestionStats } from '../events/asking/questions.ts';
import { Answering } from './answering.ts';
import { encodeEvents, encodeMessage, FrameDecoder, tooLong } from './framing.ts';
import type { LinkLog } from './link-log.ts';
import { LINK_PROTOCOL, type FromControl, type NodeFacts, type NodeStatus } from './messages.ts';
import { readFromControl } from './read-message.ts';
import type { Spool, SpooledRecord } from './spool/spool.ts';

const WELCOME_WITHIN_MS = 5000;
const RUNNING_COMMANDS_MAX = 64;
const PENDING_ASKS_MAX = 256;
const ASK_BYTES_MAX = 256 * 1024;
// A replay gives the audio its turn after so many reads of the spool (128 KiB each).
const READS_PER_TURN = 2;

export const NOBODY_TO_ASK = refuse('unavailable', 'control is not connected');

/** What all connections of one node count together. */
export interface LinkStats extends QuestionStats {
  sentRecords: number;
  /** Of those, records that had to be read back from the spool. */
  readBackRecords: number;
  skippedStatuses: number;
  refusedCommands: number;
}

export interface ControlConnectionOptions {
  readonly stats: LinkStats;
  readonly spool: Spool;
  readonly facts: NodeFacts;
  readonly onCommand: (command: Command) => Promise<CommandResult>;
  readonly onClosed: (connection: ControlConnection) => void;
  readonly clock: Pick<Clock, 'after'>;
  readonly log: LinkLog;
}

/**
 * A node's side of one connection from control: says hello, waits for the welcome, then sends the spool
 * from there on. A record goes out in the very turn it is accepted when everything before it has gone;
 * otherwise it is read back from the spool once the socket drains. Nothing waits in memory but what the
 * socket buffers.
 */
export class ControlConnection {
  readonly #socket: Socket;
  readonly #options: ControlConnectionOptions;
  readonly #decoder: FrameDecoder;
  readonly #cancelWelcome: Cancel;
  readonly #answering: Answering;
  readonly #questions: Questions;
  /** The next record to send; undefined until control has said where it stands. */
  #next: number | undefined;
  #isTurnDue = false;

  constructor(socket: Socket, options: ControlConnectionOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#decoder = new FrameDecoder((message) => this.#hear(message));
    this.#cancelWelcome = options.clock.after(WELCOME_WITHIN_MS, () =>
      this.#refuse(refuse('handshake_timeout', `no welcome within ${WELCOME_WITHIN_MS} ms`)),
    );
    this.#answering = new Answering({
      runningMax: RUNNING_COMMANDS_MAX,
      encode: (id, result) => encodeMessage({ type: 'result', id, result }),
      write: (encoded) => this.#write(encoded),
      onRefused: () => options.stats.refusedCommands++,
    });
    this.#questions = new Questions({
      pendingMax: PENDING_ASKS_MAX,
      stats: options.stats,
      clock: options.clock,
    });
    this.#listen();
    const { spool, facts } = options;
    const { firstRecord } = spool;
    socket.write(encodeMessage({ ...facts, type: 'hello', protocol: LINK_PROTOCOL, firstRecord }));
  }

  /** Bytes the kernel has not taken yet. */
  get bufferedBytes(): number {
    return this.#socket.writableLength;
  }

  get isWelcome(): boolean {
    return this.#next !== undefined && !this.#socket.destroyed;
  }

  /** A record was accepted: it goes out now, or later from the spool. */
  offer({ number, payload }: SpooledRecord): void {
    if (this.#next !== number || !this.#hasRoom) return;
    this.#next = number + 1;
    this.#options.stats.sentRecords++;
    this.#socket.write(encodeEvents(number, [payload]));
  }

  tell(status: NodeStatus): void {
    if (this.isWelcome && this.#hasRoom) this.#socket.write(encodeMessage({ type: 'status', status }));
    else this.#options.stats.skippedStatuses++;
  }

  /** Asks control; before its welcome there is nobody to ask. */
  ask(ask: Ask, timeLimitMs: number): Promise<AskResult> {
    if (!this.isWelcome) return Promise.resolve(failedBy(NOBODY_TO_ASK));
    return this.#questions.ask((id) => {
      const encoded = encodeMessage({ type: 'ask', id, ask });
      const refusal = tooLong(encoded, ASK_BYTES_MAX);
      if (refusal === undefined) this.#write(encoded);
      return refusal;
    }, timeLimitMs);
  }

  close(): void {
    this.#socket.destroy();
  }

  // While a drain is owed there is no room: what is buffered stays below one high-water mark and one message.
  get #hasRoom(): boolean {
    return !this.#socket.destroyed && !this.#socket.writableNeedDrain;
  }

  #listen(): void {
    const socket = this.#socket;
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('drain', () => this.#sendOn());
    socket.on('error', () => {}); // 'close' follows and says all there is to know
    socket.on('close', () => {
      this.#cancelWelcome();
      this.#questions.end('control went away');
      this.#options.onClosed(this);
    });
  }

  #receive(chunk: Buffer): void {
    const refusal = this.#decoder.push(chunk);
    if (refusal !== undefined) this.#refuse(refusal);
  }

  #hear(json: JsonObject): void {
    if (this.#socket.destroyed) return;
    const message = readFromControl(json);
    if (message.type === 'refusal') return this.#refuse(message);
    try {
      this.#obey(message);
    } catch (error) {
      // A spool that cannot be read ends this connection, not the node: its calls go on, control dials again.
      this.#options.log.error({ error: messageOf(error) }, 'the link failed');
      this.close();
    }
  }

  #obey(message: FromControl): void {
    switch (message.type) {
      case 'welcome':
        return this.#start(message.ackedRecord);
      case 'ack':
        return this.#release(message.record);
      case 'command':
        void this.#answering.answer(message.id, () => this.#options.onCommand(message.command));
        return;
      case 'answer':
        this.#questions.settle(message.id, message.result);
    }
  }

  #start(ackedRecord: number): void {
    const { spool } = this.#options;
    this.#cancelWelcome();
    if (this.#next !== undefined || ackedRecord > spool.lastRecord) {
      return this.#refuse(refuse('protocol_violation', `welcome at ${ackedRecord} of ${spool.lastRecord}`));
    }
    spool.release(ackedRecord);
    this.#next = Math.max(ackedRecord + 1, spool.firstRecord);
    this.#sendOn();
  }

  #release(record: number): void {
    if (this.#next !== undefined && record < this.#next) this.#options.spool.release(record);
    else this.#refuse(refuse('protocol_violation', `acknowledged ${record}, which was never sent`));
  }

  /** Sends from the spool while the socket has room, a few reads a turn. */
  #sendOn(): void {
    const { spool } = this.#options;
    for (let reads = 0; this.#next !== undefined && this.#hasRoom; reads++) {
      if (this.#next > spool.lastRecord) return;
      if (reads === READS_PER_TURN) return this.#sendOnNextTurn();
      const payloads = spool.readFrom(this.#next);
      this.#socket.write(encodeEvents(this.#next, payloads));
      this.#next += payloads.length;
      this.#options.stats.sentRecords += payloads.length;
      this.#options.stats.readBackRecords += payloads.length;
    }
  }

  #sendOnNextTurn(): void {
    if (this.#isTurnDue) return;
    this.#isTurnDue = true;
    setImmediate(() => {
      this.#isTurnDue = false;
      this.#sendOn();
    });
  }

  #write(encoded: Buffer): void {
    if (!this.#socket.destroyed) this.#socket.write(encoded);
  }

  #refuse(refusal: Refusal): void {
    if (this.#socket.destroyed) return;
    this.#options.log.warn({ ...refusal }, 'control was refused on the link');
    this.close();
  }
}
