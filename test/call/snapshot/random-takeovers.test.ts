import { describe, expect, it } from 'vitest';
import { seededRolls } from '../../../src/base/clock.ts';
import { readCallCommand } from '../../../src/events/call-commands.ts';
import type { Envelope } from '../../../src/events/envelope.ts';
import { l16 } from '../../../src/media/format.ts';
import type { StoryParty } from '../../stories/story.ts';
import { Succession } from '../../stories/succession.ts';

const SEQUENCES = process.env['OMNIVOICE_TEST_LONG'] === '1' ? 10_000 : 100;
const BATCHES = 10;
const STEPS_MAX = 32;
const WINDOW_MS = 30_000;
const ROLES = ['human', 'agent', 'supervisor'] as const;
const MODES = ['monitor', 'whisper', 'barge', 'takeover'] as const;
const NATIVE = { dialect: 'native', format: l16(8000), agentId: null } as const;

/** A party, and where it is: on the line, off it with the token of its last connection, or gone. */
interface Participant {
  party: StoryParty;
  isHere: boolean;
}

class Sequence {
  readonly story: Succession;
  readonly callId: string;
  readonly participants: Participant[];
  /** What the registry has: written after every step in which the call said that it changed. */
  #saved: string;
  #isChanged = false;
  /** Up to here the journal has acknowledged. */
  #acknowledged = 0;
  readonly #roll: (sides: number) => number;

  constructor(seed: number) {
    this.#roll = seededRolls(seed);
    this.story = new Succession({
      limits: { resumeWindowMs: WINDOW_MS },
      onChanged: () => (this.#isChanged = true),
      ports: { unacknowledged: () => this.#unacknowledged() },
    });
    const agentId = this.#pick([null, 'echo', 'silent']);
    this.participants = [{ party: this.story.arrives({ ...NATIVE, agentId }), isHere: true }];
    this.callId = this.story.call.id;
    this.#saved = this.story.saved();
  }

  get hasEnded(): boolean {
    return this.story.node.calls.get(this.callId) === undefined;
  }

  async step(): Promise<void> {
    await this.#act();
    if (this.#isChanged && !this.hasEnded) this.#saved = this.story.saved();
    this.#isChanged = false;
    if (this.#roll(3) === 0) this.#acknowledged = this.story.events.length;
  }

  /** Whoever still can comes back and hangs up, or nobody does and time runs out. */
  async finish(): Promise<void> {
    if (!this.hasEnded && this.#roll(2) === 0) await this.#comesBack(this.participants[0]!);
    if (!this.hasEnded && this.participants[0]!.isHere) this.participants[0]!.party.hangsUp();
    if (!this.hasEnded) this.story.node.passes(WINDOW_MS);
  }

  async #act(): Promise<void> {
    const { node } = this.story;
    switch (this.#roll(12)) {
      case 0:
        return this.#arrive();
      case 1:
        return this.#leave();
      case 2:
        return this.#here(({ party }) => party.bursts(this.#roll(12)));
      case 3:
        return node.passes(this.#roll(90));
      case 4:
        return node.passes(this.#roll(WINDOW_MS / 8));
      case 5:
        return this.#here((one) => {
          one.party.losesItsSocket();
          one.isHere = false;
        });
      case 6:
        return this.#die();
      case 7:
      case 8:
        return this.#comesBack(this.#pick(this.participants));
      default:
        return this.#command();
    }
  }

  #unacknowledged() {
    const stamps = { receivedAtMs: 0, decidedAtMs: 0 };
    const waiting = this.story.events.slice(this.#acknowledged);
    return waiting.slice(0, 32).map((envelope) => ({ envelope, stamps }));
  }

  #die(): void {
    this.story.dies({ afterMs: this.#roll(3_000), saved: this.#saved });
    for (const participant of this.participants) participant.isHere = false;
  }

  async #comesBack(participant: Participant): Promise<void> {
    try {
      participant.party = await this.story.comesBack(participant.party);
      participant.isHere = true;
    } catch (error) {
      const { message } = error as Error;
      if (!/nobody knows the call|leg_replaced/.test(message)) throw error;
    }
  }

  #arrive(): void {
    if (this.participants.length >= 8) return;
    const role = this.#pick(ROLES);
    const mode = role === 'supervisor' ? { mode: this.#pick(MODES.slice(0, 3)) } : {};
    const party = this.story.arrives({ ...NATIVE, role, callId: this.callId, ...mode });
    this.participants.push({ party, isHere: true });
  }

  #leave(): void {
    this.#here((one, place) => {
      // The caller's own end is rarer: most of what can go wrong goes wrong before it.
      if (place === 0 && this.#roll(6) > 0) return;
      one.party.hangsUp();
      one.isHere = false;
    });
  }

  #command(): void {
    const { legId: leg_id } = this.#pick(this.participants).party;
    const on = this.#roll(2) === 0;
    const wishes: readonly [string, object][] = [
      ['hold', { on, source: this.#pick(['music', 'silence']) }],
      ['mute', { leg_id, on }],
      [on ? 'pause' : 'resume', { leg_id: this.#pick([leg_id, null]) }],
      ['set_gain', { leg_id, gain_ratio: this.#pick([0, 0.5, 1, 4]) }],
      ['supervise', { leg_id, mode: this.#pick(MODES) }],
      ['play', { url: 'tone:440', leg_id: on ? leg_id : null, loop: on }],
      ['set_disposition', { disposition: this.#pick(['sale', 'no_sale']) }],
      ['qualify', { score: this.#roll(9), threshold: 5 }],
      ['transfer', { to: '+15550123' }],
    ];
    const [name, args] = this.#roll(30) === 0 ? (['remove_leg', { leg_id }] as const) : this.#pick(wishes);
    const command = readCallCommand(name, args as { readonly [key: string]: unknown });
    if ('type' in command) throw new Error(command.detail);
    void this.story.call.command(command, this.story.node.clock.nowMs());
  }

  #here(use: (participant: Participant, place: number) => void): void {
    const here = this.participants.filter(({ isHere }) => isHere);
    if (here.length === 0) return;
    const one = this.#pick(here);
    use(one, this.participants.indexOf(one));
  }

  #pick<T>(values: readonly T[]): T {
    return values[this.#roll(values.length)]!;
  }
}

/** What a journal makes of them: each number once. A number with two contents is a broken promise. */
function journalOf(events: readonly Envelope[]): readonly Envelope[] {
  const journal = new Map<number, Envelope>();
  for (const envelope of events) {
    const known = journal.get(envelope.sequence);
    if (known === undefined) journal.set(envelope.sequence, envelope);
    else expect(JSON.stringify(envelope)).toBe(JSON.stringify(known));
  }
  return [...journal.values()];
}

function expectEndedWhole({ story }: Sequence): void {
  const events = journalOf(story.events);
  const types = events.map(({ type }) => type);
  for (const type of ['call_started', 'call_ended', 'call_completed']) {
    expect([type, types.filter((one) => one === type).length]).toEqual([type, 1]);
  }
  expect(types.slice(-2)).toEqual(['call_ended', 'call_completed']);
  expect(events.map(({ sequence }) => sequence)).toEqual(events.map((_, index) => index + 1));
  const legsOf = (type: string, isTold: (event: Envelope) => boolean = () => true): readonly string[] =>
    events
      .filter((event) => event.type === type && isTold(event))
      .map(({ data }) => data['leg_id'] as string)
      .toSorted();
  const isNew = ({ data }: Envelope): boolean => data['resumed'] !== true;
  expect(legsOf('leg_disconnected')).toEqual(legsOf('leg_connected', isNew));
  expect(legsOf('supervisor_left')).toEqual(legsOf('supervisor_joined'));
  expect(legsOf('voice_ended')).toEqual(legsOf('voice_detected'));
  const holds = types.filter((type) => type.startsWith('hold_'));
  expect(holds.every((type, index) => type === (index % 2 === 0 ? 'hold_started' : 'hold_ended'))).toBe(true);
  expect(story.node.failures).toEqual([]);
  expect([story.node.calls.size, story.node.arrivals.legs]).toEqual([0, 0]);
}

async function run(seed: number): Promise<void> {
  const sequence = new Sequence(seed);
  for (let step = 0; step < STEPS_MAX && !sequence.hasEnded; step++) await sequence.step();
  await sequence.finish();
  expectEndedWhole(sequence);
  sequence.story.node.passes(100);
  expect(sequence.story.node.clock.pendingTasks).toBe(0);
}

describe(`${SEQUENCES} random sequences of commands, deaths of nodes, and returns`, () => {
  it.each(Array.from({ length: BATCHES }, (_, batch) => batch))(
    'keep what a call promises (part %i)',
    async (batch) => {
      const failures: string[] = [];
      for (let i = 0; i < SEQUENCES / BATCHES; i++) {
        failures.push(...(await failureOf(1 + batch * (SEQUENCES / BATCHES) + i)));
      }
      expect(failures).toEqual([]);
    },
    120_000,
  );
});

/** What went wrong in the sequence of this seed, if anything did. */
async function failureOf(seed: number): Promise<readonly string[]> {
  try {
    await run(seed);
    return [];
  } catch (error) {
    return [`seed ${seed}: ${error instanceof Error ? error.message : String(error)}`];
  }
}
