import type { Socket } from 'node:net';
import type { Cancel, Clock } from '../base/clock.ts';
import { messageOf, refuse, VoiceError, type Refusal } from '../base/errors.ts';
import type { JsonObject } from '../base/json.ts';
import type { Command, CommandResult } from '../events/commands.ts';
import { encodeEvents, encodeMessage, FrameDecoder, MESSAGE_BYTES_MAX } from './framing.ts';
import type { LinkLog } from './link-log.ts';
import { LINK_PROTOCOL, type FromControl, type NodeFacts, type NodeStatus } from './messages.ts';
import { readFromControl } from './read-message.ts';
import type { Spool, SpooledRecord } from './spool/spool.ts';

const WELCOME_WITHIN_MS = 5000;
const RUNNING_COMMANDS_MAX = 64;
// A replay gives the audio its turn after so many reads of the spool (128 KiB each).
const READS_PER_TURN = 2;

/** What all connections of one node count together. */
export interface LinkStats {
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
  /** The next record to send; undefined until control has said where it stands. */
  #next: number | undefined;
  #isTurnDue = false;
  #runningCommands = 0;

  constructor(socket: Socket, options: ControlConnectionOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#decoder = new FrameDecoder((message) => this.#hear(message));
    this.#cancelWelcome = options.clock.after(WELCOME_WITHIN_MS, () =>
      this.#refuse(refuse('handshake_timeout', `no welcome within ${WELCOME_WITHIN_MS} ms`)),
    );
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('drain', () => this.#sendOn());
    socket.on('error', () => {}); // 'close' follows and says all there is to know
    socket.on('close', () => {
      this.#cancelWelcome();
      options.onClosed(this);
    });
    const { spool, facts } = options;
    const hello = {
      ...facts,
      type: 'hello',
      protocol: LINK_PROTOCOL,
      firstRecord: spool.firstRecord,
    } as const;
    socket.write(encodeMessage(hello));
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

  close(): void {
    this.#socket.destroy();
  }

  // While a drain is owed there is no room: what is buffered stays below one high-water mark and one message.
  get #hasRoom(): boolean {
    return !this.#socket.destroyed && !this.#socket.writableNeedDrain;
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
        void this.#answer(message.id, message.command);
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

  async #answer(id: number, command: Command): Promise<void> {
    if (this.#runningCommands >= RUNNING_COMMANDS_MAX) {
      this.#options.stats.refusedCommands++;
      return this.#reply(id, { ok: false, fault: 'overloaded', detail: 'too many commands at once' });
    }
    this.#runningCommands++;
    try {
      this.#reply(id, await this.#options.onCommand(command));
    } catch (error) {
      const fault = error instanceof VoiceError ? error.code : 'internal';
      this.#reply(id, { ok: false, fault, detail: messageOf(error) });
    } finally {
      this.#runningCommands--;
    }
  }

  #reply(id: number, result: CommandResult): void {
    if (this.#socket.destroyed) return;
    const encoded = encodeMessage({ type: 'result', id, result });
    if (encoded.length <= MESSAGE_BYTES_MAX) this.#socket.write(encoded);
    else
      this.#reply(id, { ok: false, fault: 'payload_too_large', detail: `${encoded.length} bytes of answer` });
  }

  #refuse(refusal: Refusal): void {
    if (this.#socket.destroyed) return;
    this.#options.log.warn({ ...refusal }, 'control was refused on the link');
    this.close();
  }
}
