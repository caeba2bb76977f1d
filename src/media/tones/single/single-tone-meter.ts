import { HEARD_HZ } from '../telephone-hops.ts';

/** Neighbours at this distance tell low tones apart that nearer ones cannot. */
const FAR = 4;
/** And at this one the two tones of a key. */
const MIDDLE = 2;

/**
 * Says of a hop whether it is one single sine, and of which frequency. For a sine, x(n−m) + x(n+m) is
 * 2·cos(mω) times
 * x(n); what a least-squares fit of that leaves over is noise or other sound. Looked at with m = 1, 2 and 4:
 * two sines that one of them takes for one, another does not.
 */
export class SingleToneMeter {
  /** Mean square of the hop. */
  power = 0;
  /** What part of the power is not the sine. */
  noiseRatio = 1;
  /** Of the sine; meaningless where `noiseRatio` is high. */
  frequencyHz = 0;
  readonly #line: Float32Array;

  constructor(hopSamples: number) {
    this.#line = new Float32Array(2 * FAR + hopSamples);
  }

  hear(hop: Float32Array): void {
    const line = this.#line;
    line.copyWithin(0, hop.length);
    line.set(hop, 2 * FAR);
    let own = 0;
    let nearOwn = 0;
    let nearNear = 0;
    let midOwn = 0;
    let midMid = 0;
    let farOwn = 0;
    let farFar = 0;
    for (let n = FAR; n < FAR + hop.length; n++) {
      const now = line[n]!;
      const near = line[n - 1]! + line[n + 1]!;
      const mid = line[n - MIDDLE]! + line[n + MIDDLE]!;
      const far = line[n - FAR]! + line[n + FAR]!;
      own += now * now;
      nearOwn += near * now;
      nearNear += near * near;
      midOwn += mid * now;
      midMid += mid * mid;
      farOwn += far * now;
      farFar += far * far;
    }
    this.power = own / hop.length;
    if (own === 0) {
      this.noiseRatio = 1;
      return;
    }
    const near = leftOver(own, nearOwn, nearNear);
    this.noiseRatio = Math.min(
      1,
      Math.max(0, near, leftOver(own, midOwn, midMid), leftOver(own, farOwn, farFar)),
    );
    // White noise is in `own` but not in `nearOwn`: the cosine is put right by it.
    const cos = nearOwn / own / 2 / (1 - Math.min(0.5, Math.max(0, near)));
    this.frequencyHz = (Math.acos(Math.min(1, Math.max(-1, cos))) * HEARD_HZ) / (2 * Math.PI);
  }

  forget(): void {
    this.#line.fill(0);
    this.noiseRatio = 1;
  }
}

/**
 * Share of the power that the fit leaves over, as if it was white: that comes through 2 + g² times as
 * strong.
 */
function leftOver(own: number, product: number, neighbours: number): number {
  const gain = product / own;
  return (neighbours - gain * product) / ((2 + gain * gain) * own);
}
