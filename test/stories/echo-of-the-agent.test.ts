import { describe, expect, it } from 'vitest';
import { agentVoice, callerVoice, echoOf, onTheLine } from '../media/echo-guard/lines.ts';
import { openInterruptionScene } from './interruptions.ts';
import type { Story, StoryParty } from './story.ts';

const FRAME = 160;
const FRAMES = 300;
/** From here on somebody speaks (`loudDetectors`). */
const LOUD = 1000;
const DELAYS_MS = [20, 60, 150, 275, 400];

/** The agent says everything at once; the line of the caller carries what comes back of it, and a voice. */
function talk(scene: { story: Story; caller: StoryParty; agent: StoryParty }, line: Int16Array): void {
  const { story, caller, agent } = scene;
  const voice = agentVoice();
  for (let i = 0; i < FRAMES; i++) agent.sendsSamples(voice.slice(i * FRAME, (i + 1) * FRAME));
  for (let i = 0; i < FRAMES; i++) {
    story.clock.advance(20);
    caller.sendsSamples(line.slice(i * FRAME, (i + 1) * FRAME));
  }
}

/** As loud as a telephone's echo is said to be at worst. */
const echo = (delayMs: number): Int16Array =>
  echoOf(agentVoice(), { delaySamples: delayMs * 8, gainDb: -20, seed: delayMs });

describe('the echo of an agent on the line of its caller', () => {
  it.each(DELAYS_MS)('interrupts nobody, %i ms late', (delayMs) => {
    const scene = openInterruptionScene('clear');
    talk(scene, onTheLine(echo(delayMs)));
    expect(scene.story.types).toContain('voice_detected');
    expect(scene.story.types).not.toContain('barge_in');
    expect(scene.caller.clears).toBe(0);
    expect(scene.caller.heard).toHaveLength(FRAMES);
  });

  it.each(DELAYS_MS)('does not hide a caller who speaks over it, %i ms late', (delayMs) => {
    const scene = openInterruptionScene('clear');
    const caller = callerVoice(agentVoice(), 0);
    caller.fill(0, 0, FRAMES * FRAME * 0.5);
    talk(scene, onTheLine(echo(delayMs), caller));
    expect(scene.story.only('barge_in').data['interrupted_leg_id']).toBe(scene.agent.legId);
    const firstFrame = Math.floor(caller.findIndex((sample) => Math.abs(sample) > LOUD) / FRAME);
    expect(scene.caller.heard.length).toBeGreaterThanOrEqual(firstFrame);
    // Sure of a voice after two frames, and that it is no echo after two more.
    expect(scene.caller.heard.length).toBeLessThanOrEqual(firstFrame + 6);
  });
});
