import { beforeAll, describe, expect, it } from 'vitest';
import { PCMU_8K } from '../../src/media/format.ts';
import { VOICE_DEFAULTS, type VoiceDetectors } from '../../src/media/voice-detector.ts';
import { loadDetectors } from '../../src/media/voice/detectors.ts';
import { agentVoice, echoOf, onTheLine } from '../media/echo-guard/lines.ts';
import { openInterruptionScene } from './interruptions.ts';

const CALLS = 100;
const FRAME = 160;
const LEAD_FRAMES = 100;
/** The onset of the word in the sample is where it first passes this: some 20 dB below its loudest. */
const ONSET_LEVEL = 800;

let detectors: VoiceDetectors;

beforeAll(async () => {
  detectors = await loadDetectors();
});

/** Milliseconds from the first sound of a caller to the provider's `clear`; the wire brings whole frames. */
function onsetToClearMs(index: number): number {
  const { story, caller, agent } = openInterruptionScene('clear', { detectors, caller: { format: PCMU_8K } });
  const voice = agentVoice();
  // Every call speaks at another place within the frame, louder or softer; every second has an echo.
  const word = voice.subarray(voice.findIndex((sample) => Math.abs(sample) > ONSET_LEVEL));
  const onset = LEAD_FRAMES * FRAME + ((index * 37) % FRAME);
  const gain = 10 ** ((6 - (index % 13)) / 20);
  const own = Int16Array.from({ length: voice.length }, (_, i) => (i < onset ? 0 : gain * word[i - onset]!));
  const played = Int16Array.from(voice, (_, i) => voice[(i + 16_000) % voice.length]!);
  const delaySamples = 8 * (20 + ((index * 31) % 380));
  const echo = echoOf(played, { delaySamples, gainDb: index % 2 === 0 ? -20 : -70, seed: index + 1 });
  const line = onTheLine(echo, own);
  for (let i = 0; i < 250; i++) agent.sendsSamples(played.slice(i * FRAME, (i + 1) * FRAME));
  for (let i = 0; i < LEAD_FRAMES + 50; i++) {
    story.clock.advance(20);
    caller.sendsSamples(line.slice(i * FRAME, (i + 1) * FRAME));
    if (caller.clears > 0) return (i + 1) * 20 - onset / 8;
  }
  return Infinity;
}

describe('a caller with a real voice, heard by the real detector', () => {
  it(`stops the agent within 80 ms of the onset in most of ${CALLS} calls, and within 130 ms in 95 of them`, () => {
    expect(VOICE_DEFAULTS.startMs).toBe(40);
    const sorted = Array.from({ length: CALLS }, (_, index) => onsetToClearMs(index)).toSorted(
      (a, b) => a - b,
    );
    // Never before somebody spoke: that would be the echo.
    expect(sorted[0]).toBeGreaterThan(0);
    expect(sorted[CALLS / 2 - 1]).toBeLessThanOrEqual(80);
    expect(sorted[0.95 * CALLS - 1]).toBeLessThanOrEqual(130);
  }, 60_000);
});
