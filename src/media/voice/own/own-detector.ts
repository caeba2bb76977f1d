import { invariant, VoiceError } from '../../../base/errors.ts';
import { LEAD_HOPS_MAX, type VoiceDetector } from '../../voice-detector.ts';
import { Features, HEARD_HZ } from './features.ts';
import { Network } from './network.ts';
import { NARROW } from './narrow-weights.ts';
import { WIDE } from './wide-weights.ts';

/** Log-odds at which a voice begins and at which it is gone, by aggressiveness; tuned on the tuning half. */
const THRESHOLDS = [
  { on: -0.4, off: -1.4 },
  { on: 0, off: -1 },
  { on: 0.4, off: -0.6 },
  { on: 1, off: 0 },
] as const;
/** Log-odds below `on` at which a hop before the first voiced one belongs to it. */
const LEAD_BELOW_ON = 1.5;

/** What is said on a wide line begins above the telephone band; on others nothing is there to be heard. */
const NARROW_NETWORK = new Network(NARROW);
const WIDE_NETWORK = new Network(WIDE);
/** One answer for all: it is asked for and read in one synchronous step. */
const ODDS = new Float32Array(1);

/** Our detector: the hop's features through a small network, with a threshold to begin and one to end. */
export class OwnDetector implements VoiceDetector {
  readonly hopSamples: number;
  /** How many hops just before this one bear traces of the same voice. */
  leadHops = 0;
  readonly #features: Features;
  readonly #on: number;
  readonly #off: number;
  #isVoice = false;
  #tracedHops = 0;
  #isClosed = false;

  constructor(sampleRateHz: number, aggressiveness: number) {
    const thresholds = THRESHOLDS[aggressiveness];
    if ((sampleRateHz !== HEARD_HZ && sampleRateHz !== 2 * HEARD_HZ) || thresholds === undefined) {
      const wanted = `${sampleRateHz} Hz at aggressiveness ${aggressiveness}`;
      throw new VoiceError('invalid_argument', `no voice detector for ${wanted}`);
    }
    this.hopSamples = sampleRateHz / 100;
    this.#features = new Features(sampleRateHz);
    this.#on = thresholds.on;
    this.#off = thresholds.off;
  }

  isVoice(samples: Int16Array): boolean {
    invariant(!this.#isClosed, 'a closed voice detector was asked');
    invariant(samples.length === this.hopSamples, 'a voice detector hears whole hops');
    this.#features.hear(samples);
    const network = this.#features.isWide ? WIDE_NETWORK : NARROW_NETWORK;
    network.logOddsInto(this.#features.values, ODDS);
    const odds = ODDS[0]!;
    const isLikely = odds >= (this.#isVoice ? this.#off : this.#on);
    // Keys pressed fast come and go as syllables do; what they are made of is known.
    this.#isVoice = isLikely && !this.#features.isKey;
    this.leadHops = this.#tracedHops;
    this.#tracedHops = odds >= this.#on - LEAD_BELOW_ON ? Math.min(LEAD_HOPS_MAX, this.#tracedHops + 1) : 0;
    return this.#isVoice;
  }

  close(): void {
    this.#isClosed = true;
  }
}
