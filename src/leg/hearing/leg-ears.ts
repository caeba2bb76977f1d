import { Ears } from './ears.ts';
import type { Leg } from '../leg.ts';
import type { LegOptions } from '../leg-options.ts';
import type { ToldDigits } from './told-digits.ts';

/** The ears of a leg: what they hear is told to the leg's listener, a press of a key only once. */
export function earsOf(leg: Leg, { edges, hearing, listener }: LegOptions, digits: ToldDigits): Ears {
  return new Ears({
    sampleRateHz: leg.sampleRateHz,
    edges,
    ...(hearing === undefined ? {} : { settings: hearing }),
    listener: {
      onVoice: (edge, nowMs) => listener.onVoice(leg, edge, nowMs),
      onKey: (edge, nowMs) => {
        const isNew = edge.type === 'key_pressed' && digits.isNew(edge.digit, 'in_band', nowMs);
        if (isNew) listener.onDigit?.(leg, edge.digit, nowMs);
      },
      onTone: (edge, nowMs) => {
        if (edge.type === 'tone_detected') listener.onTone?.(leg, edge, nowMs);
      },
      onAnswer: (result, nowMs) => listener.onAnswer?.(leg, result, nowMs),
    },
  });
}
