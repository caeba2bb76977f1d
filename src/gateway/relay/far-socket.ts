import type { WireMessage } from '../../dialect/dialect.ts';
import type { LegSocket } from '../arrivals.ts';
import { RELAY, RELAY_UNSENT_BYTES_MAX, signal, type RelayWay } from './relay-frames.ts';
import type { RelayCounts } from './relayed-line.ts';

/** The socket of a leg that is connected to another node. Audio goes at once or not at all, as at home. */
export class FarSocket implements LegSocket {
  readonly #way: RelayWay;
  readonly #handle: number;
  readonly #counts: RelayCounts;
  #isOpen = true;
  #isClosing = false;
  /** The client's own socket has bytes that wait. */
  isBusy = false;

  constructor(way: RelayWay, handle: number, counts: RelayCounts) {
    this.#way = way;
    this.#handle = handle;
    this.#counts = counts;
  }

  /**
   * What waits for this leg. The link has many legs and copies what it takes: a moment's bytes of others, or
   * of its encryption, hold nobody up.
   */
  get bufferedBytes(): number {
    return this.#isFull ? Math.max(1, this.#way.bufferedBytes) : 0;
  }

  /** Whether its leg is still on it, as far as anybody said here. */
  get isTaken(): boolean {
    return this.#isOpen && !this.#isClosing;
  }

  get #isFull(): boolean {
    return this.isBusy || this.#way.bufferedBytes > RELAY_UNSENT_BYTES_MAX;
  }

  sendAudio(message: Uint8Array, isBinary: boolean): boolean {
    if (!this.#isOpen) return false;
    const type = isBinary ? RELAY.audioBinary : RELAY.audioText;
    if (!this.#isFull && this.#way.carry(type, this.#handle, message)) return true;
    this.#counts.droppedAudioFrames++;
    return false;
  }

  send({ bytes, isBinary }: WireMessage): void {
    if (!this.#isOpen) return;
    const content = typeof bytes === 'string' ? Buffer.from(bytes) : bytes;
    const type = isBinary ? RELAY.sentBinary : RELAY.sentText;
    if (!this.#way.carry(type, this.#handle, content)) this.#counts.droppedMessages++;
  }

  /** The node of the socket is to come for the call; false where it was not told. */
  fetch(): boolean {
    return this.isTaken && signal(this.#way, RELAY.fetch, this.#handle);
  }

  pauseReading(): void {
    if (this.#isOpen) signal(this.#way, RELAY.pause, this.#handle);
  }

  resumeReading(): void {
    if (this.#isOpen) signal(this.#way, RELAY.readOn, this.#handle);
  }

  close(code: number, reason: string, graceMs = 0): void {
    if (!this.#isOpen) return;
    this.#isOpen = graceMs > 0;
    this.#isClosing = true;
    signal(this.#way, RELAY.close, this.#handle, { code, reason, graceMs });
  }

  /** Nothing more goes out: the client or the way to it is gone. */
  shut(): void {
    this.#isOpen = false;
  }
}
