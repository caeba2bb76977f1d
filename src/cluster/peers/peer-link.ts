import type { Duplex } from 'node:stream';
import type { AtMs, Cancel, Clock } from '../../base/clock.ts';
import { refuse, type Refusal } from '../../base/errors.ts';
import { parseObject, type JsonObject } from '../../base/json.ts';
import type { CommandResult } from '../../events/commands.ts';
import { failedBy, Questions } from '../../events/asking/questions.ts';
import type { PeerCounts } from './peer-counts.ts';
import { FRAME, FRAME_BYTES_MAX, frameHead, OVERHEAD_BYTES, PeerFrames } from './peer-frames.ts';
import { PeerLife, PING_MS } from './peer-life.ts';
import { readAnswer, readHello, readQuestion, type PeerQuestion } from './peer-messages.ts';

/** So many questions of one link may wait. */
const QUESTIONS_MAX = 1_024;
/** A leg at the door waits no longer for another node. */
const QUESTION_MS = 150;
/** More unsent than this, and the peer has stopped reading. */
const UNSENT_BYTES_MAX = 4 * 1024 * 1024;
/** Who has not said its name by then is a stranger. */
const HELLO_MS = 2_000;
const EMPTY = Buffer.alloc(0);

/** Why a link is closed. `refused`: nobody listens there. `rejected`: what came proved or meant nothing. */
export type PeerClosed = 'refused' | 'reset' | 'timeout' | 'rejected';

export type PeerState =
  | { readonly name: 'greeting' }
  | { readonly name: 'open'; readonly peer: string }
  /** Silent for too long, and connected still: a reason to ask others, never alone to move a call. */
  | { readonly name: 'suspect'; readonly peer: string }
  | { readonly name: 'closed'; readonly why: PeerClosed };

/** What a node does with what its peers say and ask. Only called with an open link. */
export interface PeerHandlers {
  answer(question: PeerQuestion, from: PeerLink): Promise<CommandResult>;
  /** A peer says how it stands now, as `draining` at once. */
  status(status: JsonObject, from: PeerLink): void;
  /** A frame of type 16 or above. The payload is the link's again when this returns. */
  carried(type: number, handle: number, payload: Buffer, from: PeerLink): void;
  /** Told at every change, at once. */
  changed(state: PeerState, link: PeerLink): void;
  /** A broken promise of ours, for the log. */
  reportFailure(error: unknown, where: string): void;
}

export interface PeerHouse {
  /** The incarnation that speaks here. */
  readonly self: string;
  readonly clock: Clock;
  readonly counts: PeerCounts;
  readonly handlers: PeerHandlers;
  /** Hears of every ping that was answered. */
  readonly observeRoundTripMs?: (roundTripMs: number) => void;
}

/** One connection between two nodes, whoever dialled. */
export class PeerLink {
  readonly #socket: Duplex;
  readonly #house: PeerHouse;
  readonly #life: PeerLife;
  readonly #questions: Questions;
  readonly #frames: PeerFrames;
  readonly #pings = new Map<number, AtMs>();
  readonly #greetBeforeAtMs: AtMs;
  #cancelBeat: Cancel;
  #answering = 0;
  #lastPing = 0;
  #roundTripMs = 0;
  #closing: PeerClosed = 'reset';
  #state: PeerState = { name: 'greeting' };

  constructor(socket: Duplex, house: PeerHouse) {
    const nowMs = house.clock.nowMs();
    this.#socket = socket;
    this.#house = house;
    this.#life = new PeerLife(nowMs);
    this.#questions = new Questions({ pendingMax: QUESTIONS_MAX, stats: house.counts, clock: house.clock });
    this.#frames = new PeerFrames((type, handle, payload) => this.#onFrame(type, handle, payload));
    this.#greetBeforeAtMs = nowMs + HELLO_MS;
    this.#cancelBeat = house.clock.after(PING_MS, () => this.#beat());
    socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    socket.on('error', () => this.#end('reset'));
    socket.on('close', () => this.#end(this.#closing));
    this.#sayJson(FRAME.hello, 0, { version: 1, incarnation: house.self });
  }

  get state(): PeerState {
    return this.#state;
  }

  /** Of the last ping that was answered; 0 before the first. */
  get roundTripMs(): number {
    return this.#roundTripMs;
  }

  get bufferedBytes(): number {
    return this.#socket.writableLength;
  }

  /** Every failure is an answer, `unavailable` for those of the way. */
  ask(question: PeerQuestion, timeLimitMs: number = QUESTION_MS): Promise<CommandResult> {
    if (this.#state.name !== 'open') {
      this.#house.counts.refusedQuestions++;
      return Promise.resolve({ ok: false, fault: 'unavailable', detail: 'the link is not open' });
    }
    return this.#questions.ask((id) => this.#sayJson(FRAME.question, id, question), timeLimitMs);
  }

  /** Says how this node stands. */
  tell(status: JsonObject): void {
    if (this.#state.name === 'open' || this.#state.name === 'suspect') this.#sayJson(FRAME.status, 0, status);
  }

  /** Sends a copy as a frame of type 16 or above; false where it was not sent. */
  carry(type: number, handle: number, payload: Uint8Array): boolean {
    if (this.#state.name !== 'open' && this.#state.name !== 'suspect') return false;
    if (payload.length + OVERHEAD_BYTES > FRAME_BYTES_MAX) {
      this.#house.counts.droppedFrames++;
      return false;
    }
    // A busy socket keeps the bytes, and the caller writes its next frame into the same place.
    this.#write(type, handle, Buffer.from(payload));
    return true;
  }

  close(why: PeerClosed = 'reset'): void {
    this.#closing = why;
    this.#socket.destroy();
    this.#end(why);
  }

  #onData(chunk: Buffer): void {
    if (this.#state.name === 'closed') return;
    try {
      this.#heard();
      if (this.#frames.push(chunk) !== undefined) this.#reject();
    } catch (error) {
      this.#house.handlers.reportFailure(error, 'peer link');
      this.close();
    }
  }

  #heard(): void {
    this.#life.heard(this.#house.clock.nowMs());
    if (this.#state.name === 'suspect') this.#moveTo({ name: 'open', peer: this.#state.peer });
  }

  #onFrame(type: number, handle: number, payload: Buffer): void {
    if (this.#state.name === 'closed') return;
    if (this.#state.name === 'greeting') return this.#onHello(type, payload);
    if (type >= FRAME.carried) return this.#house.handlers.carried(type, handle, payload, this);
    if (type === FRAME.ping) return this.#write(FRAME.pong, handle, EMPTY);
    if (type === FRAME.pong) return this.#onPong(handle);
    if (type === FRAME.question) return void this.#answer(handle, payload);
    if (type === FRAME.answer) return this.#onAnswer(handle, payload);
    const status = type === FRAME.status ? parseObject(payload) : undefined;
    if (status === undefined) return this.#reject();
    this.#house.handlers.status(status, this);
  }

  #onHello(type: number, payload: Buffer): void {
    const hello = type === FRAME.hello ? readHello(payload) : undefined;
    if (hello === undefined) return this.#reject();
    this.#moveTo({ name: 'open', peer: hello.incarnation });
  }

  #onPong(handle: number): void {
    const sentAtMs = this.#pings.get(handle);
    if (sentAtMs === undefined) return;
    this.#pings.clear();
    this.#roundTripMs = this.#house.clock.nowMs() - sentAtMs;
    this.#house.observeRoundTripMs?.(this.#roundTripMs);
  }

  #onAnswer(id: number, payload: Buffer): void {
    const result = readAnswer(payload);
    if (result === undefined) return this.#reject();
    this.#questions.settle(id, result);
  }

  async #answer(id: number, payload: Buffer): Promise<void> {
    const result = await this.#resultOf(payload);
    if (this.#state.name === 'closed') return;
    const refusal = this.#sayJson(FRAME.answer, id, result);
    if (refusal !== undefined) this.#sayJson(FRAME.answer, id, failedBy(refusal));
  }

  async #resultOf(payload: Buffer): Promise<CommandResult> {
    const question = readQuestion(payload);
    if ('type' in question) return failedBy(question);
    if (this.#answering >= QUESTIONS_MAX) {
      return { ok: false, fault: 'overloaded', detail: 'too many questions of this peer' };
    }
    this.#answering++;
    try {
      return await this.#house.handlers.answer(question, this);
    } catch (error) {
      this.#house.handlers.reportFailure(error, 'peer question');
      return { ok: false, fault: 'internal', detail: 'the answer failed' };
    } finally {
      this.#answering--;
    }
  }

  #beat(): void {
    const nowMs = this.#house.clock.nowMs();
    if (this.#state.name === 'closed') return;
    this.#cancelBeat = this.#house.clock.after(PING_MS, () => this.#beat());
    if (this.#state.name === 'greeting') {
      if (nowMs >= this.#greetBeforeAtMs) this.#refuseStranger();
      return;
    }
    const verdict = this.#life.judge(nowMs);
    if (verdict === 'gone') return this.close('timeout');
    if (verdict === 'suspect' && this.#state.name === 'open') {
      this.#moveTo({ name: 'suspect', peer: this.#state.peer });
    }
    this.#pings.set(++this.#lastPing, nowMs);
    this.#write(FRAME.ping, this.#lastPing, EMPTY);
  }

  #sayJson(type: number, handle: number, value: unknown): Refusal | undefined {
    const text = Buffer.from(JSON.stringify(value));
    if (text.length + OVERHEAD_BYTES > FRAME_BYTES_MAX) {
      return refuse('payload_too_large', `${text.length} bytes are beyond what a link carries`);
    }
    this.#write(type, handle, text);
    return undefined;
  }

  #write(type: number, handle: number, payload: Buffer): void {
    this.#socket.cork();
    this.#socket.write(frameHead(type, handle, payload.length));
    if (payload.length > 0) this.#socket.write(payload);
    this.#socket.uncork();
    if (this.#socket.writableLength <= UNSENT_BYTES_MAX) return;
    this.#house.counts.stalled++;
    this.close('timeout');
  }

  #refuseStranger(): void {
    this.#house.counts.strangers++;
    this.close('rejected');
  }

  #reject(): void {
    this.#house.counts.malformed++;
    this.close('rejected');
  }

  #end(why: PeerClosed): void {
    if (this.#state.name === 'closed') return;
    this.#cancelBeat();
    this.#moveTo({ name: 'closed', why });
    this.#questions.end('the link ended');
    this.#socket.destroy();
  }

  #moveTo(state: PeerState): void {
    this.#state = state;
    this.#house.handlers.changed(state, this);
  }
}
