import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { FRAME_MS, MIB } from '../../src/base/units.ts';
import { encodeMulawInto } from '../../src/media/codecs/g711.ts';
import { loadDetectors } from '../../src/media/voice/detectors.ts';
import { readHello } from '../fakes/hello.ts';
import { Story, type StoryParty } from './story.ts';

const IS_LONG = process.env['OMNIVOICE_TEST_LONG'] === '1';
/** Five hundred legs for ten virtual minutes with OMNIVOICE_TEST_LONG=1, else a tenth for six seconds. */
const LEGS = IS_LONG ? 500 : 50;
const FRAMES = IS_LONG ? 30_000 : 300;
const WARM_UP_FRAMES = 250;
/** How often the heap is looked at. */
const LOOKS = IS_LONG ? 10 : 2;
/** Compiled code and its notes, whatever the length; a leak of one object a frame would be far more. */
const GROWTH_BYTES_MAX = 1.5 * MIB;
const FRAME_SAMPLES = 160;
/** What a call keeps of its story at most: before the first look every call has that much. */
const TIMELINE_ENTRIES = 500;

it(
  'many legs in talk, half of them losing packets, leave the heap as it was',
  { timeout: 3_600_000 },
  async () => {
    const detectors = await loadDetectors();
    const story = new Story({ detectors, jitter: { mode: 'adaptive', targetMs: 0, maxMs: 200 } });
    const legs = Array.from({ length: LEGS }, (_, i) =>
      story.arrives(i % 2 === 0 ? {} : { dialect: 'native', rtp: true }),
    );
    const said = saidFrames();
    for (const leg of legs) leg.socket.onSent = () => {};
    talk(story, legs, said, { from: 0, to: WARM_UP_FRAMES });
    const spoken = story.types.filter((type) => type === 'voice_detected').length;
    const ids = story.events.flatMap(({ type, resource }) => (type === 'call_started' ? [resource.id] : []));
    fillTimelines(story, legs);
    const heap = [heapBytes(story)];
    for (let look = 0; look < LOOKS; look++) {
      const from = WARM_UP_FRAMES + (look * FRAMES) / LOOKS;
      talk(story, legs, said, { from, to: from + FRAMES / LOOKS });
      heap.push(heapBytes(story));
    }
    console.log(`${LEGS} legs × ${FRAMES} frames: heap of ${heap.join(', ')} bytes`);
    expect(spoken).toBeGreaterThanOrEqual(LEGS);
    const lost = ids.map((id) => story.calls.get(id)!.legs[0]!.ingress.losses.lostFrames);
    expect(lost.filter((frames) => frames > 0)).toHaveLength(LEGS / 2);
    expect(story.failures).toEqual([]);
    expect(heap.at(-1)! - heap[0]!).toBeLessThan(GROWTH_BYTES_MAX);
  },
);

/** The sample in the provider's bytes, pauses and all, encoded once for everybody. */
function saidFrames(): readonly Uint8Array[] {
  const { samples } = readHello();
  return Array.from({ length: Math.floor(samples.length / FRAME_SAMPLES) }, (_, k) => {
    const frame = new Uint8Array(FRAME_SAMPLES);
    encodeMulawInto(samples.subarray(k * FRAME_SAMPLES, (k + 1) * FRAME_SAMPLES), frame);
    return frame;
  });
}

/** What is bounded is filled first: a heap that grows after that has a leak. */
function fillTimelines(story: Story, legs: readonly StoryParty[]): void {
  let pressed = 0;
  for (let k = 0; k < TIMELINE_ENTRIES; k++) {
    story.clock.advance(FRAME_MS);
    for (const leg of legs) {
      for (const message of leg.caller.dtmf('5')) leg.sends(message);
      leg.socket.sent.length = 0;
    }
    pressed += story.types.filter((type) => type === 'dtmf_received').length;
    story.events.length = 0;
  }
  expect(pressed).toBe(TIMELINE_ENTRIES * legs.length);
}

/** Everybody says the same over and over, from another word; every fiftieth frame of native legs is lost. */
function talk(
  story: Story,
  legs: readonly StoryParty[],
  said: readonly Uint8Array[],
  { from, to }: { readonly from: number; readonly to: number },
): void {
  for (let k = from; k < to; k++) {
    story.clock.advance(FRAME_MS);
    legs.forEach((leg, i) => {
      const isLost = i % 2 === 1 && k % 50 === 40;
      const message = leg.caller.audio(said[(k + 7 * i) % said.length]!, k);
      if (message !== undefined && !isLost) leg.sends(message);
      leg.socket.sent.length = 0;
    });
    if (k % 50 === 0) Array.from(story.arrivals.observe(story.clock.nowMs()));
    if (k % 50 === 0 && k >= WARM_UP_FRAMES) story.events.length = 0;
  }
}

/** What is left after collecting garbage; what was told is not kept. */
function heapBytes(story: Story): number {
  story.events.length = 0;
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  collect();
  return process.memoryUsage().heapUsed;
}
