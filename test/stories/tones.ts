/** How loud one frequency is in what was heard, as the amplitude of its sine (Goertzel's algorithm). */
export function amplitudeOf(frames: readonly Int16Array[], hz: number, sampleRateHz = 8000): number {
  const coefficient = 2 * Math.cos((2 * Math.PI * hz) / sampleRateHz);
  let [last, before, samples] = [0, 0, 0];
  for (const frame of frames) {
    for (const sample of frame) {
      const now = sample + coefficient * last - before;
      before = last;
      last = now;
      samples++;
    }
  }
  const power = last * last + before * before - coefficient * last * before;
  return samples === 0 ? 0 : (2 * Math.sqrt(Math.max(0, power))) / samples;
}

/** Which of these tones can be heard, and not only their traces. */
export function tonesIn(
  frames: readonly Int16Array[],
  tonesHz: readonly number[],
  sampleRateHz = 8000,
): readonly number[] {
  return tonesHz.filter((hz) => amplitudeOf(frames, hz, sampleRateHz) > 600);
}
