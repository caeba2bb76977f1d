import { describe, expect, it } from 'vitest';
import { EchoGuard } from '../../../src/media/echo-guard/echo-guard.ts';
import { rmsDbfs } from '../../../src/media/voice/level.ts';
import { agentVoice, callerVoice, echoOf, onTheLine } from './lines.ts';

const DELAYS_MS = [20, 77.3, 150, 260.6, 400];
/** Whatever is softer is no voice (the detector's own gate). */
const VOICE_DBFS_MIN = -50;

/** What the guard says of every frame that is loud enough to be a voice: `e`cho or `o`wn voice. */
function judge(played: Int16Array, heard: Int16Array, sampleRateHz = 8000): string {
  const guard = new EchoGuard(sampleRateHz);
  const samples = sampleRateHz / 50;
  let said = '';
  for (let at = 0; at + samples <= heard.length; at += samples) {
    guard.played(played.subarray(at, at + samples));
    const frame = heard.subarray(at, at + samples);
    guard.heard(frame);
    const levelDbfs = rmsDbfs(frame);
    if (levelDbfs < VOICE_DBFS_MIN) said += ' ';
    else said += !guard.isLouder(levelDbfs) && guard.isEcho() ? 'e' : 'o';
  }
  return said;
}

describe('the echo of what is played to a line', () => {
  const cases = DELAYS_MS.flatMap((delayMs) => [-20, -26].map((gainDb) => ({ delayMs, gainDb })));

  it.each(cases)('is known at $gainDb dB after $delayMs ms', ({ delayMs, gainDb }) => {
    const agent = agentVoice();
    const path = { delaySamples: delayMs * 8, gainDb, seed: 7 };
    const said = judge(agent, onTheLine(echoOf(agent, path)));
    expect(said.match(/e/g)?.length).toBeGreaterThan(30);
    expect(said).not.toMatch(/oo/);
  });

  it.each([8000, 16_000])('is known at %i Hz, and looked for only once', (sampleRateHz) => {
    const agent = agentVoice(sampleRateHz);
    const path = { delaySamples: (150.3 * sampleRateHz) / 1000, gainDb: -20, seed: 3 };
    const said = judge(agent, onTheLine(echoOf(agent, path)), sampleRateHz);
    expect(said.match(/e/g)?.length).toBeGreaterThan(60);
    expect(said).not.toMatch(/oo/);
  });

  it('is known when the two clocks are a frame apart now and then', () => {
    const agent = agentVoice();
    const heard = onTheLine(echoOf(agent, { delaySamples: 8 * 120, gainDb: -20, seed: 5 }));
    const guard = new EchoGuard(8000);
    let doubts = 0;
    let echoes = 0;
    for (let frame = 0; frame + 1 < heard.length / 160; frame++) {
      // Every seventh frame goes out with the next one instead.
      if (frame % 7 === 6) guard.played(agent.subarray((frame - 1) * 160, frame * 160));
      if (frame % 7 !== 5) guard.played(agent.subarray(frame * 160, (frame + 1) * 160));
      const now = heard.subarray(frame * 160, (frame + 1) * 160);
      guard.heard(now);
      if (rmsDbfs(now) < VOICE_DBFS_MIN) doubts = 0;
      else if (guard.isEcho()) {
        doubts = 0;
        echoes++;
      } else doubts++;
      expect(doubts).toBeLessThan(2);
    }
    expect(echoes).toBeGreaterThan(60);
  });
});

describe('a caller', () => {
  it.each([0, -10, -15])('is known at %i dB beside the agent, with an echo under it', (levelDb) => {
    const agent = agentVoice();
    const caller = callerVoice(agent, levelDb);
    const echo = echoOf(agent, { delaySamples: 8 * 150, gainDb: -26, seed: 11 });
    const said = judge(agent, onTheLine(echo, caller));
    const callerAlone = judge(agent, onTheLine(caller));
    expect(callerAlone.match(/o/g)!.length).toBeGreaterThan(0.9 * callerAlone.replaceAll(' ', '').length);
    // Under the pauses of the caller lies the echo.
    expect(said.match(/o/g)!.length).toBeGreaterThan(0.8 * callerAlone.match(/o/g)!.length);
  });

  it('is nobody else while nothing is played', () => {
    const caller = callerVoice(agentVoice(), -20);
    expect(judge(new Int16Array(caller.length), onTheLine(caller))).not.toContain('e');
  });

  it('is known soon after the agent has fallen silent', () => {
    const guard = new EchoGuard(8000);
    const agent = agentVoice();
    for (let frame = 20; frame < 60; frame++) guard.played(agent.subarray(frame * 160, (frame + 1) * 160));
    const silence = new Int16Array(160);
    for (let frame = 0; frame < 40; frame++) guard.heard(silence);
    guard.heard(agent.subarray(8000, 8160));
    expect(guard.isEcho()).toBe(false);
  });

  it('is believed by loudness alone above what any echo could be', () => {
    const guard = new EchoGuard(8000);
    guard.played(new Int16Array(160).fill(8000));
    const playedDbfs = rmsDbfs(new Int16Array(160).fill(8000));
    expect(guard.isLouder(playedDbfs - 11.9)).toBe(true);
    expect(guard.isLouder(playedDbfs - 12.1)).toBe(false);
  });
});
