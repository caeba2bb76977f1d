import { describe, expect, it, vi } from 'vitest';
import { openLoopDelay, type LoopSampler } from '../../src/telemetry/loop-delay.ts';

class FakeSampler implements LoopSampler {
  count = 3;
  resets = 0;
  readonly max = 35e6;

  percentile(percentile: number): number {
    return percentile === 50 ? 10.1e6 : 14e6;
  }

  reset(): void {
    this.resets++;
  }

  enable(): void {}

  disable(): void {}
}

describe('the delay of the event loop', () => {
  it('is what exceeds the sampler’s own wait', () => {
    const samplers: FakeSampler[] = [];
    const delay = openLoopDelay(() => {
      samplers.push(new FakeSampler());
      return samplers.at(-1)!;
    });
    const { p50Ms, p99Ms, maxMs } = delay.read();
    expect([p50Ms.toFixed(3), p99Ms.toFixed(3), maxMs.toFixed(3)]).toEqual(['0.100', '4.000', '25.000']);
    for (const sampler of samplers) sampler.count = 0;
    expect(delay.read()).toEqual({ p50Ms: 0, p99Ms: 0, maxMs: 0 });
  });

  it('is read from two samplers by turns, so that one of them always runs on', () => {
    const samplers: FakeSampler[] = [];
    const delay = openLoopDelay(() => {
      samplers.push(new FakeSampler());
      return samplers.at(-1)!;
    });
    const resets: number[][] = [];
    for (let reading = 0; reading < 4; reading++) {
      delay.read();
      resets.push(samplers.map((sampler) => sampler.resets));
    }
    expect(resets).toEqual([
      [1, 0],
      [1, 1],
      [2, 1],
      [2, 2],
    ]);
    // The younger has seen nothing yet: the older must not lose what it is seeing.
    samplers[1]!.count = 0;
    delay.read();
    expect(samplers.map((sampler) => sampler.resets)).toEqual([2, 2]);
  });

  it('shows how long the loop was blocked, in a real process', async () => {
    const delay = openLoopDelay();
    await vi.waitFor(() => expect(delay.read().maxMs).toBeGreaterThan(0), { timeout: 5000 });
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 120);
    let blockedMs = 0;
    await vi.waitFor(
      () => {
        blockedMs = Math.max(blockedMs, delay.read().maxMs);
        expect(blockedMs).toBeGreaterThan(90);
      },
      { timeout: 5000 },
    );
    await delay.close();
  });
});
