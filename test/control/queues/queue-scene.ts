import type { JsonObject } from '../../../src/base/json.ts';
import { HostQueues } from '../../../src/control/queues/host-queues.ts';
import type { QueueAsk } from '../../../src/events/asks.ts';
import type { CommandResult, CommandToCall } from '../../../src/events/commands.ts';
import type { QueueSeat } from '../../../src/api/queues/queue-desk.ts';
import { FakeClock } from '../../fakes/clock.ts';

export const OWNER = { workspaceId: 'ws_1', testMode: false };

/** A member, and all it was told. */
export class TestMember {
  readonly told: JsonObject[] = [];
  seat!: QueueSeat;

  say(type: string, more: JsonObject = {}): void {
    this.seat.say({ type, ...more });
  }

  of(type: string): readonly JsonObject[] {
    return this.told.filter((news) => news['type'] === type);
  }

  get offer(): JsonObject | undefined {
    return this.of('offer').at(-1);
  }

  /** What it is asked to take now. */
  get openHandoverId(): unknown {
    const last = this.told.filter(({ type }) => type !== 'error').at(-1);
    return last?.['type'] === 'offer' ? last['handover_id'] : undefined;
  }

  accept(): void {
    this.say('accept', { offer_id: this.offer?.['offer_id'] });
  }

  decline(): void {
    this.say('decline', { offer_id: this.offer?.['offer_id'] });
  }
}

/** A node as its queue knows it: it has handovers that wait, and decides who gets them. */
export class QueueScene {
  readonly clock = new FakeClock();
  readonly commands: CommandToCall[] = [];
  /** Handovers that wait, by their id, with the time until which somebody has the way in. */
  readonly waiting = new Map<string, { ask: QueueAsk; claimedUntilMs: number }>();
  /** Answers are held back, to be let go one by one. */
  readonly held: (() => void)[] = [];
  isHolding = false;
  isUnavailable = false;
  queues = this.#open();

  wants(handoverId: string, queue = 'sales'): void {
    const ask: QueueAsk = {
      name: 'queue_handover',
      workspace_id: OWNER.workspaceId,
      test_mode: OWNER.testMode,
      queue,
      call_id: `call_of_${handoverId}`,
      handover_id: handoverId,
      standing: 'waiting',
      since_unix_ms: this.clock.unixMs(),
      remaining_ms: 60_000,
      offer: { mode: 'cold', reason: null, context: {} },
    };
    this.waiting.set(handoverId, { ask, claimedUntilMs: 0 });
    this.#says(handoverId);
  }

  over(handoverId: string): void {
    const known = this.waiting.get(handoverId);
    if (known === undefined) return;
    this.waiting.delete(handoverId);
    void this.queues.answer({ ...known.ask, standing: 'over', offer: {} }, 'inc_1');
  }

  member(isReady = true, queue = 'sales'): TestMember {
    const member = new TestMember();
    const wire = { tell: (news: JsonObject) => void member.told.push(news) };
    member.seat = this.queues.join(OWNER, queue, { label: null, wire });
    if (isReady) member.say('ready');
    return member;
  }

  /** Time passes; the node says every two seconds what waits. */
  async passes(durationMs: number): Promise<void> {
    for (let leftMs = durationMs; leftMs > 0; leftMs -= 1_000) {
      this.clock.advance(Math.min(1_000, leftMs));
      if (Math.round(this.clock.nowMs() / 1_000) % 2 === 0) this.renews();
      await settled();
    }
  }

  renews(): void {
    for (const id of this.waiting.keys()) this.#says(id);
  }

  /** Control is started anew: it knows nothing, and its members have to come again. */
  async restarts(): Promise<void> {
    await this.queues.close();
    this.queues = this.#open();
  }

  #says(handoverId: string): void {
    const { ask, claimedUntilMs } = this.waiting.get(handoverId)!;
    const standing = this.clock.nowMs() < claimedUntilMs ? 'claimed' : 'waiting';
    void this.queues.answer({ ...ask, standing }, 'inc_1');
  }

  #open(): HostQueues {
    const command = (_: string, order: CommandToCall): Promise<CommandResult> => this.#obeys(order);
    return new HostQueues({ clock: this.clock, command });
  }

  async #obeys(order: CommandToCall): Promise<CommandResult> {
    this.commands.push(order);
    if (this.isUnavailable) return { ok: false, fault: 'unavailable', detail: 'no answer' };
    if (this.isHolding) await new Promise<void>((resolve) => this.held.push(resolve));
    const { command } = order;
    if (command.name === 'answer_handover') {
      this.over(command.handover_id);
      return { ok: true, value: null };
    }
    const id = command.name === 'claim_handover' ? command.handover_id : '';
    const known = this.waiting.get(id);
    if (known === undefined || this.clock.nowMs() < known.claimedUntilMs) {
      return { ok: false, fault: 'conflict', detail: 'gone' };
    }
    known.claimedUntilMs = this.clock.nowMs() + 15_000;
    return { ok: true, value: { handover_id: id, join: { ws_url: 'ws://x', token: id }, context: {} } };
  }
}

/** What was promised is done. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 8; turn++) await Promise.resolve();
}
