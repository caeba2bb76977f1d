import { refuse, type Refusal } from '../base/errors.ts';
import { frameSamples, KIB } from '../base/units.ts';
import type { Settings } from '../config/settings.ts';
import type { Inbound, LegStarted } from '../dialect/dialect.ts';
import type { EarsSettings } from '../leg/hearing/ears.ts';
import { HOUSE_RATES_HZ, houseRateHz } from '../leg/house-rate.ts';
import type { LegOptions } from '../leg/leg-options.ts';
import { PLAYOUT_FRAMES_MAX } from '../leg/playout.ts';
import { isSupported } from '../media/codecs.ts';
import { AdaptiveJitterBuffer } from '../media/jitter/adaptive-jitter-buffer.ts';
import { FixedJitterBuffer } from '../media/jitter/fixed-jitter-buffer.ts';
import { FramePool } from '../media/frame-pool.ts';
import { filterBank, RESAMPLED_RATES_HZ } from '../media/resampler/resampler.ts';
import { ANSWER_DEFAULTS } from '../media/tones/answer/answer-settings.ts';
import { DTMF_DEFAULTS } from '../media/tones/dtmf/dtmf-settings.ts';
import { TONE_DEFAULTS } from '../media/tones/tone-settings.ts';
import { VoiceEdges } from '../media/voice/voice-edges.ts';
import type { VoiceDetectors, VoiceSettings } from '../media/voice-detector.ts';

/** Free slots a pool is topped up to, outside the tick. */
const FREE_FRAMES = 512;
/** A whole pool: what a few dozen agents may have queued at once. */
const POOL_FRAMES_MAX = 64 * PLAYOUT_FRAMES_MAX;
const MESSAGE_BYTES_MAX = 64 * KIB;

/** How long audio is held on its way in. */
export interface JitterSettings {
  /** `fixed`: always `targetMs`. `adaptive`: as long as the wire makes it necessary, between the two. */
  readonly mode: 'fixed' | 'adaptive';
  /** 0: nothing is held, on an adaptive leg until its wire shows that it loses packets. */
  readonly targetMs: number;
  readonly maxMs: number;
}

/** What a leg is listened to for: voices; keys and tones, too; and who it was that answered. */
export type Hears = 'voices' | 'keys' | 'answers';

/**
 * `auto`: keys where the protocol does not tell them, tones where we did the calling. Both cost as much as
 * voices.
 */
export type HearWish = 'on' | 'off' | 'auto';

export interface LegMediaOptions {
  readonly detectors: VoiceDetectors;
  readonly voice: VoiceSettings;
  /** Of a fixed buffer, where `jitter` does not say more. */
  readonly jitterTargetMs: number;
  readonly jitter?: JitterSettings;
  /** Whether keys, tones and answers are listened for at all. */
  readonly hearing?: { readonly dtmf: HearWish; readonly tones: HearWish; readonly answer: boolean };
}

/** What kind of leg parts are made for. */
export interface LegNature {
  /** False where a leg speaks ahead of time: whoever hears it paces it, and nothing is late. */
  readonly isPaced: boolean;
  readonly hears: Hears;
  /** Its protocol says by itself which keys were pressed. */
  readonly tellsDigits: boolean;
  /** What is said of its voice beyond the node's settings. */
  readonly voice?: Partial<VoiceSettings>;
}

type MediaParts = Pick<LegOptions, 'inbound' | 'slots' | 'edges'> &
  Required<Pick<LegOptions, 'hearing'>> &
  JitterParts;
type JitterParts = Pick<LegOptions, 'jitter' | 'bufferFromNow'>;

const EVERYTHING = { dtmf: 'on', tones: 'on', answer: true } as const;

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
    for (const sampleRateHz of HOUSE_RATES_HZ) {
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
    readonly refusedReserves: number;
  } {
    let [madeFrames, freeFrames, refusedTakes, refusedReserves] = [0, 0, 0, 0];
    for (const pool of this.#pools.values()) {
      madeFrames += pool.madeFrames;
      freeFrames += pool.freeFrames;
      refusedTakes += pool.stats.refusedTakes;
      refusedReserves += pool.stats.refusedReserves;
    }
    return { madeFrames, freeFrames, refusedTakes, refusedReserves };
  }

  /** Each direction may have its own codec and rate, as long as both are known. */
  refusalOf({ inbound, outbound }: LegStarted): Refusal | undefined {
    if (isSupported(inbound) && isSupported(outbound)) return undefined;
    return refuse('unsupported_format', 'the codec or its rate is not spoken here');
  }

  partsFor(
    started: LegStarted,
    { isPaced, hears, tellsDigits, voice: own }: LegNature = {
      isPaced: true,
      hears: 'keys',
      tellsDigits: false,
    },
  ): MediaParts {
    const { detectors } = this.#options;
    const voice = { ...this.#options.voice, ...own };
    const sampleRateHz = houseRateHz(started);
    const slots = this.#pools.get(sampleRateHz)!;
    return {
      inbound: this.#inbound,
      slots,
      edges: new VoiceEdges(detectors.open(sampleRateHz, voice), voice),
      hearing: this.#hearingOf(hears, tellsDigits),
      ...(isPaced
        ? this.#jitterFor(sampleRateHz, slots)
        : { jitter: new FixedJitterBuffer({ sampleRateHz, targetMs: 0 }) }),
    };
  }

  /** Tops the pools up, outside the tick: about once a second, and after whatever a backend says at once. */
  reserve(): void {
    for (const pool of this.#pools.values()) pool.reserve(FREE_FRAMES);
  }

  #jitterFor(sampleRateHz: number, slots: LegOptions['slots']): JitterParts {
    const { jitter: settings, jitterTargetMs } = this.#options;
    if (settings === undefined || settings.mode === 'fixed') {
      const targetMs = settings?.targetMs ?? jitterTargetMs;
      return { jitter: new FixedJitterBuffer({ sampleRateHz, targetMs }) };
    }
    const { targetMs: minMs } = settings;
    const maxMs = Math.max(minMs, settings.maxMs);
    const jitter = new AdaptiveJitterBuffer({ sampleRateHz, minMs, maxMs: minMs > 0 ? maxMs : 0, slots });
    return { jitter, bufferFromNow: () => jitter.setRange(minMs, maxMs) };
  }

  #hearingOf(hears: Hears, tellsDigits: boolean): EarsSettings {
    const { dtmf, tones, answer } = this.#options.hearing ?? EVERYTHING;
    if (hears === 'voices') return {};
    return {
      ...(isWished(dtmf, !tellsDigits) ? { dtmf: DTMF_DEFAULTS } : {}),
      ...(isWished(tones, hears === 'answers') ? { tones: TONE_DEFAULTS } : {}),
      ...(answer && hears === 'answers' ? { answer: ANSWER_DEFAULTS } : {}),
    };
  }
}

function isWished(wish: HearWish, isUseful: boolean): boolean {
  return wish === 'on' || (wish === 'auto' && isUseful);
}

/** Designs the filters between the house's rates and every other, so that no call waits for one. */
export function prepareResampling(): void {
  for (const houseHz of HOUSE_RATES_HZ) {
    for (const wireHz of RESAMPLED_RATES_HZ) {
      if (wireHz === houseHz) continue;
      filterBank(wireHz, houseHz);
      filterBank(houseHz, wireHz);
    }
  }
}

/** As the settings want voices heard and jitter met. */
export function openLegMedia(settings: Settings, detectors: VoiceDetectors): LegMedia {
  return new LegMedia({
    detectors,
    voice: voiceSettingsOf(settings),
    jitterTargetMs: settings.jitterTargetMs,
    jitter: {
      mode: settings.jitterMode,
      targetMs: settings.jitterTargetMs,
      maxMs: settings.jitterMaxMs,
    },
    hearing: {
      dtmf: settings.hearDtmf,
      tones: settings.hearTones,
      answer: settings.hearAnswer === 'on',
    },
  });
}

function voiceSettingsOf(settings: Settings): VoiceSettings {
  return {
    detector: settings.vadDetector,
    aggressiveness: settings.vadAggressiveness,
    startMs: settings.vadStartMs,
    stopMs: settings.vadStopMs,
    levelMinDbfs: settings.vadLevelMinDbfs,
  };
}
