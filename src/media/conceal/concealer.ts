import { frameSamples, msToSamples } from '../../base/units.ts';
import { Background } from './background.ts';
import { ComfortNoise } from './comfort-noise.ts';
import { VoiceExtension } from './voice-extension.ts';

const HISTORY_MS = 60;
// The voice falls by 9 dB within 60 ms and to nothing within 120: no syllable lasts, and a voice that is held
// sounds like a machine.
const GONE_MS = 120;
// A sound that was fading goes on fading, by 6 dB at most: the next may begin meanwhile.
const DECAYED_RATIO_MIN = 0.5;
// How long the voice that goes on is faded into the one that comes back. ITU-T G.711 Appendix I takes up to
// 10 ms after long gaps; what came is nearer to what was said than what was made up, and 4 ms measured best.
const JOIN_MS = 4;
const SAMPLE_MAX = 32_767;
const SAMPLE_MIN = -32_768;

/**
 * Fills gaps in what one party says: with a voice that goes on for a moment, then with the line's own noise.
 */
export class Concealer {
  readonly stats = {
    /** Frames made because none came. */
    concealedFrames: 0,
    /** Frames of comfort noise that were asked for. */
    comfortFrames: 0,
    /** Runs of such frames, whatever their length. */
    gaps: 0,
  };
  /** What the line sounds like between words. */
  readonly background: Background;
  readonly #comfort: ComfortNoise;
  readonly #extension: VoiceExtension;
  readonly #history: Int16Array;
  readonly #voice: Float64Array;
  readonly #noise: Float64Array;
  readonly #goneSamples: number;
  readonly #joinSamples: number;
  /** How far into a gap we are; 0 while frames come. */
  #gapSamples = 0;
  /** One number: how far the voice has fallen as it was falling already. */
  readonly #decayed = new Float64Array(1);

  constructor(sampleRateHz: number) {
    const samples = frameSamples(sampleRateHz);
    this.background = new Background(sampleRateHz);
    this.#comfort = new ComfortNoise(sampleRateHz, this.background);
    this.#extension = new VoiceExtension(sampleRateHz, samples);
    this.#history = new Int16Array(msToSamples(HISTORY_MS, sampleRateHz));
    this.#voice = new Float64Array(samples);
    this.#noise = new Float64Array(samples);
    this.#goneSamples = msToSamples(GONE_MS, sampleRateHz);
    this.#joinSamples = msToSamples(JOIN_MS, sampleRateHz);
  }

  /** A frame that is really played. After a gap its beginning is faded in place out of what was concealed. */
  hear(frame: Int16Array): void {
    this.background.hear(frame);
    if (this.#gapSamples > 0) this.#join(frame);
    this.#remember(frame);
  }

  /** The next frame of a gap: the voice goes on, falls, and after 60 ms is little more than comfort noise. */
  concealInto(target: Int16Array): void {
    this.stats.concealedFrames++;
    this.#fill(target);
  }

  /** The next frame of a pause: comfort noise at the level of the background heard. */
  comfortInto(target: Int16Array): void {
    this.stats.comfortFrames++;
    // A voice that was cut off fades within milliseconds.
    if (this.#gapSamples === 0) this.#begin();
    this.#gapSamples = Math.max(this.#gapSamples, this.#goneSamples - this.#joinSamples);
    this.#fill(target);
  }

  reset(): void {
    this.background.reset();
    this.#comfort.reset();
    this.#extension.reset();
    this.#history.fill(0);
    this.#gapSamples = 0;
  }

  #begin(): void {
    this.stats.gaps++;
    this.#extension.begin(this.#history);
    this.#decayed[0] = 1;
  }

  #fill(target: Int16Array): void {
    if (this.#gapSamples === 0) this.#begin();
    this.#makeNext(target.length);
    for (let i = 0; i < target.length; i++) target[i] = saturated(this.#voice[i]!);
    this.#remember(target);
  }

  #makeNext(samples: number): void {
    const voice = this.#voice;
    const noise = this.#noise;
    const gone = this.#goneSamples;
    const decay = this.#extension.decayRatio[0]!;
    let decayed = this.#decayed[0]!;
    if (this.#gapSamples < gone) this.#extension.extendInto(samples, voice);
    this.#comfort.fillInto(samples, noise);
    for (let i = 0; i < samples; i++) {
      const left = Math.max(0, (gone - this.#gapSamples - i) / gone);
      decayed = Math.max(DECAYED_RATIO_MIN, decayed * decay);
      const gain = decayed * left * Math.sqrt(left);
      voice[i] = gain * voice[i]! + Math.sqrt(1 - gain * gain) * noise[i]!;
    }
    this.#decayed[0] = decayed;
    this.#gapSamples = Math.min(this.#gapSamples + samples, gone);
  }

  #join(frame: Int16Array): void {
    const samples = Math.min(frame.length, this.#joinSamples);
    this.#makeNext(samples);
    for (let i = 0; i < samples; i++) {
      const share = (i + 1) / (samples + 1);
      frame[i] = saturated(share * frame[i]! + (1 - share) * this.#voice[i]!);
    }
    this.#gapSamples = 0;
  }

  #remember(frame: Int16Array): void {
    this.#history.copyWithin(0, frame.length);
    this.#history.set(frame, this.#history.length - frame.length);
  }
}

function saturated(sample: number): number {
  return Math.max(SAMPLE_MIN, Math.min(SAMPLE_MAX, Math.round(sample)));
}
