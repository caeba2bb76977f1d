import type { AtMs } from '../../base/clock.ts';
import type { Inbound } from '../../dialect/dialect.ts';
import { Sequencer, type Sequenced } from '../../media/jitter/sequencer.ts';

/** How long the ears wait for a packet that is missing, where a jitter buffer gives them the time. */
const WAIT_MS = 60;
/** 120 ms: the longest packet of any codec (RFC 6716 §2.1.4). */
const PACKET_FRAMES_MAX = 6;
/** Opus at its highest rate fills 1275 bytes with 20 ms (RFC 6716 §2.1.1): longer packets speak far less. */
const PACKET_BYTES_MAX = 2048;
const NUMBERS = 0x1_0000;
/** A sender that jumps further started over: the order begins anew behind what was. */
const JUMP_PACKETS_MAX = 100;

/** The packets of a wire that numbers them, one by one, and how many of them never came. */
export class PacketOrder {
  /** Frames of a packet, as the last one had them: how much is missing when one is. */
  packetFrames = 1;
  /** Packets before the one that `next` found which nobody was told of: the jump was too long to wait. */
  skippedPackets = 0;
  readonly #packetBytesMax: number;
  readonly #header = { sequence: 0, timestampSamples: -1 };
  #sequencer: Sequencer | undefined;
  #lastSequence = -1;
  #lostPackets = 0;

  /** `frameBytes` is the codec's. */
  constructor(frameBytes: number) {
    this.#packetBytesMax = frameBytes > 0 ? PACKET_FRAMES_MAX * frameBytes : PACKET_BYTES_MAX;
  }

  get latePackets(): number {
    return this.#sequencer?.stats.latePackets ?? 0;
  }

  get duplicatePackets(): number {
    return this.#sequencer?.stats.duplicatePackets ?? 0;
  }

  /** Whether packets are held until one before them comes. */
  get isWaiting(): boolean {
    return (this.#sequencer?.heldPackets ?? 0) > 0;
  }

  get hasFollowing(): boolean {
    return this.#sequencer?.hasFollowing ?? false;
  }

  get packet(): Uint8Array {
    return this.#sequencer!.packet;
  }

  get packetBytes(): number {
    return this.#sequencer!.packetBytes;
  }

  get timestampSamples(): number {
    return this.#sequencer!.timestampSamples;
  }

  get arrivedAtMs(): AtMs {
    return this.#sequencer!.arrivedAtMs;
  }

  /** False where the packet is longer than any that is held. */
  offer({ payload, payloadBytes, sequence }: Inbound, timestampSamples: number, nowMs: AtMs): boolean {
    if (payloadBytes > this.#packetBytesMax) return false;
    // Most wires have no numbers: who has none pays for none.
    this.#sequencer ??= new Sequencer({ packetBytesMax: this.#packetBytesMax, waitMs: WAIT_MS });
    this.#header.sequence = sequence;
    this.#header.timestampSamples = timestampSamples;
    this.#sequencer.offer(payload, payloadBytes, this.#header, nowMs);
    return true;
  }

  next(nowMs: AtMs): Sequenced {
    const sequencer = this.#sequencer!;
    const found = sequencer.next(nowMs);
    if (found === 'lost') {
      this.#lostPackets++;
      this.skippedPackets = 0;
    } else if (found === 'packet') {
      const jump = this.#lastSequence < 0 ? 1 : (sequencer.sequence - this.#lastSequence + NUMBERS) % NUMBERS;
      this.skippedPackets = jump > JUMP_PACKETS_MAX ? 0 : Math.max(0, jump - 1 - this.#lostPackets);
      this.#lastSequence = sequencer.sequence;
      this.#lostPackets = 0;
    }
    return found;
  }

  reset(): void {
    this.#sequencer?.reset();
    this.#lastSequence = -1;
    this.#lostPackets = 0;
  }
}
