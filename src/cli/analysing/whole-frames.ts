/** Of an RTP packet what its place in the sound needs (RFC 3550 §5.1). */
export interface SoundPacket {
  readonly atMs: number;
  readonly sequence: number;
  readonly timestamp: number;
  readonly payload: Uint8Array;
}

export interface FrameShape {
  /** Bytes of 20 ms, always the same. */
  readonly frameBytes: number;
  /** Clock ticks of 20 ms. */
  readonly frameTicks: number;
}

/** Frames that still lack a piece: a packet that comes later than this completes nothing. */
const WAITING_FRAMES_MAX = 50;
/** Sound does not go on across a larger step of the clock: the sender began anew. */
const STEP_FRAMES_MAX = 500;

interface Frame {
  readonly bytes: Uint8Array;
  /** Where pieces of it begin: a packet that came twice fills nothing twice. */
  readonly pieces: Set<number>;
  filledBytes: number;
}

/**
 * Packets of any length as packets of 20 ms: 10 ms are joined by two, 30 ms cut and joined. A frame comes
 * when its last piece does, at that packet's time; one whose piece was lost never comes, and its number is
 * missing. Silence that was not sent has no numbers, and sound begins a frame after it.
 */
export function* wholeFrames(packets: readonly SoundPacket[], shape: FrameShape): Generator<SoundPacket> {
  const cells = new FrameCells(shape);
  for (const packet of packets) yield* cells.take(packet);
}

/** Whether every packet holds whole frames of 20 ms as it is. */
export function areWhole(packets: readonly SoundPacket[], { frameBytes }: FrameShape): boolean {
  return packets.every(({ payload }) => payload.length % frameBytes === 0);
}

class FrameCells {
  readonly #shape: FrameShape;
  readonly #waiting = new Map<number, Frame>();
  /** Where the sound under way began: its timestamp, and the number of its first frame. */
  #origin: { readonly timestamp: number; readonly frame: number } | undefined;
  /** The packet that ends last, and the last frame that is whole with it. */
  #newest = { sequence: 0, endTimestamp: 0, frame: -1 };

  constructor(shape: FrameShape) {
    this.#shape = shape;
  }

  *take(packet: SoundPacket): Generator<SoundPacket> {
    const { frameBytes, frameTicks } = this.#shape;
    const origin = this.#originFor(packet);
    const ticks = (packet.timestamp - origin.timestamp) | 0;
    if (ticks < 0) return;
    let offset = Math.round((ticks * frameBytes) / frameTicks);
    for (let from = 0; from < packet.payload.length;) {
      const index = Math.floor(offset / frameBytes);
      const at = offset - index * frameBytes;
      const bytes = Math.min(frameBytes - at, packet.payload.length - from);
      const whole = this.#fill(origin.frame + index, at, packet.payload.subarray(from, from + bytes));
      if (whole !== undefined) {
        const timestamp = (origin.timestamp + index * frameTicks) >>> 0;
        yield { atMs: packet.atMs, sequence: (origin.frame + index) & 0xffff, timestamp, payload: whole };
      }
      from += bytes;
      offset += bytes;
    }
  }

  #originFor({ sequence, timestamp, payload }: SoundPacket): { timestamp: number; frame: number } {
    const { frameBytes, frameTicks } = this.#shape;
    const isNext = sequence === ((this.#newest.sequence + 1) & 0xffff);
    const step = (timestamp - this.#newest.endTimestamp) | 0;
    const isFar = Math.abs(step) > STEP_FRAMES_MAX * frameTicks;
    if (this.#origin === undefined || (isNext && step !== 0) || isFar) {
      this.#origin = { timestamp, frame: this.#newest.frame + 1 };
      // What was left over of the sound before is no frame.
      this.#waiting.delete(this.#origin.frame);
    }
    const endTimestamp = (timestamp + Math.round((payload.length * frameTicks) / frameBytes)) >>> 0;
    if (isFar || ((endTimestamp - this.#newest.endTimestamp) | 0) > 0 || this.#newest.frame < 0) {
      const ticks = (endTimestamp - this.#origin.timestamp) | 0;
      const frame = this.#origin.frame + Math.floor(ticks / frameTicks) - 1;
      this.#newest = { sequence, endTimestamp, frame };
    }
    return this.#origin;
  }

  #fill(number: number, at: number, piece: Uint8Array): Uint8Array | undefined {
    const frame = this.#waiting.get(number) ?? this.#begin(number);
    if (frame.pieces.has(at)) return undefined;
    frame.pieces.add(at);
    frame.bytes.set(piece, at);
    frame.filledBytes += piece.length;
    return frame.filledBytes === frame.bytes.length ? frame.bytes : undefined;
  }

  #begin(number: number): Frame {
    const frame = {
      bytes: new Uint8Array(this.#shape.frameBytes),
      pieces: new Set<number>(),
      filledBytes: 0,
    };
    this.#waiting.set(number, frame);
    for (const oldest of this.#waiting.keys()) {
      if (this.#waiting.size <= WAITING_FRAMES_MAX) break;
      this.#waiting.delete(oldest);
    }
    return frame;
  }
}
