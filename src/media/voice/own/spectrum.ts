/** Samples of one look at the spectrum: 16 ms at 8 kHz, bins of 62.5 Hz. */
export const SPECTRUM_SAMPLES = 128;
const HALF = SPECTRUM_SAMPLES / 2;
const STAGES = Math.log2(HALF);

const WINDOW = Float64Array.from(
  { length: SPECTRUM_SAMPLES },
  (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * (i + 0.5)) / SPECTRUM_SAMPLES),
);
const COSINES = Float64Array.from({ length: HALF }, (_, i) =>
  Math.cos((-2 * Math.PI * i) / SPECTRUM_SAMPLES),
);
const SINES = Float64Array.from({ length: HALF }, (_, i) => Math.sin((-2 * Math.PI * i) / SPECTRUM_SAMPLES));
/** Where each pair of samples goes before the first stage: its index with the bits reversed. */
const PLACES = Uint8Array.from({ length: HALF }, (_, i) => {
  let place = 0;
  for (let bit = 0; bit < STAGES; bit++) place |= ((i >> bit) & 1) << (STAGES - 1 - bit);
  return place;
});

// One scratch for all: a spectrum is taken and read in one synchronous step.
const re = new Float64Array(HALF);
const im = new Float64Array(HALF);

/** Power of the 65 bins of 128 samples under a Hann window: even and odd samples as one complex FFT of 64. */
export function powerInto(samples: Float32Array, power: Float32Array): void {
  for (let i = 0; i < HALF; i++) {
    const place = PLACES[i]!;
    re[place] = samples[2 * i]! * WINDOW[2 * i]!;
    im[place] = samples[2 * i + 1]! * WINDOW[2 * i + 1]!;
  }
  turnFours();
  for (let span = 4; span < HALF; span <<= 1) turn(span);
  power[0] = (re[0]! + im[0]!) ** 2;
  power[HALF] = (re[0]! - im[0]!) ** 2;
  for (let k = 1; k < HALF; k++) {
    const mirror = HALF - k;
    const evenRe = 0.5 * (re[k]! + re[mirror]!);
    const evenIm = 0.5 * (im[k]! - im[mirror]!);
    const oddRe = 0.5 * (im[k]! + im[mirror]!);
    const oddIm = 0.5 * (re[mirror]! - re[k]!);
    const sumRe = evenRe + oddRe * COSINES[k]! - oddIm * SINES[k]!;
    const sumIm = evenIm + oddRe * SINES[k]! + oddIm * COSINES[k]!;
    power[k] = sumRe * sumRe + sumIm * sumIm;
  }
}

/** The first two stages at once: their factors are 1 and −i, which need no product. */
function turnFours(): void {
  for (let a = 0; a < HALF; a += 4) {
    const sumRe = re[a]! + re[a + 1]!;
    const sumIm = im[a]! + im[a + 1]!;
    const lessRe = re[a]! - re[a + 1]!;
    const lessIm = im[a]! - im[a + 1]!;
    const nextSumRe = re[a + 2]! + re[a + 3]!;
    const nextSumIm = im[a + 2]! + im[a + 3]!;
    const nextLessRe = re[a + 2]! - re[a + 3]!;
    const nextLessIm = im[a + 2]! - im[a + 3]!;
    re[a] = sumRe + nextSumRe;
    im[a] = sumIm + nextSumIm;
    re[a + 1] = lessRe + nextLessIm;
    im[a + 1] = lessIm - nextLessRe;
    re[a + 2] = sumRe - nextSumRe;
    im[a + 2] = sumIm - nextSumIm;
    re[a + 3] = lessRe - nextLessIm;
    im[a + 3] = lessIm + nextLessRe;
  }
}

/** One stage of butterflies, `span` apart. */
function turn(span: number): void {
  const step = HALF / span;
  for (let from = 0; from < HALF; from += 2 * span) {
    for (let k = 0; k < span; k++) {
      const a = from + k;
      const b = a + span;
      const cos = COSINES[k * step]!;
      const sin = SINES[k * step]!;
      const turnedRe = re[b]! * cos - im[b]! * sin;
      const turnedIm = re[b]! * sin + im[b]! * cos;
      re[b] = re[a]! - turnedRe;
      im[b] = im[a]! - turnedIm;
      re[a] = re[a]! + turnedRe;
      im[a] = im[a]! + turnedIm;
    }
  }
}
