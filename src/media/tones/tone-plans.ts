import type { ToneName } from './tone-edge.ts';

/** How a network says where a call has got to: one or two sines, on and off in turn. */
export interface TonePlan {
  readonly tone: ToneName;
  /** Below 900 Hz. */
  readonly frequenciesHz: readonly number[];
  /** On, off, on, off …, and again; `[Infinity]` never stops. */
  readonly cadenceMs: readonly number[];
}

/**
 * Europe, North America, the United Kingdom and France, as ITU-T E.180 supplement 2 lists them.
 * Countries that share
 * frequencies share plans where their cadences are within a fifth of each other.
 */
export const TONE_PLANS: readonly TonePlan[] = [
  { tone: 'ringback', frequenciesHz: [425], cadenceMs: [1000, 4000] },
  { tone: 'ringback', frequenciesHz: [425], cadenceMs: [1500, 3000] },
  { tone: 'busy', frequenciesHz: [425], cadenceMs: [500, 500] },
  { tone: 'congestion', frequenciesHz: [425], cadenceMs: [250, 250] },
  { tone: 'dial', frequenciesHz: [425], cadenceMs: [Infinity] },
  { tone: 'ringback', frequenciesHz: [440, 480], cadenceMs: [2000, 4000] },
  { tone: 'busy', frequenciesHz: [480, 620], cadenceMs: [500, 500] },
  { tone: 'congestion', frequenciesHz: [480, 620], cadenceMs: [250, 250] },
  { tone: 'dial', frequenciesHz: [350, 440], cadenceMs: [Infinity] },
  { tone: 'ringback', frequenciesHz: [400, 450], cadenceMs: [400, 200, 400, 2000] },
  { tone: 'busy', frequenciesHz: [400], cadenceMs: [375, 375] },
  { tone: 'dial', frequenciesHz: [350, 450], cadenceMs: [Infinity] },
  { tone: 'ringback', frequenciesHz: [440], cadenceMs: [1500, 3500] },
  { tone: 'busy', frequenciesHz: [440], cadenceMs: [500, 500] },
  { tone: 'dial', frequenciesHz: [440], cadenceMs: [Infinity] },
];
