import { ProgressTones } from './cadence/progress-tones.ts';
import { SingleToneMeter } from './single/single-tone-meter.ts';
import { SingleTones } from './single/single-tones.ts';
import { HEARD_HZ, TelephoneHops, type HopClock, type HopListener } from './telephone-hops.ts';
import type { ToneEdge } from './tone-edge.ts';
import { TONE_DEFAULTS, type ToneSettings } from './tone-settings.ts';

const HOP_MS = 20;
const HOP = (HOP_MS * HEARD_HZ) / 1000;
const NONE: readonly ToneEdge[] = Object.freeze([]);
/** A gap of this length spoils a hop and ends nothing. */
const GAP_MAX_MS = 20;

/** Beeps, faxes, ringback, busy and their like in a call's sound. Nothing is allocated but the edges. */
export class ToneListener implements HopListener {
  readonly stats = { hops: 0, detected: 0 };
  readonly #hops: TelephoneHops;
  readonly #meter = new SingleToneMeter(HOP);
  readonly #single: SingleTones;
  readonly #progress: ProgressTones;
  #edges: ToneEdge[] | undefined;
  #heardUntilMs = 0;

  constructor(sampleRateHz: number, settings: ToneSettings = TONE_DEFAULTS) {
    const tell = (edge: ToneEdge): void => {
      this.#edges ??= [];
      this.#edges.push(edge);
      if (edge.type === 'tone_detected') this.stats.detected++;
    };
    const cadencedHz = settings.plans.filter(({ frequenciesHz }) => frequenciesHz.length === 1);
    this.#hops = new TelephoneHops(sampleRateHz, HOP_MS, this);
    this.#progress = new ProgressTones(settings, tell);
    this.#single = new SingleTones(
      settings.beep,
      cadencedHz.map(({ frequenciesHz }) => frequenciesHz[0]!),
      tell,
    );
  }

  /** Any number of samples whose first is at `mediaMs`; what became sure by their end. */
  hear(samples: Int16Array, mediaMs: number): readonly ToneEdge[] {
    this.#edges = undefined;
    this.#hops.hear(samples, mediaMs);
    return this.#edges ?? NONE;
  }

  /** The stream ends: what sounds is cut short. */
  finish(): readonly ToneEdge[] {
    this.#edges = undefined;
    this.#finish();
    return this.#edges ?? NONE;
  }

  hearHop(hop: Float32Array, clock: HopClock): void {
    this.stats.hops++;
    this.#heardUntilMs = clock.endMs;
    this.#meter.hear(hop);
    this.#progress.hear(hop, this.#meter, clock);
    this.#single.hear(this.#meter, clock, this.#progress);
  }

  skip(gapMs: number): void {
    this.#meter.forget();
    if (gapMs < 0 || gapMs > GAP_MAX_MS) this.#finish();
  }

  #finish(): void {
    this.#single.finish(this.#heardUntilMs);
    this.#progress.finish(this.#heardUntilMs);
  }
}
