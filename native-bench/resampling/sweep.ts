import { openResampler } from '../../src/media/resampler/resampler.ts';

const AMPLITUDE = 30_000;
const FRAME_MS = 20;
/** What is heard before the filter is full is not measured. */
const SETTLING_FRAMES = 4;
const FRAMES = 14;
const STEPS = 160;

/** One tone through a resampler, in dB below what went in. */
export interface Heard {
  /** The tone itself. */
  readonly toneDb: number;
  /** Everything else that came out: aliases, images, rounding. */
  readonly restDb: number;
}

/** How a pair of rates treats tones of all frequencies. */
export interface SweepFigures {
  readonly fromHz: number;
  readonly toHz: number;
  /** The largest deviation from 0 dB up to 0.8 of the lower rate's half. */
  readonly rippleDb: number;
  readonly minus1DbHz: number;
  readonly minus3DbHz: number;
  /** The loudest of what came out for tones that do not fit the lower rate; null where all fit. */
  readonly aliasDb: number | null;
  /** The loudest of what was added to tones that do. */
  readonly imageDb: number;
  readonly delayMs: number;
}

/** Plays one tone through a fresh resampler, frame by frame. */
export function hearTone(fromHz: number, toHz: number, frequencyHz: number): Heard {
  const out = play(fromHz, toHz, frequencyHz).subarray((SETTLING_FRAMES * FRAME_MS * toHz) / 1000);
  const power = out.reduce((sum, sample) => sum + sample * sample, 0) / out.length;
  const tonePower = frequencyHz < toHz / 2 ? tonePowerOf(out, frequencyHz / toHz) : 0;
  const whole = AMPLITUDE ** 2 / 2;
  return { toneDb: toDb(tonePower / whole), restDb: toDb(Math.max(0, power - tonePower) / whole) };
}

/** Tones over all of a pair's band, one by one. */
export function sweep(fromHz: number, toHz: number): SweepFigures {
  const lowerHalfHz = Math.min(fromHz, toHz) / 2;
  const stopHz = toHz === 8000 ? 3600 : lowerHalfHz;
  const within = tones(0.005 * lowerHalfHz, 0.995 * lowerHalfHz).map((hz) => ({
    hz,
    ...hearTone(fromHz, toHz, hz),
  }));
  const beyond = fromHz > toHz ? tones(stopHz, 0.995 * (fromHz / 2)) : [];
  const aliases = beyond
    .map((hz) => hearTone(fromHz, toHz, hz))
    .map(({ toneDb, restDb }) => both(toneDb, restDb));
  const flat = within.filter(({ hz }) => hz <= 0.8 * lowerHalfHz).map(({ toneDb }) => Math.abs(toneDb));
  return {
    fromHz,
    toHz,
    rippleDb: Math.max(...flat),
    minus1DbHz: edge(fromHz, toHz, -1),
    minus3DbHz: edge(fromHz, toHz, -3),
    aliasDb: aliases.length === 0 ? null : Math.max(...aliases),
    imageDb: Math.max(...within.map(({ restDb }) => restDb)),
    delayMs: (openResampler(fromHz, toHz).delaySamples * 1000) / toHz,
  };
}

/** The highest frequency that is not weakened further: halved until it is known to a hertz. */
function edge(fromHz: number, toHz: number, limitDb: number): number {
  let [passes, fails] = [0.5 * (Math.min(fromHz, toHz) / 2), 0.999 * (Math.min(fromHz, toHz) / 2)];
  while (fails - passes > 1) {
    const between = (passes + fails) / 2;
    if (hearTone(fromHz, toHz, between).toneDb >= limitDb) passes = between;
    else fails = between;
  }
  return passes;
}

function play(fromHz: number, toHz: number, frequencyHz: number): Int16Array {
  const resampler = openResampler(fromHz, toHz);
  const frame = Math.floor((fromHz * FRAME_MS) / 1000);
  const source = new Int16Array(frame);
  const target = new Int16Array(Math.ceil((toHz * FRAME_MS) / 1000) + 1);
  const out = new Int16Array(FRAMES * target.length);
  let made = 0;
  for (let index = 0; index < FRAMES; index++) {
    for (let i = 0; i < frame; i++) {
      const turns = (frequencyHz * (index * frame + i)) / fromHz;
      source[i] = Math.round(AMPLITUDE * Math.sin(2 * Math.PI * turns));
    }
    const samples = resampler.resampleInto(source, frame, target);
    out.set(target.subarray(0, samples), made);
    made += samples;
  }
  return out.subarray(0, made);
}

/** Power of the sine that fits best: least squares, so that any frequency and length will do. */
function tonePowerOf(out: Int16Array, turnsPerSample: number): number {
  let [cc, ss, cs, xc, xs] = [0, 0, 0, 0, 0];
  for (let i = 0; i < out.length; i++) {
    const cosine = Math.cos(2 * Math.PI * turnsPerSample * i);
    const sine = Math.sin(2 * Math.PI * turnsPerSample * i);
    cc += cosine * cosine;
    ss += sine * sine;
    cs += cosine * sine;
    xc += out[i]! * cosine;
    xs += out[i]! * sine;
  }
  const determinant = cc * ss - cs * cs;
  const [a, b] = [(xc * ss - xs * cs) / determinant, (xs * cc - xc * cs) / determinant];
  return (a * xc + b * xs) / out.length;
}

function tones(fromHz: number, toHz: number): number[] {
  return Array.from({ length: STEPS }, (_, step) => fromHz + ((toHz - fromHz) * step) / (STEPS - 1));
}

function both(oneDb: number, otherDb: number): number {
  return toDb(10 ** (oneDb / 10) + 10 ** (otherDb / 10));
}

function toDb(powerRatio: number): number {
  return 10 * Math.log10(Math.max(powerRatio, 1e-20));
}
