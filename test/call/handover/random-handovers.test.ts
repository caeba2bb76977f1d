import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/base/json.ts';
import { Handovers } from '../../../src/call/handover/handovers.ts';
import { readCallCommand } from '../../../src/events/call-commands.ts';
import { l16 } from '../../../src/media/format.ts';
import { Story, type StoryParty } from '../../stories/story.ts';

const SEQUENCES = process.env['OMNIVOICE_TEST_LONG'] === '1' ? 9_999 : 300;
const BATCHES = 3;
const STEPS_MAX = 30;
const NATIVE = { dialect: 'native', format: l16(8000), agentId: null } as const;
const OUTCOMES = ['transfer_success', 'transfer_failed'];

/** Mulberry32: a sequence is told again by its seed. */
function dice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % sides;
  };
}

/** Handovers, answers, joins, words, losses and ends, one after the other, in any order. */
class Sequence {
  readonly story: Story;
  readonly parties: StoryParty[];
  readonly callId: string;
  readonly #roll: (sides: number) => number;
  /** Who came last for a handover that was open. */
  #target: StoryParty | undefined;

  constructor(seed: number) {
    this.#roll = dice(seed);
    const parts = [(desk: ConstructorParameters<typeof Handovers>[0]) => new Handovers(desk)];
    const expires_at = '2026-11-20T12:05:00.000Z';
    const invitations = { mint: async () => ({ ws_url: 'ws://127.0.0.1/', token: 'a.b.c', expires_at }) };
    this.story = new Story({ ports: { invitations, parts } });
    this.parties = [this.story.arrives({ ...NATIVE, agentId: this.#pick([null, 'echo']) })];
    this.callId = this.story.call.id;
    this.#join('agent');
  }

  get hasEnded(): boolean {
    return this.story.calls.get(this.callId) === undefined;
  }

  async step(): Promise<void> {
    const party = this.#pick(this.parties);
    switch (this.#roll(14)) {
      case 0:
      case 1:
        return this.#handOver();
      case 2:
      case 3:
        return this.#join('human', this.#latestId());
      case 4:
        return this.#join(this.#pick(['human', 'agent', 'supervisor']));
      case 5:
        return this.#pick(this.#roll(12) === 0 ? this.parties : this.parties.slice(1)).losesItsSocket();
      case 6:
        return this.story.passes(this.#pick([10, 40, 500, 1_200]));
      case 7:
      case 8:
        return void this.#ask('answer_handover', {
          handover_id: this.#latestId() ?? 'ho_none',
          verdict: this.#pick(['accept', 'decline', 'complete', 'cancel']),
        });
      case 9:
        return void this.#ask('hold', { on: this.#roll(2) === 0 });
      default:
        return (this.#roll(3) === 0 ? party : (this.#target ?? party)).bursts(1 + this.#roll(6));
    }
  }

  async #handOver(): Promise<void> {
    const leg = this.#pick(this.parties).legId;
    const target = this.#roll(4) === 0 ? { type: 'leg', to: leg } : { type: 'queue', to: 'sales' };
    const mode = this.#pick(['cold', 'warm', 'whisper']);
    const hold = this.#pick(['music', 'silence', 'agent_keeps_talking']);
    await this.#ask('hand_over', { target, mode, hold, timeout_ms: 1_000 });
  }

  #join(role: 'human' | 'agent' | 'supervisor', handoverId?: string): void {
    if (this.hasEnded || !this.story.call.roster.hasRoom) return;
    const invited = handoverId === undefined ? {} : { handoverId };
    const party = this.story.arrives({ ...NATIVE, role, callId: this.callId, ...invited });
    this.parties.push(party);
    if (handoverId !== undefined && party.socket.closed === undefined) this.#target = party;
  }

  #ask(name: string, args: JsonObject): unknown {
    const command = readCallCommand(name, args);
    if ('type' in command) throw new Error(command.detail);
    return this.story.calls.get(this.callId)?.command(command, this.story.clock.nowMs());
  }

  #latestId(): string | undefined {
    const started = this.story.events.findLast(({ type }) => type === 'handover_started');
    return started?.data['handover_id'] as string | undefined;
  }

  #pick<T>(values: readonly T[]): T {
    return values[this.#roll(values.length)]!;
  }
}

/** After each step: who has the caller's ear, and whether anybody hears what is not theirs. */
function expectSound({ story, callId }: Sequence): void {
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

function expectEndedWhole({ story }: Sequence): void {
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

async function run(seed: number): Promise<boolean> {
  const sequence = new Sequence(seed);
  const [caller] = sequence.parties;
  let heardBefore = 0;
  for (let step = 0; step < STEPS_MAX && !sequence.hasEnded; step++) {
    const before = sequence.story.types.length;
    const heardNow = caller!.heard.length;
    await sequence.step();
    expectSound(sequence);
    // Success is told only once something went out to the caller.
    const news = sequence.story.types.slice(before);
    if (news.includes('handover_started')) heardBefore = heardNow;
    const isHeard = caller!.heard.length > heardBefore;
    expect(isHeard || !news.includes('transfer_success')).toBe(true);
  }
  caller!.hangsUp();
  expectEndedWhole(sequence);
  sequence.story.passes(100);
  expect(sequence.story.clock.pendingTasks).toBe(0);
  return sequence.story.types.includes('transfer_success');
}

describe(`${SEQUENCES} random sequences of handovers`, () => {
  it.each(Array.from({ length: BATCHES }, (_, batch) => batch))(
    'keep one owner of the caller’s ear, and one outcome each (part %i)',
    async (batch) => {
      const failures: string[] = [];
      let successes = 0;
      for (let i = 0; i < SEQUENCES / BATCHES; i++) {
        const seed = 1 + batch * (SEQUENCES / BATCHES) + i;
        try {
          if (await run(seed)) successes++;
        } catch (error) {
          failures.push(`seed ${seed}: ${error instanceof Error ? error.message : String(error)}`);
        }
      }
      expect(failures).toEqual([]);
      expect(successes).toBeGreaterThan(0);
    },
    120_000,
  );
});
