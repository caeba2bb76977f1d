import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { MIB } from '../../src/base/units.ts';
import { Story, type StoryParty } from './story.ts';

const IS_LONG = process.env['OMNIVOICE_TEST_LONG'] === '1';
/** Five hundred legs for ten virtual minutes with OMNIVOICE_TEST_LONG=1, else a tenth for six seconds. */
const LEGS = IS_LONG ? 500 : 50;
const FRAMES = IS_LONG ? 30_000 : 300;
const WARM_UP_FRAMES = 150;
/** Compiled code and its notes, whatever the length; a leak of one object a frame would be far more. */
const GROWTH_BYTES_MAX = 1.5 * MIB;

it('many legs in talk, half of them losing packets, leave the heap as it was', { timeout: 3_600_000 }, () => {
  const story = new Story({ jitter: { mode: 'adaptive', targetMs: 0, maxMs: 200 } });
  const legs = Array.from({ length: LEGS }, (_, i) =>
    story.arrives(i % 2 === 0 ? {} : { dialect: 'native', rtp: true }),
  );
  talk(story, legs, 0, WARM_UP_FRAMES);
  const spoken = story.types.filter((type) => type === 'voice_detected').length;
  const ids = story.events.flatMap(({ type, resource }) => (type === 'call_started' ? [resource.id] : []));
  story.events.length = 0;
  const before = heapBytes();
  talk(story, legs, WARM_UP_FRAMES, FRAMES);
  expect(spoken).toBe(LEGS);
  const lost = ids.map((id) => story.calls.get(id)!.legs[0]!.ingress.losses.lostFrames);
  expect(lost.filter((frames) => frames > 0)).toHaveLength(LEGS / 2);
  expect(story.failures).toEqual([]);
  story.events.length = 0;
  const grownBytes = heapBytes() - before;
  console.log(`${LEGS} legs × ${FRAMES} frames: the heap grew by ${grownBytes} bytes`);
  expect(grownBytes).toBeLessThan(GROWTH_BYTES_MAX);
});

/** Everybody speaks without a pause; of the native legs every fiftieth frame is lost. */
function talk(story: Story, legs: readonly StoryParty[], from: number, frames: number): void {
  for (let k = from; k < from + frames; k++) {
    story.clock.advance(20);
    legs.forEach((leg, i) => {
      if (i % 2 === 1 && k % 50 === 40) leg.loses();
      else leg.sendsFrame(8_000);
      leg.forgets();
      leg.socket.sent.length = 0;
    });
    if (k % 50 === 0) Array.from(story.arrivals.observe(story.clock.nowMs()));
  }
}

function heapBytes(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  collect();
  return process.memoryUsage().heapUsed;
}
