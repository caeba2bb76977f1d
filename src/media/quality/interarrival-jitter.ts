// RFC 3550 §6.4.1: the gain that has become everybody's figure of jitter.
const GAIN = 1 / 16;
/** A pause or a sender that started over says nothing about the network. */
const DIFFERENCE_MS_MAX = 1000;

/** How unevenly frames arrive, as RTCP reports it: by how much their spacing differs from the sender's. */
export class InterarrivalJitter {
  /** The estimate, and transit time of the last frame: numbers in arrays are not boxed. */
  readonly #jitterMs = new Float64Array(1);
  readonly #transitMs = Float64Array.of(NaN);

  get jitterMs(): number {
    return this.#jitterMs[0]!;
  }

  /** One frame, with the time its sender gave it (any origin) and ours. */
  arrived(sentMs: number, arrivedAtMs: number): void {
    const transitMs = arrivedAtMs - sentMs;
    const difference = Math.abs(transitMs - this.#transitMs[0]!);
    this.#transitMs[0] = transitMs;
    if (!(difference <= DIFFERENCE_MS_MAX)) return;
    this.#jitterMs[0]! += (difference - this.#jitterMs[0]!) * GAIN;
  }

  /** A new stream: its clock has another origin. */
  restart(): void {
    this.#transitMs[0] = NaN;
  }
}
