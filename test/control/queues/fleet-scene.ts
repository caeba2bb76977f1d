import type { JsonObject } from '../../../src/base/json.ts';
import { FleetQueues } from '../../../src/control/queues/fleet-queues.ts';
import type {
  FleetLetter,
  FleetLetters,
  TakenLetter,
} from '../../../src/delivery/partitions/fleet-letters.ts';
import type { Territory } from '../../../src/delivery/partitions/lease-table.ts';
import type { QueueAsk } from '../../../src/events/asks.ts';
import type { CommandResult, CommandToCall } from '../../../src/events/commands.ts';
import { FakeClock } from '../../fakes/clock.ts';
import { OWNER, settled, TestMember } from './queue-scene.ts';

/** Letters as a database would keep them; `isAway` while it does not answer. */
class SimulatedLetters implements FleetLetters {
  readonly stats = { unreadable: 0 };
  isAway = false;
  readonly lying: { readonly letter: FleetLetter; readonly sentAtMs: number }[] = [];
  readonly #clock: FakeClock;
  readonly #sent: (to: string) => void;

  constructor(clock: FakeClock, sent: (to: string) => void) {
    this.#clock = clock;
    this.#sent = sent;
  }

  async send(letters: readonly FleetLetter[]): Promise<void> {
    this.#answers();
    for (const letter of letters) this.lying.push({ letter, sentAtMs: this.#clock.nowMs() });
    for (const { to } of letters) this.#clock.after(5, () => this.#sent(to));
  }

  async take(names: readonly string[], limit: number): Promise<readonly TakenLetter[]> {
    this.#answers();
    const taken = this.lying.filter(({ letter }) => names.includes(letter.to)).slice(0, limit);
    for (const one of taken) this.lying.splice(this.lying.indexOf(one), 1);
    return taken.map(({ letter, sentAtMs }) => ({ ...letter, ageMs: this.#clock.nowMs() - sentAtMs }));
  }

  async forget(): Promise<number> {
    return 0;
  }

  #answers(): void {
    if (this.isAway) throw new Error('the database does not answer');
  }
}

interface WaitingHandover {
  readonly ask: QueueAsk;
  claimedUntilMs: number;
  /** Who was given the way in, by its host. */
  readonly claims: number[];
}

/** A host: its control process, and one node with handovers that wait. */
export class TestHost {
  readonly scene: FleetScene;
  readonly number: number;
  readonly waiting = new Map<string, WaitingHandover>();
  readonly queues: FleetQueues;
  readonly members: TestMember[] = [];
  isUp = true;

  constructor(scene: FleetScene, number: number) {
    this.scene = scene;
    this.number = number;
    this.queues = new FleetQueues({
      clock: scene.clock,
      letters: scene.letters,
      territory: scene.territoryOf(this),
      command: (incarnation, order) => this.#obeys(incarnation, order),
      log: { warn: () => undefined },
    });
    this.queues.start();
  }

  get incarnation(): string {
    return `inc_${this.number}`;
  }

  wants(handoverId: string, queue = 'sales'): void {
    const { clock } = this.scene;
    const ask: QueueAsk = {
      name: 'queue_handover',
      workspace_id: OWNER.workspaceId,
      test_mode: OWNER.testMode,
      queue,
      call_id: `call_of_${handoverId}`,
      handover_id: handoverId,
      standing: 'waiting',
      since_unix_ms: clock.unixMs(),
      remaining_ms: 600_000,
      offer: { mode: 'cold', reason: null, context: {} },
    };
    this.waiting.set(handoverId, { ask, claimedUntilMs: 0, claims: [] });
    this.says(handoverId);
  }

  over(handoverId: string): void {
    const known = this.waiting.get(handoverId);
    this.waiting.delete(handoverId);
    if (known !== undefined) this.#tell({ ...known.ask, standing: 'over', offer: {} });
  }

  says(handoverId: string): void {
    const { ask, claimedUntilMs } = this.waiting.get(handoverId)!;
    const isClaimed = this.scene.clock.nowMs() < claimedUntilMs;
    this.#tell({ ...ask, standing: isClaimed ? 'claimed' : 'waiting' });
  }

  member(isReady = true, queue = 'sales'): TestMember {
    const member = new TestMember();
    const wire = { tell: (news: JsonObject) => void (this.isUp && member.told.push(news)) };
    member.seat = this.queues.join(OWNER, queue, { label: null, wire });
    this.members.push(member);
    if (isReady) member.say('ready');
    return member;
  }

  #tell(ask: QueueAsk): void {
    if (this.isUp) void this.queues.answer(ask, this.incarnation);
  }

  async #obeys(incarnation: string, { command }: CommandToCall): Promise<CommandResult> {
    if (!this.isUp || incarnation !== this.incarnation) {
      return { ok: false, fault: 'unavailable', detail: 'no such node here' };
    }
    if (command.name === 'answer_handover') {
      this.over(command.handover_id);
      return { ok: true, value: null };
    }
    const id = command.name === 'claim_handover' ? command.handover_id : '';
    const known = this.waiting.get(id);
    const { clock } = this.scene;
    if (known === undefined || clock.nowMs() < known.claimedUntilMs) {
      return { ok: false, fault: 'conflict', detail: 'gone' };
    }
    known.claimedUntilMs = clock.nowMs() + 15_000;
    known.claims.push(clock.nowMs());
    return { ok: true, value: { handover_id: id, join: { ws_url: 'ws://x', token: id }, context: {} } };
  }
}

/** Hosts that share a database, at virtual time. */
export class FleetScene {
  readonly clock = new FakeClock();
  readonly letters = new SimulatedLetters(this.clock, (to) => this.#notice(to));
  readonly hosts: TestHost[] = [];
  keeper: TestHost | undefined;
  token = 0;
  #hosts = 0;

  /** The first one keeps the queues. */
  host(): TestHost {
    const host = new TestHost(this, ++this.#hosts);
    this.hosts.push(host);
    if (this.keeper === undefined) this.moveTo(host);
    return host;
  }

  territoryOf(host: TestHost): Territory {
    const holds = (): boolean => host.isUp && this.keeper === host;
    return { holds, fenceOf: () => ({ partition: 0, token: this.token }) };
  }

  /** The lease goes on to another host, or to none yet. */
  moveTo(host: TestHost | undefined): void {
    this.keeper = host;
    this.token++;
  }

  /** Without a word: what it had under way is never finished. */
  async kill(host: TestHost): Promise<void> {
    host.isUp = false;
    if (this.keeper === host) this.keeper = undefined;
    const { isAway } = this.letters;
    this.letters.isAway = true;
    await host.queues.close();
    this.letters.isAway = isAway;
    this.hosts.splice(this.hosts.indexOf(host), 1);
  }

  async passes(durationMs: number): Promise<void> {
    const STEP_MS = 50;
    for (let passedMs = 0; passedMs < durationMs; passedMs += STEP_MS) {
      this.clock.advance(STEP_MS);
      if (Math.round(this.clock.nowMs()) % 2_000 === 0) this.#nodesSayAgain();
      await settled();
      await settled();
    }
  }

  #nodesSayAgain(): void {
    for (const host of this.hosts) for (const id of host.waiting.keys()) host.says(id);
  }

  #notice(to: string): void {
    for (const host of this.hosts) if (host.isUp) host.queues.mail.heard(to);
  }
}
