/** Power spectra of windows of 32 ms, by a plain radix-2 transform. */
export class Spectrum {
  readonly size: number;
  readonly power: Float64Array;
  readonly #window: Float64Array;
  readonly #re: Float64Array;
  readonly #im: Float64Array;

  constructor(size: number) {
    this.size = size;
    this.power = new Float64Array(size / 2 + 1);
    this.#window = Float64Array.from({ length: size }, (_, i) => Math.sin((Math.PI * (i + 0.5)) / size) ** 2);
    this.#re = new Float64Array(size);
    this.#im = new Float64Array(size);
  }

  /** Of the window that begins at `at`: a sine of amplitude A has about (A / 2)² at its peak. */
  measure(sound: Int16Array | Float64Array, at: number): Float64Array {
    for (let i = 0; i < this.size; i++) {
      const to = reversed(i, this.size);
      this.#re[to] = (sound[at + i] ?? 0) * this.#window[i]!;
      this.#im[to] = 0;
    }
    this.#transform();
    const scale = 4 / this.size ** 2;
    for (let k = 0; k < this.power.length; k++) {
      this.power[k] = (this.#re[k]! ** 2 + this.#im[k]! ** 2) * scale;
    }
    return this.power;
  }

  #transform(): void {
    const re = this.#re;
    const im = this.#im;
    for (let half = 1; half < this.size; half *= 2) {
      for (let k = 0; k < half; k++) {
        const c = Math.cos((Math.PI * k) / half);
        const s = -Math.sin((Math.PI * k) / half);
        for (let i = k; i < this.size; i += 2 * half) {
          const j = i + half;
          const turnedRe = re[j]! * c - im[j]! * s;
          const turnedIm = re[j]! * s + im[j]! * c;
          re[j] = re[i]! - turnedRe;
          im[j] = im[i]! - turnedIm;
          re[i] = re[i]! + turnedRe;
          im[i] = im[i]! + turnedIm;
        }
      }
    }
  }
}

function reversed(index: number, size: number): number {
  let result = 0;
  for (let bit = 1; bit < size; bit *= 2) {
    result = result * 2 + (index & 1);
    index >>= 1;
  }
  return result;
}
