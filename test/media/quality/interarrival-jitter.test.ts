import { describe, expect, it } from 'vitest';
import { InterarrivalJitter } from '../../../src/media/quality/interarrival-jitter.ts';

describe('interarrival jitter', () => {
  it('is 0 where frames arrive as evenly as they were sent, however long they travel', () => {
    const jitter = new InterarrivalJitter();
    for (let frame = 0; frame < 100; frame++) jitter.arrived(frame * 20, 7_000_000 + frame * 20);
    expect(jitter.jitterMs).toBe(0);
  });

  it('comes to the mean difference of spacing', () => {
    const jitter = new InterarrivalJitter();
    // Every other frame 8 ms late: transit differs by 8 ms each time.
    for (let frame = 0; frame < 200; frame++) jitter.arrived(frame * 20, frame * 20 + 8 * (frame % 2));
    expect(jitter.jitterMs).toBeCloseTo(8, 2);
  });

  it('moves by a sixteenth of each difference', () => {
    const jitter = new InterarrivalJitter();
    jitter.arrived(0, 100);
    jitter.arrived(20, 136);
    expect(jitter.jitterMs).toBe(1);
    jitter.arrived(40, 156);
    expect(jitter.jitterMs).toBeCloseTo(1 - 1 / 16, 12);
  });

  it('learns nothing from a sender that started over', () => {
    const jitter = new InterarrivalJitter();
    jitter.arrived(0, 100);
    jitter.arrived(90_000, 120);
    jitter.arrived(90_020, 140);
    expect(jitter.jitterMs).toBe(0);
    jitter.restart();
    jitter.arrived(500, 160);
    jitter.arrived(520, 180);
    expect(jitter.jitterMs).toBe(0);
  });
});
