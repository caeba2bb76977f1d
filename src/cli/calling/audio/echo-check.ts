import type { AtMs } from '../../../base/clock.ts';
import { frameBytes, type AudioFormat, type CodecName } from '../../../media/format.ts';
import { Distribution } from '../distribution.ts';
import type { SentTimes } from '../sent-times.ts';
import type { Script } from './script.ts';

/** A second either way: an echo that slipped further has another trouble. */
const SLIP_FRAMES_MAX = 50;
const MULAW_NEGATIVE_ZERO = 0x7f;
const MULAW_ZERO = 0xff;

/** Rates at which calls pass audio on as it came. */
const LOSSLESS_RATES_HZ: readonly number[] = [8000, 16_000];
const LOSSLESS_CODECS: readonly CodecName[] = ['pcmu', 'pcma', 'l16'];

/** Whether an echo returns the bytes that were spoken: no codec that remembers, no other rate on the way. */
export function isLossless(spoken: AudioFormat, heard: AudioFormat): boolean {
  const isSame =
    spoken.codec === heard.codec &&
    spoken.sampleRateHz === heard.sampleRateHz &&
    frameBytes(spoken) === frameBytes(heard) &&
    spoken.littleEndian === heard.littleEndian;
  return isSame && LOSSLESS_CODECS.includes(spoken.codec) && LOSSLESS_RATES_HZ.includes(spoken.sampleRateHz);
}

/**
 * Holds what comes back against what was sent. An echo returns every frame in order, so the k-th one back
 * answers the k-th one sent; where it does not, the nearest frame that fits says how far it slipped.
 */
export class EchoCheck {
  /** Skipped ones never came, changed ones fit no frame that was sent, repeated ones came once before. */
  readonly stats = { comparedFrames: 0, skippedFrames: 0, changedFrames: 0, repeatedFrames: 0 };
  readonly roundTrips = new Distribution();
  readonly #script: Pick<Script, 'frameAt' | 'silence'>;
  readonly #sent: SentTimes;
  readonly #isMulaw: boolean;
  readonly #unsaidSample: number | undefined;
  #next = 0;

  constructor(options: {
    script: Pick<Script, 'frameAt' | 'silence'>;
    sent: SentTimes;
    format: AudioFormat;
    unsaidSample?: number | undefined;
  }) {
    this.#script = options.script;
    this.#sent = options.sent;
    this.#isMulaw = options.format.codec === 'pcmu';
    this.#unsaidSample = options.unsaidSample;
  }

  /** Nothing that was sent is still owed. */
  get isComplete(): boolean {
    return this.#next >= this.#sent.frames;
  }

  /** Sent, and not heard again. */
  get missingFrames(): number {
    return this.stats.skippedFrames + Math.max(0, this.#sent.frames - this.#next);
  }

  /** Every byte came back as it was sent, and in order; µ-law knows two zeros, which are one. */
  get isIdentical(): boolean {
    const { comparedFrames, changedFrames, repeatedFrames } = this.stats;
    return comparedFrames > 0 && this.missingFrames + changedFrames + repeatedFrames === 0;
  }

  /** Takes a frame that came back; answers how long it was away, where that can be told. */
  receive(payload: Uint8Array, payloadBytes: number, nowMs: AtMs): number | undefined {
    // Messages of a fixed length are filled up with silence behind the last word.
    if (this.isComplete && this.#isSilence(payload, payloadBytes)) return undefined;
    this.stats.comparedFrames++;
    const slip = this.#slipOf(payload, payloadBytes);
    if (slip === undefined) this.stats.changedFrames++;
    else if (slip > 0) this.stats.skippedFrames += slip;
    else this.stats.repeatedFrames -= slip;
    const index = this.#next + (slip ?? 0);
    this.#next = index + 1;
    const sentAtMs = this.#sent.of(index);
    if (sentAtMs === undefined) return undefined;
    this.roundTrips.add(nowMs - sentAtMs);
    return nowMs - sentAtMs;
  }

  #slipOf(payload: Uint8Array, payloadBytes: number): number | undefined {
    if (this.#fits(this.#next, payload, payloadBytes)) return 0;
    for (let distance = 1; distance <= SLIP_FRAMES_MAX; distance++) {
      if (this.#fits(this.#next + distance, payload, payloadBytes)) return distance;
      if (this.#fits(this.#next - distance, payload, payloadBytes)) return -distance;
    }
    return undefined;
  }

  #fits(index: number, payload: Uint8Array, payloadBytes: number): boolean {
    if (index < 0 || index >= this.#sent.frames) return false;
    const frame = this.#script.frameAt(index);
    if (frame.length !== payloadBytes) return false;
    for (let i = 0; i < payloadBytes; i++) {
      if (payload[i] !== frame[i] && !this.#areOne(payload, frame, i)) return false;
    }
    return true;
  }

  #isSilence(payload: Uint8Array, payloadBytes: number): boolean {
    const { silence } = this.#script;
    if (silence.length !== payloadBytes) return false;
    for (let i = 0; i < payloadBytes; i++) {
      if (payload[i] !== silence[i] && !this.#areOne(payload, silence, i)) return false;
    }
    return true;
  }

  /** Whether two bytes that differ say the same: the zeros of µ-law, or what stands for an unsaid sample. */
  #areOne(heard: Uint8Array, said: Uint8Array, i: number): boolean {
    if (this.#isMulaw) {
      const [a, b] = [heard[i]!, said[i]!];
      return (
        (a === MULAW_ZERO && b === MULAW_NEGATIVE_ZERO) || (a === MULAW_NEGATIVE_ZERO && b === MULAW_ZERO)
      );
    }
    const unsaid = this.#unsaidSample;
    return unsaid !== undefined && sampleAt(said, i) === unsaid && sampleAt(heard, i) === unsaid + 1;
  }
}

/** The sample that the byte is part of, low byte first. */
function sampleAt(bytes: Uint8Array, i: number): number {
  const first = i - (i % 2);
  return ((bytes[first]! | (bytes[first + 1]! << 8)) << 16) >> 16;
}
