import { describe, expect, it } from 'vitest';
import { seededRolls } from '../../../src/base/clock.ts';
import { OWNER, QueueScene, settled, type TestMember } from './queue-scene.ts';

const SEQUENCES = process.env['OMNIVOICE_TEST_LONG'] === '1' ? 10_000 : 100;
const STEPS = 40;

class Sequence {
  readonly scene = new QueueScene();
  members: TestMember[] = [];
  readonly #roll: (sides: number) => number;
  #calls = 0;

  constructor(seed: number) {
    this.#roll = seededRolls(seed);
  }

  async step(): Promise<void> {
    const { scene } = this;
    const member = this.members[this.#roll(Math.max(1, this.members.length))];
    switch (this.#roll(14)) {
      case 0:
      case 1:
        if (this.members.length < 4) this.members.push(scene.member(this.#roll(3) > 0));
        break;
      case 2:
      case 3:
        scene.wants(`ho_${++this.#calls}`);
        break;
      case 4:
        scene.over(this.#aCall);
        break;
      case 5:
      case 6:
        member?.accept();
        break;
      case 7:
        member?.decline();
        break;
      case 8:
        member?.say('ready');
        break;
      case 9:
        member?.say('away');
        break;
      case 10:
        member?.seat.leave();
        this.members = this.members.filter((one) => one !== member);
        break;
      case 11:
        scene.isHolding = !scene.isHolding;
        break;
      case 12:
        await this.#restartsOrNot();
        break;
      default:
        await scene.passes(1_000 * (1 + this.#roll(16)));
    }
    if (this.#roll(2) === 0) scene.held.shift()?.();
    if (this.#roll(3) > 0) await settled();
  }

  get #aCall(): string {
    const ids = [...this.scene.waiting.keys()];
    return ids[this.#roll(Math.max(1, ids.length))] ?? '';
  }

  async #restartsOrNot(): Promise<void> {
    if (this.#roll(4) > 0) return;
    await this.scene.restarts();
    this.members = [];
  }
}

/** No call is asked for twice, no member for two, and every view fits what members were told. */
function expectOrder({ scene, members }: Sequence): void {
  const asked = members.map(({ openHandoverId }) => openHandoverId).filter((id) => id !== undefined);
  expect(new Set(asked).size).toBe(asked.length);
  const [view] = scene.queues.list(OWNER);
  const offered = view?.waiting.filter(({ state }) => state === 'offered') ?? [];
  const busy = view?.members.filter(({ state }) => state === 'offered') ?? [];
  expect(busy.length).toBe(offered.length);
  expect(asked.length).toBeGreaterThanOrEqual(busy.length);
  for (const { told } of members) {
    let isOpen = false;
    for (const { type } of told) {
      if (type === 'offer') {
        expect(isOpen).toBe(false);
        isOpen = true;
      } else if (type === 'accepted' || type === 'withdrawn' || type === 'state') isOpen = false;
    }
  }
}

async function run(seed: number): Promise<number> {
  const sequence = new Sequence(seed);
  const { scene } = sequence;
  for (let step = 0; step < STEPS; step++) {
    await sequence.step();
    expectOrder(sequence);
  }
  scene.isHolding = false;
  while (scene.held.length > 0) {
    scene.held.shift()?.();
    await settled();
  }
  // Whoever is ready at last takes all that waits, in the order it came.
  const last = scene.member();
  for (let taken = 0; scene.waiting.size > 0 && taken < 200; taken++) {
    await scene.passes(1_000);
    const id = last.openHandoverId;
    if (id !== undefined) last.accept();
    await settled();
    if (id !== undefined && last.of('accepted').at(-1)?.['handover_id'] === id) scene.over(id as string);
    last.say('ready');
  }
  expect(scene.waiting.size).toBe(0);
  for (const member of [...sequence.members, last]) member.seat.leave();
  expect(scene.queues.list(OWNER)).toEqual([]);
  expect(scene.clock.pendingTasks).toBe(0);
  return scene.queues.stats.accepted;
}

describe(`${SEQUENCES} random sequences of what members, callers and nodes do`, () => {
  it('never ask two members for one call, and lose none', async () => {
    const failures: string[] = [];
    let accepted = 0;
    for (let seed = 1; seed <= SEQUENCES; seed++) {
      try {
        accepted += await run(seed);
      } catch (error) {
        failures.push(`seed ${seed}: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
    expect(failures.slice(0, 5)).toEqual([]);
    expect(accepted).toBeGreaterThan(SEQUENCES / 2);
  });
});
