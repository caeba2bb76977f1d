import { invariant } from '../../src/base/errors.ts';
import { FRAME_MS, FRAME_SAMPLES, type Speech } from '../load/speech.ts';

/** A word begins where it first passes this: some 20 dB below the loudest of the sample. */
const ONSET_LEVEL = 800;
const QUIET_LEVEL = 400;
const QUIET_SAMPLES = 3 * FRAME_SAMPLES;
/** How fast a caller speaks beside the sample, and so how high: 1 would be the agent's own voice. */
const SPEEDS = [1.25, 0.85, 1.1] as const;

/** What callers say, each word from its very onset on: the sample's own, by voices that are no agent's. */
export function wordsOf({ samples }: Speech, durationMs: number): readonly Int16Array[] {
  const wordSamples = (durationMs / FRAME_MS) * FRAME_SAMPLES;
  const words = SPEEDS.flatMap((speed) => {
    const voice = spokenAt(samples, speed);
    return onsetsIn(voice).map((onset) => voice.subarray(onset, onset + wordSamples));
  });
  const whole = words.filter(({ length }) => length === wordSamples);
  invariant(whole.length > 0, 'the sample has words');
  return whole;
}

function spokenAt(samples: Int16Array, speed: number): Int16Array {
  return Int16Array.from({ length: Math.floor((samples.length - 1) / speed) }, (_, i) => {
    const k = Math.floor(i * speed);
    const part = i * speed - k;
    return samples[k]! * (1 - part) + samples[k + 1]! * part;
  });
}

/** Where something is heard after a pause of three frames. */
function onsetsIn(samples: Int16Array): number[] {
  const onsets: number[] = [];
  let quietSamples = 0;
  for (const [at, sample] of samples.entries()) {
    const level = Math.abs(sample);
    if (level > ONSET_LEVEL && quietSamples >= QUIET_SAMPLES) onsets.push(at);
    if (level > ONSET_LEVEL) quietSamples = 0;
    else if (level < QUIET_LEVEL || quietSamples > 0) quietSamples++;
  }
  return onsets;
}
