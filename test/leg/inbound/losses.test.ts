import { expect, it } from 'vitest';
import { newFrameCounters } from '../../../src/leg/counters.ts';
import { Losses } from '../../../src/leg/inbound/losses.ts';
import { PacketOrder } from '../../../src/leg/inbound/packet-order.ts';
import { FixedJitterBuffer } from '../../../src/media/jitter/fixed-jitter-buffer.ts';

it('frames for which a jitter buffer had no room are counted with all legs, once', () => {
  const jitter = new FixedJitterBuffer({ sampleRateHz: 8000, targetMs: 60 });
  const counters = newFrameCounters();
  const losses = new Losses(jitter, new PacketOrder(160), counters);
  // The sender starts over: what is held of its past goes.
  for (const sequence of [1, 2, 5000]) jitter.insert(new Int16Array(160), sequence, -1, 0);
  for (let i = 0; i < 2; i++) losses.count();
  expect(jitter.stats.overflowFrames).toBe(2);
  expect(counters).toMatchObject({ droppedHeldFrames: 2, lateFrames: 0, duplicateFrames: 0 });
});
