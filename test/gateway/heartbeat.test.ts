import { describe, expect, it } from 'vitest';
import { Heartbeat, Pulse, SWEEP_MS } from '../../src/gateway/heartbeat.ts';
import { FakeClock } from '../fakes/clock.ts';

const LIMITS = { pingEveryMs: 5_000, silentMsMax: 15_000, pongMsMax: 5_000 };

/** Judges every 250 ms and notes what was decided when. */
function watch(pulse: Pulse, fromMs: number, untilMs: number, live: (nowMs: number) => void): string[] {
  const verdicts: string[] = [];
  for (let nowMs = fromMs; nowMs <= untilMs; nowMs += 250) {
    live(nowMs);
    const verdict = pulse.judge(nowMs);
    if (verdict !== 'fine') verdicts.push(`${verdict} ${nowMs}`);
    if (verdict === 'silent' || verdict === 'stalled') break;
  }
  return verdicts;
}

describe('Pulse', () => {
  it('pings at once and then every five seconds', () => {
    const pulse = new Pulse(LIMITS, 0);
    expect(watch(pulse, 0, 12_000, (nowMs) => pulse.ponged(nowMs))).toEqual([
      'ping 0',
      'ping 5000',
      'ping 10000',
    ]);
  });

  it('tells how long a pong took, and nothing of one that nobody asked for', () => {
    const pulse = new Pulse(LIMITS, 0);
    expect([pulse.judge(0), pulse.ponged(120), pulse.ponged(130)]).toEqual(['ping', 120, undefined]);
    // Two pings are owed: whose pong it is nobody can tell, so that it counts for the older one.
    expect([pulse.judge(5_000), pulse.judge(10_000), pulse.ponged(10_020)]).toEqual(['ping', 'ping', 5_020]);
  });

  it('gives up a peer after fifteen seconds without a pong and without audio', () => {
    const pulse = new Pulse(LIMITS, 0);
    const verdicts = watch(pulse, 0, 60_000, () => undefined);
    expect(verdicts.at(-1)).toBe('silent 15000');
  });

  it('keeps a peer that never answers pings while it sends audio', () => {
    const pulse = new Pulse(LIMITS, 0);
    const verdicts = watch(pulse, 0, 60_000, (nowMs) => {
      pulse.heard(nowMs);
      pulse.sent();
    });
    expect(verdicts.filter((verdict) => !verdict.startsWith('ping'))).toEqual([]);
  });

  it('sees a peer stop reading, although its audio still comes', () => {
    const pulse = new Pulse(LIMITS, 0);
    const verdicts = watch(pulse, 0, 60_000, (nowMs) => {
      pulse.heard(nowMs);
      pulse.sent();
      if (nowMs === 250) pulse.ponged(nowMs);
    });
    expect(verdicts).toEqual(['ping 0', 'ping 5000', 'stalled 10000']);
  });

  it('does not blame a peer for pongs while nothing is sent to it', () => {
    const pulse = new Pulse(LIMITS, 0);
    pulse.judge(0);
    pulse.ponged(1);
    const verdicts = watch(pulse, 250, 30_000, (nowMs) => pulse.heard(nowMs));
    expect(verdicts.filter((verdict) => !verdict.startsWith('ping'))).toEqual([]);
  });
});

describe('Heartbeat', () => {
  it('sweeps everybody by one timer', () => {
    const clock = new FakeClock();
    const heartbeat = new Heartbeat(clock, { lateSweeps: 0 });
    const sweeps = [0, 0, 0];
    for (const i of sweeps.keys()) heartbeat.add({ sweep: () => sweeps[i]!++ });
    expect(clock.pendingTasks).toBe(1);
    clock.advance(10 * SWEEP_MS);
    expect(sweeps).toEqual([10, 10, 10]);
    heartbeat.close();
    expect(clock.pendingTasks).toBe(0);
  });

  it('judges nobody for five seconds after it stood still itself', () => {
    const clock = new FakeClock();
    let stoodStillMs = 0;
    const stats = { lateSweeps: 0 };
    const late = {
      nowMs: () => clock.nowMs() + stoodStillMs,
      after: (delayMs: number, task: () => void) => clock.after(delayMs, task),
    };
    const heartbeat = new Heartbeat(late, stats);
    const judged: boolean[] = [];
    heartbeat.add({ sweep: (_nowMs, isJudging) => judged.push(isJudging) });
    clock.advance(SWEEP_MS);
    stoodStillMs = 16_000;
    clock.advance(5_000 + SWEEP_MS);
    expect(judged[0]).toBe(true);
    expect(judged.slice(1, 21)).toEqual(Array.from({ length: 20 }, () => false));
    expect(judged[21]).toBe(true);
    expect(stats.lateSweeps).toBe(1);
    heartbeat.close();
  });

  it('no longer sweeps who has left', () => {
    const clock = new FakeClock();
    const heartbeat = new Heartbeat(clock, { lateSweeps: 0 });
    let sweeps = 0;
    const beating = { sweep: () => void sweeps++ };
    heartbeat.add(beating);
    heartbeat.remove(beating);
    clock.advance(SWEEP_MS);
    expect(sweeps).toBe(0);
    heartbeat.close();
  });
});
