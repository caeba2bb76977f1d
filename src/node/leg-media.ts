import { refuse, type Refusal } from '../base/errors.ts';
import { frameSamples, KIB } from '../base/units.ts';
import type { Inbound, LegStarted } from '../dialect/dialect.ts';
import { PLAYOUT_FRAMES_MAX } from '../leg/playout.ts';
import type { LegOptions } from '../leg/leg.ts';
import { isSupported } from '../media/codecs.ts';
import { decodedSampleRateHz } from '../media/format.ts';
import { FixedJitterBuffer } from '../media/jitter/fixed-jitter-buffer.ts';
import { FramePool } from '../media/frame-pool.ts';
import { VoiceEdges } from '../media/voice/voice-edges.ts';
import type { VoiceDetectors, VoiceSettings } from '../media/voice-detector.ts';

/** Free slots a pool is topped up to, outside the tick. */
const FREE_FRAMES = 512;
/** A whole pool: what a few dozen agents may have queued at once. */
const POOL_FRAMES_MAX = 64 * PLAYOUT_FRAMES_MAX;
const MESSAGE_BYTES_MAX = 64 * KIB;

export interface LegMediaOptions {
  readonly detectors: VoiceDetectors;
  readonly voice: VoiceSettings;
  readonly jitterTargetMs: number;
}

type MediaParts = Pick<LegOptions, 'inbound' | 'slots' | 'jitter' | 'edges'>;

/** Makes what a leg hears and plays with, out of what the node has. */
export class LegMedia {
  readonly #options: LegMediaOptions;
  readonly #pools = new Map<number, FramePool>();
  /** One scratch for all legs: a message is read before the next one is. */
  readonly #inbound: Inbound = {
    payload: new Uint8Array(MESSAGE_BYTES_MAX),
    payloadBytes: 0,
    sequence: -1,
    timestampMs: -1,
  };

  constructor(options: LegMediaOptions) {
    this.#options = options;
    for (const sampleRateHz of [8000, 16_000]) {
      const framesMin = FREE_FRAMES;
      const pool = new FramePool({
        frameSamples: frameSamples(sampleRateHz),
        framesMin,
        framesMax: POOL_FRAMES_MAX,
      });
      this.#pools.set(sampleRateHz, pool);
    }
  }

  get poolStats(): {
    readonly madeFrames: number;
    readonly freeFrames: number;
    readonly refusedTakes: number;
  } {
    let [madeFrames, freeFrames, refusedTakes] = [0, 0, 0];
    for (const pool of this.#pools.values()) {
      madeFrames += pool.madeFrames;
      freeFrames += pool.freeFrames;
      refusedTakes += pool.stats.refusedTakes;
    }
    return { madeFrames, freeFrames, refusedTakes };
  }

  /** Both directions must be known codecs at one rate: the house converts no rates. */
  refusalOf({ inbound, outbound }: LegStarted): Refusal | undefined {
    if (!isSupported(inbound) || !isSupported(outbound)) {
      return refuse('unsupported_format', 'the codec or its rate is not spoken here');
    }
    const sampleRateHz = decodedSampleRateHz(inbound);
    if (!this.#pools.has(sampleRateHz)) return refuse('unsupported_format', 'calls have 8 or 16 kHz');
    if (sampleRateHz === decodedSampleRateHz(outbound)) return undefined;
    return refuse('unsupported_format', 'both directions must have the same sample rate');
  }

  partsFor({ inbound, outbound }: LegStarted): MediaParts {
    const { detectors, voice, jitterTargetMs } = this.#options;
    const sampleRateHz = decodedSampleRateHz(inbound);
    return {
      inbound: this.#inbound,
      slots: this.#pools.get(decodedSampleRateHz(outbound))!,
      jitter: new FixedJitterBuffer({ sampleRateHz, targetMs: jitterTargetMs }),
      edges: new VoiceEdges(detectors.open(sampleRateHz, voice), voice),
    };
  }

  /** Tops the pools up: asked about once a second, outside the tick. */
  reserve(): void {
    for (const pool of this.#pools.values()) pool.reserve(FREE_FRAMES);
  }
}
