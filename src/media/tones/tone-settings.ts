import { TONE_PLANS, type TonePlan } from './tone-plans.ts';

/** What counts as a beep, and as the tones of a fax. */
export interface BeepSettings {
  readonly frequencyMinHz: number;
  readonly frequencyMaxHz: number;
  readonly durationMinMs: number;
  readonly durationMaxMs: number;
  readonly levelMinDbm0: number;
  /** How much of a tone may be something else. */
  readonly noiseMaxRatio: number;
  /** Whether a beep is one only after somebody, or a machine, has spoken. */
  readonly needsSpeech: boolean;
  /** How long a tone of a known call progress frequency waits for its second burst before it is a beep. */
  readonly cadenceWaitMs: number;
}

/** What tones are listened for, and how. */
export interface ToneSettings {
  readonly beep: BeepSettings;
  /** Ringback, busy and the like of the networks that calls come from. */
  readonly plans: readonly TonePlan[];
  readonly progressLevelMinDbm0: number;
  /** What part of the power the tones of a plan must have. */
  readonly progressShareMinRatio: number;
}

/** Every network's tones whose cadences can be told apart. */
export const TONE_DEFAULTS: ToneSettings = {
  beep: {
    frequencyMinHz: 400,
    frequencyMaxHz: 2500,
    durationMinMs: 100,
    durationMaxMs: 3000,
    levelMinDbm0: -35,
    noiseMaxRatio: 0.04,
    needsSpeech: false,
    cadenceWaitMs: 700,
  },
  plans: TONE_PLANS,
  progressLevelMinDbm0: -40,
  progressShareMinRatio: 0.5,
};
