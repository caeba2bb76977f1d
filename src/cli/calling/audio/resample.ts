// Zero crossings of the kernel on each side: 60 dB and more of what would alias is gone.
const LOBES = 16;
// Of the band that both rates have: what is left is room for the kernel's slope.
const PASSBAND_RATIO = 0.92;

/** A whole file at another rate, at leisure: windowed sinc, one kernel for each phase of the two rates. */
export function resample(samples: Int16Array, fromHz: number, toHz: number): Int16Array {
  if (fromHz === toHz) return samples;
  const divisor = gcd(fromHz, toHz);
  const [step, phases] = [fromHz / divisor, toHz / divisor];
  const cutoff = PASSBAND_RATIO * Math.min(1, toHz / fromHz);
  const halfTaps = Math.ceil(LOBES / cutoff);
  const kernels = Array.from({ length: phases }, (_, phase) => kernelAt(phase / phases, cutoff, halfTaps));
  const output = new Int16Array(Math.floor((samples.length * phases) / step));
  for (let i = 0; i < output.length; i++) {
    const position = i * step;
    const kernel = kernels[position % phases]!;
    const first = Math.floor(position / phases) - halfTaps + 1;
    let sum = 0;
    for (let tap = 0; tap < kernel.length; tap++) sum += kernel[tap]! * (samples[first + tap] ?? 0);
    output[i] = Math.max(-32_768, Math.min(32_767, Math.round(sum)));
  }
  return output;
}

/** Weights of the samples around a place `offset` behind a whole one; they sum to 1. */
function kernelAt(offset: number, cutoff: number, halfTaps: number): Float64Array {
  const kernel = Float64Array.from({ length: 2 * halfTaps }, (_, tap) => {
    const distance = tap - halfTaps + 1 - offset;
    const window = 0.5 + 0.5 * Math.cos((Math.PI * distance) / halfTaps);
    return sinc(distance * cutoff) * window;
  });
  const sum = kernel.reduce((total, weight) => total + weight, 0);
  return kernel.map((weight) => weight / sum);
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}
