import type { AtMs, Cancel, Clock } from '../../base/clock.ts';
import { parseObject } from '../../base/json.ts';
import type { LegConnection, LegSocket, LostCause } from '../arrivals.ts';
import { RELAY, RELAY_UNSENT_BYTES_MAX, signal, type RelayWay } from './relay-frames.ts';

/** How often a busy socket is looked at again: once a frame. */
const LOOK_EVERY_MS = 20;
/** Told to a client whose owner is gone: it comes back, and finds whoever has the call then. */
const GOING_AWAY = { code: 1012, reason: 'node_lost' } as const;

export interface RelayCounts {
  opened: number;
  droppedMessages: number;
  droppedAudioFrames: number;
  refused: number;
  lostOwners: number;
}

export interface RelayedLineOptions {
  readonly way: RelayWay;
  readonly handle: number;
  readonly socket: LegSocket;
  readonly clock: Pick<Clock, 'after'>;
  readonly counts: RelayCounts;
  readonly onEnded: () => void;
}

/** A leg whose socket is here and whose call is at another node: whole messages go both ways. */
export class RelayedLine implements LegConnection {
  readonly #options: RelayedLineOptions;
  #isOpen = true;
  #cancelLook: Cancel | undefined;

  constructor(options: RelayedLineOptions) {
    this.#options = options;
  }

  receive(message: Uint8Array, isBinary: boolean): void {
    const { way, handle, counts } = this.#options;
    if (!this.#isOpen) return;
    const isFull = way.bufferedBytes > RELAY_UNSENT_BYTES_MAX;
    if (isFull || !way.carry(isBinary ? RELAY.heardBinary : RELAY.heardText, handle, message)) {
      counts.droppedMessages++;
    }
  }

  lost(cause: LostCause, _nowMs: AtMs): void {
    const { way, handle } = this.#options;
    if (!this.#isOpen) return;
    signal(way, RELAY.lost, handle, cause);
    this.#end();
  }

  /** A frame of the owner. */
  carried(type: number, payload: Buffer): void {
    const { socket } = this.#options;
    if (type === RELAY.sentText || type === RELAY.sentBinary) {
      return socket.send({ bytes: Buffer.from(payload), isBinary: type === RELAY.sentBinary });
    }
    if (type === RELAY.audioText || type === RELAY.audioBinary) {
      return this.#sendAudio(Buffer.from(payload), type === RELAY.audioBinary);
    }
    if (type === RELAY.pause) return socket.pauseReading();
    if (type === RELAY.readOn) return socket.resumeReading();
    if (type === RELAY.close) this.#close(payload);
  }

  /** The owner or the way to it is gone. */
  ownerLost(): void {
    this.#options.counts.lostOwners++;
    this.#end();
    this.#options.socket.close(GOING_AWAY.code, GOING_AWAY.reason);
  }

  #sendAudio(message: Uint8Array, isBinary: boolean): void {
    const { socket, way, handle, clock } = this.#options;
    if (socket.sendAudio(message, isBinary) || this.#cancelLook !== undefined || !this.#isOpen) return;
    signal(way, RELAY.busy, handle);
    const look = (): void => {
      this.#cancelLook = socket.bufferedBytes === 0 ? undefined : clock.after(LOOK_EVERY_MS, look);
      if (this.#cancelLook === undefined) signal(way, RELAY.idle, handle);
    };
    this.#cancelLook = clock.after(LOOK_EVERY_MS, look);
  }

  #close(payload: Buffer): void {
    const { code, reason, graceMs } = parseObject(payload) ?? {};
    const closeCode = typeof code === 'number' ? code : GOING_AWAY.code;
    const word = typeof reason === 'string' ? reason : GOING_AWAY.reason;
    this.#options.socket.close(closeCode, word, typeof graceMs === 'number' ? graceMs : 0);
  }

  #end(): void {
    this.#isOpen = false;
    this.#cancelLook?.();
    this.#cancelLook = undefined;
    this.#options.onEnded();
  }
}
