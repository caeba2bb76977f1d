import type { AtMs } from '../../base/clock.ts';
import { invariant } from '../../base/errors.ts';

/** A jump further than this, either way, is a sender that started over (RFC 3550 A.1, MAX_MISORDER). */
const JUMP_PACKETS_MAX = 100;
const NEVER = -1;
const FIRST_NUMBER = 0x1_0000;
const NOTHING = new Uint8Array(0);

export interface SequencerOptions {
  /**
   * How far ahead of a missing packet others may be held: then it is given up, however short the wait
   * was.
   */
  readonly packetsMax?: number;
  readonly packetBytesMax: number;
  /** How long a missing packet is waited for, from when the first one behind it came. */
  readonly waitMs: number;
}

/** What `next` found. `lost`: this packet was given up. `waiting`: nothing is to be decoded now. */
export type Sequenced = 'packet' | 'lost' | 'waiting';

/**
 * Puts numbered packets in order before they are decoded: a decoder that keeps state, and the ears, must not
 * go back. Offer each packet, then take what is next until `waiting`. Packets are copied into slots of their
 * own, made once.
 */
export class Sequencer {
  readonly stats = {
    packets: 0,
    lostPackets: 0,
    latePackets: 0,
    duplicatePackets: 0,
    /** Refused: longer than a slot. */
    oversizedPackets: 0,
    resets: 0,
  };
  /** The packet of the last `next` that said so, in its first `packetBytes`; its number and times. */
  packet: Uint8Array = NOTHING;
  packetBytes = 0;
  sequence = NEVER;
  timestampSamples = NEVER;
  arrivedAtMs: AtMs = 0;
  readonly #waitMs: number;
  readonly #slots: readonly Uint8Array[];
  readonly #bytes: Int32Array;
  readonly #sequences: Int32Array;
  readonly #timestamps: Float64Array;
  readonly #arrivedAtMs: Float64Array;
  /** The number each slot held last, taken or not: how a duplicate is told from a late packet. */
  readonly #numbers: Float64Array;
  readonly #isHeld: Uint8Array;
  #heldPackets = 0;
  #next = NEVER;
  #newest = NEVER;
  #newestSequence = 0;

  constructor({ packetsMax = 16, packetBytesMax, waitMs }: SequencerOptions) {
    invariant(packetsMax > 0 && packetsMax <= JUMP_PACKETS_MAX, 'a sequencer holds 1 to 100 packets');
    this.#waitMs = waitMs;
    const block = new Uint8Array(packetsMax * packetBytesMax);
    this.#slots = Array.from({ length: packetsMax }, (_, slot) =>
      block.subarray(slot * packetBytesMax, (slot + 1) * packetBytesMax),
    );
    this.#bytes = new Int32Array(packetsMax);
    this.#sequences = new Int32Array(packetsMax);
    this.#timestamps = new Float64Array(packetsMax);
    this.#arrivedAtMs = new Float64Array(packetsMax);
    this.#numbers = new Float64Array(packetsMax).fill(NEVER);
    this.#isHeld = new Uint8Array(packetsMax);
  }

  get heldPackets(): number {
    return this.#heldPackets;
  }

  /**
   * Whether the packet behind the lost one is held: its bytes lie in `packet` until the next call, so that
   * what it repeats of the lost one (Opus FEC) can be decoded.
   */
  get hasFollowing(): boolean {
    return this.#heldPackets > 0 && this.#isHeldAt(this.#next);
  }

  /** Takes the first `packetBytes` of `packet`. Take all that is next before offering another one. */
  offer(
    packet: Uint8Array,
    packetBytes: number,
    header: { readonly sequence: number; readonly timestampSamples: number },
    nowMs: AtMs,
  ): void {
    const number = this.#numberOf(header.sequence);
    const slot = number % this.#slots.length;
    if (packetBytes > this.#slots[0]!.length) this.stats.oversizedPackets++;
    else if (this.#numbers[slot] === number) this.stats.duplicatePackets++;
    else if (number < this.#next) this.stats.latePackets++;
    else {
      this.#makeRoomFor(number);
      const bytes = this.#slots[slot]!;
      for (let i = 0; i < packetBytes; i++) bytes[i] = packet[i]!;
      this.#bytes[slot] = packetBytes;
      this.#sequences[slot] = header.sequence;
      this.#timestamps[slot] = header.timestampSamples;
      this.#arrivedAtMs[slot] = nowMs;
      this.#numbers[slot] = number;
      this.#isHeld[slot] = 1;
      this.#heldPackets++;
      this.stats.packets++;
    }
  }

  /** The next packet in order, or the word that it is lost. */
  next(nowMs: AtMs): Sequenced {
    if (this.#heldPackets === 0) return 'waiting';
    if (this.#isHeldAt(this.#next)) {
      this.#show(this.#next);
      this.#isHeld[this.#next++ % this.#slots.length] = 0;
      this.#heldPackets--;
      return 'packet';
    }
    if (nowMs < this.givesUpAtMs) return 'waiting';
    this.#next++;
    this.stats.lostPackets++;
    if (this.#isHeldAt(this.#next)) this.#show(this.#next);
    return 'lost';
  }

  /** When the packet that is missing is given up; Infinity where none is. */
  get givesUpAtMs(): AtMs {
    if (this.#heldPackets === 0 || this.#isHeldAt(this.#next)) return Infinity;
    // The window is full.
    if (this.#newest - this.#next >= this.#slots.length - 1) return -Infinity;
    let earliestAtMs = Infinity;
    for (let slot = 0; slot < this.#slots.length; slot++) {
      if (this.#isHeld[slot] === 1) earliestAtMs = Math.min(earliestAtMs, this.#arrivedAtMs[slot]!);
    }
    return earliestAtMs + this.#waitMs;
  }

  /** Forgets what is held: the next packet, whatever its number, is the first. */
  reset(): void {
    this.#isHeld.fill(0);
    this.#numbers.fill(NEVER);
    this.#heldPackets = 0;
    this.#next = NEVER;
  }

  #numberOf(sequence: number): number {
    if (this.#next === NEVER) {
      this.#next = FIRST_NUMBER;
      return this.#follow(FIRST_NUMBER, sequence);
    }
    const step = ((sequence - this.#newestSequence) << 16) >> 16;
    if (Math.abs(step) > JUMP_PACKETS_MAX) {
      // Nothing held is dropped: the new stream goes on right behind the old one.
      this.stats.resets++;
      return this.#follow(this.#newest + 1, sequence);
    }
    const number = this.#newest + step;
    return step > 0 ? this.#follow(number, sequence) : number;
  }

  #follow(number: number, sequence: number): number {
    this.#newest = number;
    this.#newestSequence = sequence;
    return number;
  }

  /** A packet beyond the window: what it pushes out was not taken, so it is lost. */
  #makeRoomFor(number: number): void {
    for (; this.#next <= number - this.#slots.length; this.#next++) {
      const slot = this.#next % this.#slots.length;
      this.stats.lostPackets++;
      if (!this.#isHeldAt(this.#next)) continue;
      this.#isHeld[slot] = 0;
      this.#heldPackets--;
      this.stats.packets--;
    }
  }

  #isHeldAt(number: number): boolean {
    const slot = number % this.#slots.length;
    return this.#isHeld[slot] === 1 && this.#numbers[slot] === number;
  }

  #show(number: number): void {
    const slot = number % this.#slots.length;
    this.packet = this.#slots[slot]!;
    this.packetBytes = this.#bytes[slot]!;
    this.timestampSamples = this.#timestamps[slot]!;
    this.arrivedAtMs = this.#arrivedAtMs[slot]!;
    this.sequence = this.#sequences[slot]!;
  }
}
