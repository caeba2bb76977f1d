import type { AtMs, Clock } from '../../base/clock.ts';
import { AUDIO, type Inbound } from '../../dialect/dialect.ts';
import type { LegConnection, LostCause } from '../../gateway/arrivals.ts';
import type { FrameSink } from '../../leg/frame-sink.ts';
import type { Leg } from '../../leg/leg.ts';
import { frameBytes } from '../../media/format.ts';

/** So much of a message is heard in one turn: 0.3 ms, where a whole minute took 80 ms and more. */
const TURN_FRAMES = 25;
/** What was read already when we stopped reading waits its turn; beyond this it is heard at once. */
const WAITING_BYTES_MAX = 8 * 1_024 * 1_024;

interface WaitingMessage {
  readonly bytes: Uint8Array;
  readonly isBinary: boolean;
  /** Its sound is not to be heard any more. */
  isStale: boolean;
}

export interface SpreadStats {
  /** Messages that were heard in more than one turn. */
  spreadMessages: number;
  /** Heard at once, since too much waited behind them or the line was gone. */
  hurriedMessages: number;
}

export interface SpreadOptions {
  readonly leg: Leg;
  readonly socket: Pick<FrameSink, 'pauseReading' | 'resumeReading'>;
  readonly inbound: Inbound;
  readonly clock: Pick<Clock, 'after' | 'nowMs'>;
  readonly stats: SpreadStats;
  /** Slots for what comes next are made: outside the tick, after every turn. */
  readonly reserve: () => void;
}

/**
 * What a backend says, heard a half second at a time: one may say a minute in one message, and everybody
 * else's sound would wait for it. Meanwhile nothing more is read of it, and nothing overtakes.
 */
export class SpreadMessages implements LegConnection {
  readonly #options: SpreadOptions;
  readonly #turnBytes: number;
  /** Of the message that is being heard. */
  #rest: Uint8Array = new Uint8Array(0);
  #waiting: WaitingMessage[] = [];
  #waitingBytes = 0;
  #isScheduled = false;
  /** It has spoken far enough ahead: nothing is read of it, whatever waits here. */
  #isAhead = false;

  constructor(options: SpreadOptions) {
    this.#options = options;
    const bytes = frameBytes(options.leg.started.inbound);
    this.#turnBytes = bytes === 0 ? Infinity : bytes * TURN_FRAMES;
  }

  receive(message: Uint8Array, isBinary: boolean, nowMs: AtMs): void {
    if (!this.#isScheduled) return this.#read(message, isBinary, nowMs);
    this.#waiting.push({ bytes: message.slice(), isBinary, isStale: false });
    this.#waitingBytes += message.length;
    if (this.#waitingBytes > WAITING_BYTES_MAX) this.#hurry(nowMs);
  }

  lost(cause: LostCause, nowMs: AtMs): void {
    this.#hurry(nowMs);
    this.#options.leg.lost(cause, nowMs);
  }

  /** What it has said and nobody has heard yet is not to be heard any more. */
  drop(): void {
    this.#rest = this.#rest.subarray(0, 0);
    for (const message of this.#waiting) message.isStale = true;
  }

  pauseReading(): void {
    this.#isAhead = true;
    this.#options.socket.pauseReading();
  }

  resumeReading(): void {
    this.#isAhead = false;
    if (!this.#isScheduled) this.#options.socket.resumeReading();
  }

  #read(message: Uint8Array, isBinary: boolean, nowMs: AtMs, isStale = false): void {
    const { leg, inbound, stats, socket, reserve } = this.#options;
    const answer = leg.session.read(message, isBinary, inbound);
    if (answer === AUDIO) {
      if (isStale) return;
      if (inbound.sequence < 0 && inbound.payloadBytes > this.#turnBytes) {
        stats.spreadMessages++;
        this.#rest = inbound.payload.slice(this.#turnBytes, inbound.payloadBytes);
        inbound.payloadBytes = this.#turnBytes;
        socket.pauseReading();
        this.#schedule();
      }
    }
    leg.answered(answer, nowMs);
    reserve();
  }

  #schedule(): void {
    this.#isScheduled = true;
    const { clock } = this.#options;
    clock.after(0, () => this.#goOn(clock.nowMs()));
  }

  #goOn(nowMs: AtMs): void {
    this.#isScheduled = false;
    this.#hearRest(this.#turnBytes, nowMs);
    while (this.#rest.length === 0 && !this.#isScheduled && this.#waiting.length > 0) this.#readNext(nowMs);
    if (this.#isScheduled) return;
    if (this.#rest.length > 0) this.#schedule();
    else if (!this.#isAhead) this.#options.socket.resumeReading();
  }

  #hearRest(bytesMax: number, nowMs: AtMs): void {
    const { leg, inbound, reserve } = this.#options;
    const part = this.#rest.subarray(0, bytesMax);
    if (part.length === 0) return;
    this.#rest = this.#rest.subarray(part.length);
    inbound.payload.set(part);
    inbound.payloadBytes = part.length;
    inbound.sequence = -1;
    inbound.timestampMs = -1;
    leg.answered(AUDIO, nowMs);
    reserve();
  }

  #readNext(nowMs: AtMs): void {
    const { bytes, isBinary, isStale } = this.#waiting.shift()!;
    this.#waitingBytes -= bytes.length;
    this.#read(bytes, isBinary, nowMs, isStale);
  }

  #hurry(nowMs: AtMs): void {
    while (this.#rest.length > 0 || this.#waiting.length > 0) {
      this.#options.stats.hurriedMessages++;
      this.#hearRest(Infinity, nowMs);
      if (this.#waiting.length > 0) this.#readNext(nowMs);
    }
  }
}
