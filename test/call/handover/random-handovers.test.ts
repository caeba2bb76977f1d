import { describe, expect, it } from 'vitest';
import { RandomSequence } from './random-sequence.ts';

const SEQUENCES = process.env['OMNIVOICE_TEST_LONG'] === '1' ? 9_999 : 300;
const MORTAL_SEQUENCES = process.env['OMNIVOICE_TEST_LONG'] === '1' ? 10_000 : 100;
const BATCHES = 3;
const STEPS_MAX = 30;
const OUTCOMES = ['transfer_success', 'transfer_failed'];

/** After each step: who has the caller's ear, and whether anybody hears what is not theirs. */
function expectSound({ story, callId }: RandomSequence): void {
  const call = story.calls.get(callId);
  if (call === undefined) return;
  const { roster, conversation } = call;
  const { consultedId, hold } = conversation.decisions;
  for (const speaker of conversation.speakersOf(roster.caller!.party.id)) {
    expect(speaker === conversation.partner || speaker.seat === 'guest').toBe(true);
    const isHeardOnHold = hold.name === 'on' && hold.source === 'agent_keeps_talking';
    expect(hold.name === 'off' || isHeardOnHold).toBe(true);
    expect(speaker.party.id).not.toBe(consultedId);
  }
  const { types } = story;
  const started = types.filter((type) => type === 'handover_started').length;
  const over = types.filter((type) => OUTCOMES.includes(type)).length;
  expect([0, 1]).toContain(started - over);
  // Nobody is consulted, and nobody is kept waiting, for a handover that is over.
  if (started === over) expect(consultedId).toBe(null);
}

function expectEndedWhole({ story }: RandomSequence): void {
  const { types, events } = story;
  for (const type of ['call_started', 'call_ended', 'call_completed']) {
    expect([type, types.filter((one) => one === type).length]).toEqual([type, 1]);
  }
  const told = events.filter(({ type }) => type === 'handover_started' || OUTCOMES.includes(type));
  // Each is over before the next begins, and has one outcome.
  told.forEach(({ type, data }, index) => {
    const isStart = index % 2 === 0;
    expect([index, type === 'handover_started']).toEqual([index, isStart]);
    if (!isStart) expect(data['handover_id']).toBe(told[index - 1]!.data['handover_id']);
  });
  expect(told.length % 2).toBe(0);
  expect(story.failures).toEqual([]);
  expect([story.calls.size, story.arrivals.legs]).toEqual([0, 0]);
}

async function run(seed: number, isMortal: boolean): Promise<boolean> {
  const sequence = new RandomSequence(seed, { isMortal });
  let heardBefore = 0;
  for (let step = 0; step < STEPS_MAX && !sequence.hasEnded; step++) {
    const before = sequence.story.types.length;
    const heardNow = sequence.heardFrames;
    await sequence.step();
    expectSound(sequence);
    // Success is told only once something went out to the caller.
    const news = sequence.story.types.slice(before);
    if (news.includes('handover_started')) heardBefore = heardNow;
    const isHeard = sequence.heardFrames > heardBefore;
    expect(isHeard || !news.includes('transfer_success')).toBe(true);
  }
  sequence.caller.hangsUp();
  // A caller who never came back is waited for.
  if (isMortal) sequence.story.passes(3_000);
  expectEndedWhole(sequence);
  sequence.story.passes(100);
  expect(sequence.story.clock.pendingTasks).toBe(0);
  return sequence.story.types.includes('transfer_success');
}

/** The seeds of those that broke a promise, and how many handovers succeeded. */
async function runAll(first: number, count: number, isMortal: boolean) {
  const failures: string[] = [];
  let successes = 0;
  for (let seed = first; seed < first + count; seed++) {
    try {
      if (await run(seed, isMortal)) successes++;
    } catch (error) {
      failures.push(`seed ${seed}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return { failures, successes };
}

describe(`${SEQUENCES} random sequences of handovers`, () => {
  it.each(Array.from({ length: BATCHES }, (_, batch) => batch))(
    'keep one owner of the caller’s ear, and one outcome each (part %i)',
    async (batch) => {
      const count = SEQUENCES / BATCHES;
      const { failures, successes } = await runAll(1 + batch * count, count, false);
      expect(failures).toEqual([]);
      expect(successes).toBeGreaterThan(0);
    },
    120_000,
  );
});

describe(`${MORTAL_SEQUENCES} random sequences of handovers over nodes that die`, () => {
  it('keep the same', async () => {
    const { failures, successes } = await runAll(1, MORTAL_SEQUENCES, true);
    expect(failures).toEqual([]);
    expect(successes).toBeGreaterThan(0);
  }, 1_800_000);
});
