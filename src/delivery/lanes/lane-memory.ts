import type { LaneLimits } from './lane-entry.ts';
import type { Item, Letter } from './lane.ts';

export interface LaneMemoryPorts {
  readonly limits: LaneLimits;
  readonly stats: { spilledEnvelopes: number };
  /** There is room again after there was little. */
  readonly roomMade: () => void;
}

/** How much of what is owed to one endpoint is in memory, and whether there is room for more. */
export class LaneMemory {
  readonly #ports: LaneMemoryPorts;
  readonly #known = new Set<string>();
  #hadRoom = true;
  envelopes = 0;
  /** Lanes whose head waits for its next attempt. */
  waiting = 0;

  constructor(ports: LaneMemoryPorts) {
    this.#ports = ports;
  }

  get entries(): number {
    return this.#known.size;
  }

  /** Room for one more. */
  get hasRoom(): boolean {
    const { entriesMax, waitingMax } = this.#ports.limits;
    return this.#known.size - this.waiting < entriesMax && this.#known.size < entriesMax + waitingMax;
  }

  get isCrowded(): boolean {
    return this.#known.size - this.waiting > this.#ports.limits.entriesMax / 2;
  }

  /** Room enough to make reading from the outbox worth while. */
  get hasRoomToRead(): boolean {
    return !this.isCrowded && this.waiting < this.#ports.limits.waitingMax;
  }

  knows(deliveryId: string): boolean {
    return this.#known.has(deliveryId);
  }

  hold(item: Item, letter: Letter): void {
    this.#known.add(item.id);
    this.keep(item, letter);
  }

  /** Keeps the letter with its item while there is room for letters. */
  keep(item: Item, letter: Letter): void {
    if (item.letter !== null) return;
    if (this.envelopes >= this.#ports.limits.envelopesMax) {
      this.#ports.stats.spilledEnvelopes++;
      return;
    }
    item.letter = letter;
    this.envelopes++;
  }

  forget(item: Item): void {
    if (item.letter !== null) this.envelopes--;
    item.letter = null;
    this.#known.delete(item.id);
  }

  /** After every change: says when there is room again. */
  noteRoom(): void {
    const hadRoom = this.#hadRoom;
    this.#hadRoom = this.hasRoomToRead;
    if (!hadRoom && this.#hadRoom) this.#ports.roomMade();
  }
}
