import { describe, expect, it } from 'vitest';
import { seededRolls } from '../../src/base/clock.ts';
import { arrange } from '../../src/call/arrangement.ts';
import { readCallCommand } from '../../src/events/call-commands.ts';
import { l16 } from '../../src/media/format.ts';
import { Story, type StoryParty } from '../stories/story.ts';

const SEQUENCES = process.env['OMNIVOICE_TEST_LONG'] === '1' ? 10_000 : 1_000;
const BATCHES = 10;
const STEPS_MAX = 24;
const ROLES = ['human', 'agent', 'supervisor'] as const;
const MODES = ['monitor', 'whisper', 'barge', 'takeover'] as const;
const NATIVE = { dialect: 'native', format: l16(8000), agentId: null } as const;

class Sequence {
  readonly story = new Story();
  readonly parties: StoryParty[];
  readonly #roll: (sides: number) => number;
  readonly callId: string;

  constructor(seed: number) {
    this.#roll = seededRolls(seed);
    const agentId = this.#pick([null, 'echo', 'silent']);
    this.parties = [this.story.arrives({ ...NATIVE, agentId })];
    this.callId = this.story.call.id;
  }

  get hasEnded(): boolean {
    return this.story.calls.get(this.callId) === undefined;
  }

  step(): void {
    switch (this.#roll(8)) {
      case 0:
        this.#arrive();
        return;
      case 1:
        // The caller's own end is rarer: most of what can go wrong goes wrong before it.
        this.#pick(this.#roll(4) === 0 ? this.parties : this.parties.slice(-1)).hangsUp();
        return;
      case 2:
        this.#pick(this.parties).bursts(this.#roll(6));
        return;
      case 3:
        this.story.passes(this.#roll(90));
        return;
      default:
        this.#command();
    }
  }

  #arrive(): void {
    if (this.parties.length >= 8) return;
    const role = this.#pick(ROLES);
    const mode = role === 'supervisor' ? { mode: this.#pick(MODES.slice(0, 3)) } : {};
    this.parties.push(this.story.arrives({ ...NATIVE, role, callId: this.callId, ...mode }));
  }

  #command(): void {
    const { legId: leg_id } = this.#pick(this.parties);
    const on = this.#roll(2) === 0;
    const wishes: readonly [string, object][] = [
      ['hold', { on, source: this.#pick(['music', 'silence']) }],
      ['mute', { leg_id, on }],
      ['set_gain', { leg_id, gain_ratio: this.#pick([0, 0.5, 1, 4]) }],
      ['supervise', { leg_id, mode: this.#pick(MODES) }],
      ['play', { url: this.#pick(['tone:440', 'tone:busy']), leg_id: on ? leg_id : null, loop: on }],
      ['clear', { leg_id: on ? leg_id : null }],
      [this.#pick(['pause', 'resume']), { leg_id: on ? leg_id : null }],
      ['dtmf', { digits: '12', leg_id }],
      ['set_disposition', { disposition: 'sale' }],
      ['qualify', { score: this.#roll(9), threshold: 5 }],
      ['transfer', { to: '+15550123' }],
      ['hand_over', { target: { type: 'queue', to: 'sales' } }],
      ['remove_leg', { leg_id }],
      ['hang_up', {}],
    ];
    // The last two end things: they come seldom.
    const [name, args] = wishes[this.#roll(20) === 0 ? wishes.length - 1 - this.#roll(2) : this.#roll(12)]!;
    if (this.#roll(3) === 0) {
      this.#pick(this.parties).says({ type: 'command', id: 'c', name, args });
      return;
    }
    const command = readCallCommand(name, args as { readonly [key: string]: unknown });
    if ('type' in command) throw new Error(command.detail);
    void this.story.calls.get(this.callId)?.command(command, this.story.clock.nowMs());
  }

  #pick<T>(values: readonly T[]): T {
    return values[this.#roll(values.length)]!;
  }
}

/** What is so after every step, whatever was asked. */
function expectSound({ story, callId }: Sequence): void {
  const call = story.calls.get(callId);
  if (call === undefined) return;
  const { roster, conversation } = call;
  const { present } = roster;
  expect(present.filter(({ party }) => party.role === 'caller')).toHaveLength(1);
  expect(present.filter(({ supervision }) => supervision === 'takeover').length).toBeLessThanOrEqual(1);
  // One owner of the caller's ear: whoever else the caller hears is a guest of theirs, or speaks up for all.
  const caller = roster.caller!;
  const partner = conversation.partner;
  for (const speaker of conversation.speakersOf(caller.party.id)) {
    expect(speaker.party.id).not.toBe(caller.party.id);
    const isOwner = speaker === partner;
    expect(isOwner || speaker.seat === 'guest' || speaker.supervision === 'barge').toBe(true);
    expect([speaker.isMuted, conversation.decisions.hold.name]).toEqual([false, 'off']);
  }
  // Nobody hears anything but what the arrangement says, and nobody a voice twice.
  const heard = arrange({
    parties: present.map(({ party: { id, role }, isMuted, supervision }) => ({
      id,
      role,
      isMuted,
      supervision,
    })),
    partnerId: partner?.party.id ?? null,
    guestIds: present.filter(({ seat }) => seat === 'guest').map(({ party }) => party.id),
    consultedId: null,
    isOnHold: conversation.decisions.hold.name === 'on',
    hearsPartnerOnHold: false,
  });
  // Words wait at whoever they were paused for, and no live voice does.
  for (const { party, channels } of present) {
    for (const { listenerId, isPaused } of channels) {
      expect(isPaused).toBe(party.isPaced && roster.find(listenerId)?.isPaused === true);
    }
  }
  for (const { party, channels } of present) {
    const ids = channels.map(({ listenerId }) => listenerId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(heard.get(id)).toContain(party.id);
  }
  for (const { party, channels } of roster.all) {
    if (roster.find(party.id) === undefined) expect(channels).toEqual([]);
  }
}

function expectEndedWhole({ story }: Sequence): void {
  const { types, events } = story;
  for (const type of ['call_started', 'call_ended', 'call_completed']) {
    expect([type, types.filter((one) => one === type).length]).toEqual([type, 1]);
  }
  expect(types.slice(-2)).toEqual(['call_ended', 'call_completed']);
  expect(events.map(({ sequence }) => sequence)).toEqual(events.map((_, index) => index + 1));
  const ids = (type: string) =>
    events.filter((event) => event.type === type).map(({ data }) => data['leg_id'] as string);
  expect(ids('leg_disconnected').toSorted()).toEqual(ids('leg_connected').toSorted());
  expect(ids('supervisor_left').toSorted()).toEqual(ids('supervisor_joined').toSorted());
  const holds = types.filter((type) => type.startsWith('hold_'));
  expect(holds.every((type, index) => type === (index % 2 === 0 ? 'hold_started' : 'hold_ended'))).toBe(true);
  expect(types.includes('transfer_success')).toBe(false);
  expect(story.failures).toEqual([]);
  expect([story.calls.size, story.arrivals.legs]).toEqual([0, 0]);
}

function run(seed: number): void {
  const sequence = new Sequence(seed);
  for (let step = 0; step < STEPS_MAX && !sequence.hasEnded; step++) {
    sequence.step();
    expectSound(sequence);
  }
  sequence.parties[0]!.hangsUp();
  expectEndedWhole(sequence);
  sequence.story.passes(100);
  expect(sequence.story.clock.pendingTasks).toBe(0);
}

describe(`${SEQUENCES} random sequences of arrivals, commands, words and ends`, () => {
  it.each(Array.from({ length: BATCHES }, (_, batch) => batch))(
    'keep what a call promises (part %i)',
    (batch) => {
      const seeds = Array.from(
        { length: SEQUENCES / BATCHES },
        (_, i) => 1 + batch * (SEQUENCES / BATCHES) + i,
      );
      expect(seeds.flatMap(failureOf)).toEqual([]);
    },
  );
});

/** What went wrong in the sequence of this seed, if anything did. */
function failureOf(seed: number): readonly string[] {
  try {
    run(seed);
    return [];
  } catch (error) {
    return [`seed ${seed}: ${error instanceof Error ? error.message : String(error)}`];
  }
}
