import type { AtMs, Cancel, Clock } from '../../base/clock.ts';
import { FAULTS } from '../../base/errors.ts';
import { parseObject, type JsonObject } from '../../base/json.ts';
import type { LegConnection, LegSocket, LostCause } from '../arrivals.ts';
import { WaitingMessages } from '../waiting-messages.ts';
import { RELAY, RELAY_UNSENT_BYTES_MAX, signal, type RelayWay } from './relay-frames.ts';

/** How often a busy socket is looked at again: once a frame. */
const LOOK_EVERY_MS = 20;
/** Told to a client whose call cannot be found now: it comes back, and finds whoever has the call then. */
const GOING_AWAY = { code: 1012, reason: 'node_lost' } as const;
/** "call moved" (contract.md §9): the owner has it no more. */
export const CLOSE_MOVED = 4410;
/** What the client still says on a socket it was told to leave is heard wherever its leg goes on. */
const CLOSES_WITH_TAIL: readonly unknown[] = [CLOSE_MOVED, FAULTS.leg_replaced.closeCode];

export interface RelayCounts {
  opened: number;
  droppedMessages: number;
  droppedAudioFrames: number;
  refused: number;
  lostOwners: number;
  /** Of those, legs that went on with whoever had their call then, on the socket they had. */
  followed: number;
}

export interface RelayedLineOptions {
  readonly socket: LegSocket;
  readonly clock: Pick<Clock, 'nowMs' | 'after'>;
  readonly counts: RelayCounts & { waitingDropped: number };
  /** The owner has made it a leg of its call: what it would come back with. */
  readonly onSeated: (claims: JsonObject) => void;
  /** Its call is with nobody it knows of. False where it cannot be looked for. */
  readonly onLost: () => boolean;
  /** Nothing goes over this way any more. */
  readonly onLeft: (way: RelayWay, handle: number) => void;
}

/** Who has the call, and the handle of the leg there. */
interface FarOwner {
  readonly way: RelayWay;
  readonly handle: number;
}

type LineState =
  /** What the client says waits until its call is found; an owner that still has it goes on until then. */
  | { readonly name: 'searching'; readonly waiting: WaitingMessages; readonly former: FarOwner | undefined }
  | ({ readonly name: 'carried' } & FarOwner)
  /** The call has come to this node. */
  | { readonly name: 'here'; readonly leg: LegConnection }
  | { readonly name: 'ended' };

/**
 * A leg whose socket is here and whose call is, or was, at another node: whole messages go both ways. Where
 * the call moves, the leg goes after it, and its client notices nothing.
 */
export class RelayedLine implements LegConnection {
  readonly #options: RelayedLineOptions;
  #state: LineState;
  /** The socket closes, and its client speaks on until it has left. */
  #hasTail = false;
  #cancelLook: Cancel | undefined;

  constructor(options: RelayedLineOptions) {
    this.#options = options;
    this.#state = { name: 'searching', waiting: new WaitingMessages(options.counts), former: undefined };
  }

  get isSearching(): boolean {
    return this.#state.name === 'searching';
  }

  /** Its call is at the other end of this way. */
  carryOver(way: RelayWay, handle: number): void {
    const state = this.#state;
    if (state.name !== 'searching') return;
    this.#leave();
    this.#state = { name: 'carried', way, handle };
    state.waiting.hearAll((message, isBinary) => this.#carry(way, handle, message, isBinary));
  }

  /** Its call is here now. */
  goOn(leg: LegConnection): void {
    const state = this.#state;
    if (state.name !== 'searching') return;
    const { clock } = this.#options;
    this.#leave();
    this.#state = { name: 'here', leg };
    state.waiting.hearAll((message, isBinary) => leg.receive(message, isBinary, clock.nowMs()));
  }

  receive(message: Uint8Array, isBinary: boolean, nowMs: AtMs): void {
    const state = this.#state;
    const owner = ownerOf(state);
    if (owner !== undefined) return this.#carry(owner.way, owner.handle, message, isBinary);
    if (state.name === 'here') return state.leg.receive(message, isBinary, nowMs);
    if (state.name === 'searching') state.waiting.keep(Buffer.from(message), isBinary);
  }

  receiveLate(message: Uint8Array, isBinary: boolean): boolean {
    const state = this.#state;
    if (state.name === 'here') return state.leg.receiveLate?.(message, isBinary) === true;
    if (state.name !== 'carried' || !this.#hasTail) return false;
    this.#carry(state.way, state.handle, message, isBinary);
    return true;
  }

  lost(cause: LostCause, nowMs: AtMs): void {
    const state = this.#state;
    const owner = ownerOf(state);
    if (owner !== undefined) signal(owner.way, RELAY.lost, owner.handle, cause);
    this.#end();
    if (state.name === 'here') state.leg.lost(cause, nowMs);
  }

  /** A frame of the owner. */
  carried(type: number, payload: Buffer): void {
    const { socket, onSeated } = this.#options;
    if (ownerOf(this.#state) === undefined) return;
    if (type === RELAY.sentText || type === RELAY.sentBinary) {
      return socket.send({ bytes: Buffer.from(payload), isBinary: type === RELAY.sentBinary });
    }
    if (type === RELAY.audioText || type === RELAY.audioBinary) {
      return this.#sendAudio(Buffer.from(payload), type === RELAY.audioBinary);
    }
    if (type === RELAY.pause) return socket.pauseReading();
    if (type === RELAY.readOn) return socket.resumeReading();
    if (type === RELAY.seated) return onSeated(parseObject(payload) ?? {});
    if (type === RELAY.fetch) return this.#fetch();
    if (type === RELAY.close) this.#onClose(parseObject(payload) ?? {});
  }

  /** The owner or the way to it is gone: its call is looked for, or the client is to come back. */
  ownerLost(): void {
    this.#options.counts.lostOwners++;
    if (this.#forgetFormer()) return;
    if (!this.#search()) this.giveUp(GOING_AWAY.code, GOING_AWAY.reason);
  }

  /** The node of the socket leaves: the owner calls the client home. False where it is with nobody now. */
  leave(mayRedirect: boolean): boolean {
    const state = this.#state;
    return state.name === 'carried' && signal(state.way, RELAY.leaving, state.handle, { mayRedirect });
  }

  /** Its call was looked for in vain. Where it was to be fetched, it goes on where it is. */
  giveUp(code: number = GOING_AWAY.code, reason: string = GOING_AWAY.reason): void {
    const state = this.#state;
    if (state.name === 'searching' && state.former !== undefined) {
      this.#state = { name: 'carried', ...state.former };
      return;
    }
    this.#end();
    this.#options.socket.close(code, reason);
  }

  #carry(way: RelayWay, handle: number, message: Uint8Array, isBinary: boolean): void {
    const isFull = way.bufferedBytes > RELAY_UNSENT_BYTES_MAX;
    if (isFull || !way.carry(isBinary ? RELAY.heardBinary : RELAY.heardText, handle, message)) {
      this.#options.counts.droppedMessages++;
    }
  }

  #sendAudio(message: Uint8Array, isBinary: boolean): void {
    const { socket, clock } = this.#options;
    const owner = ownerOf(this.#state);
    if (socket.sendAudio(message, isBinary) || this.#cancelLook !== undefined) return;
    if (owner === undefined) return;
    const { way, handle } = owner;
    signal(way, RELAY.busy, handle);
    const look = (): void => {
      this.#cancelLook = socket.bufferedBytes === 0 ? undefined : clock.after(LOOK_EVERY_MS, look);
      if (this.#cancelLook === undefined) signal(way, RELAY.idle, handle);
    };
    this.#cancelLook = clock.after(LOOK_EVERY_MS, look);
  }

  #onClose({ code, reason, graceMs }: JsonObject): void {
    // One that has time to leave was told where to go.
    if (code === CLOSE_MOVED && graceMs === 0 && this.#leaveFor(code)) return;
    const closeCode = typeof code === 'number' ? code : GOING_AWAY.code;
    const word = typeof reason === 'string' ? reason : GOING_AWAY.reason;
    const leavingMs = typeof graceMs === 'number' ? graceMs : 0;
    this.#hasTail = leavingMs > 0 && CLOSES_WITH_TAIL.includes(code);
    this.#options.socket.close(closeCode, word, leavingMs);
  }

  /** The owner goes on until it has given the call, here or to somebody else. */
  #fetch(): void {
    const state = this.#state;
    const { counts, onLost } = this.#options;
    if (state.name !== 'carried') return;
    const { way, handle } = state;
    this.#state = { name: 'searching', waiting: new WaitingMessages(counts), former: { way, handle } };
    if (!onLost()) this.#state = state;
  }

  /** True where the call is being looked for already. */
  #forgetFormer(): boolean {
    const state = this.#state;
    if (state.name !== 'searching') return false;
    this.#leave();
    this.#state = { ...state, former: undefined };
    return true;
  }

  /** Its owner need not wait for the socket to be gone: it is another's from now on. */
  #leaveFor(closeCode: number): boolean {
    const owner = ownerOf(this.#state);
    const isSearching = this.#forgetFormer() || this.#search();
    const cause: LostCause = { type: 'closed', closeCode };
    if (isSearching && owner !== undefined) signal(owner.way, RELAY.lost, owner.handle, cause);
    return isSearching;
  }

  /** False where there is nothing to look for it by. */
  #search(): boolean {
    const { counts, onLost } = this.#options;
    if (!this.#leave()) return false;
    this.#state = { name: 'searching', waiting: new WaitingMessages(counts), former: undefined };
    return onLost();
  }

  #end(): void {
    this.#leave();
    this.#state = { name: 'ended' };
  }

  /** True where it was carried until now. */
  #leave(): boolean {
    const owner = ownerOf(this.#state);
    this.#cancelLook?.();
    this.#cancelLook = undefined;
    if (owner === undefined) return false;
    this.#options.onLeft(owner.way, owner.handle);
    // Whoever has the call next says for itself whether it can keep up.
    this.#options.socket.resumeReading();
    return true;
  }
}

/** The node whose words go out to the client now, if another one's do. */
function ownerOf(state: LineState): FarOwner | undefined {
  if (state.name === 'carried') return state;
  return state.name === 'searching' ? state.former : undefined;
}
