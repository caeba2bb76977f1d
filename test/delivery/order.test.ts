import { describe, expect, it } from 'vitest';
import { openDelivery, type Delivery } from '../../src/delivery/delivery.ts';
import { LANE_LIMITS } from '../../src/delivery/lanes/lane-entry.ts';
import type { ErrorClass } from '../../src/delivery/outbox.ts';
import { FakeClock } from '../fakes/clock.ts';
import { FakeSender, type Verdict } from '../fakes/hook-sender.ts';
import { anEndpoint, anEnvelope, FakeOutbox } from '../fakes/outbox.ts';

const STORIES = process.env['OMNIVOICE_TEST_LONG'] ? 1_000 : 10;
const FAULTS: readonly ErrorClass[] = [
  'http_5xx',
  'connection_refused',
  'timeout_response',
  'dns_error',
  'redirect',
];
const DELAYS_MS = Array(12).fill(2_000);

/** Calls, endpoints, faults, stalls and kill -9, all by one seed. */
class Story {
  readonly clock: FakeClock;
  readonly dice: FakeClock;
  readonly outbox: FakeOutbox;
  /** One per life of the process. */
  readonly senders: FakeSender[] = [];
  delivery!: Delivery;
  readonly #refusals: boolean;

  constructor(seed: number, refusals: boolean) {
    this.clock = new FakeClock({ nowMs: 1_000, seed });
    this.dice = new FakeClock({ seed: seed * 7_919 });
    this.#refusals = refusals;
    const of = (id: string) => anEndpoint({ id, retryDelaysMs: DELAYS_MS });
    this.outbox = new FakeOutbox([of('whk_1'), of('whk_2'), of('whk_3')]);
    this.live();
  }

  roll(sides: number): number {
    return this.dice.randomBytes(2).readUInt16BE() % sides;
  }

  /** A new life on the same outbox; the one before is not told that it is over. */
  live(): void {
    const killed = this.senders.at(-1);
    if (killed !== undefined) killed.send = () => new Promise(() => undefined);
    const sender = new FakeSender(this.clock);
    const outbox = this.#mortal(sender);
    sender.verdict = () => this.#verdict();
    sender.durationMs = () => 1 + this.roll(200);
    this.senders.push(sender);
    this.delivery = openDelivery({
      outbox,
      clock: this.clock,
      sender,
      settings: {
        egressAllow: [],
        userAgent: 'Omnivoice/1',
        pageRows: 1 + this.roll(20),
        limits: {
          inFlightMax: 1 + this.roll(4),
          envelopesMax: this.roll(6),
          entriesMax: 2 + this.roll(12),
          waitingMax: LANE_LIMITS.waitingMax,
        },
      },
      observer: { hookSent: () => undefined, attemptFinished: () => undefined },
      log: { info: () => undefined, warn: () => undefined, error: () => undefined },
    });
    void this.delivery.start();
  }

  async pass(durationMs: number): Promise<void> {
    await this.senders[0]!.pass(this.clock, durationMs);
  }

  /** What each endpoint saw of each call, over all lives: sequences in order of arrival. */
  arrivals(
    only: (attempt: { errorClass: ErrorClass | null }) => boolean = () => true,
  ): Map<string, number[]> {
    const arrivals = new Map<string, number[]>();
    const good = new Set(
      this.outbox.recorded.filter(({ attempt }) => only(attempt)).map(({ attempt }) => attempt.deliveryId),
    );
    for (const { endpoint, envelope, deliveryId } of this.senders.flatMap(({ sent }) => sent)) {
      if (!good.has(deliveryId)) continue;
      const key = `${endpoint.id} ${envelope.resource.id}`;
      const seen = arrivals.get(key) ?? [];
      if (!seen.includes(envelope.sequence)) seen.push(envelope.sequence);
      arrivals.set(key, seen);
    }
    return arrivals;
  }

  #verdict(): Verdict {
    if (this.roll(100) < 65) return null;
    if (this.#refusals && this.roll(2) === 0) return { errorClass: 'http_4xx', status: 422 };
    if (this.roll(10) === 0) return { errorClass: 'http_5xx', status: 503, retryAfterMs: this.roll(5_000) };
    return FAULTS[this.roll(FAULTS.length)]!;
  }

  // A process that was killed writes nothing more, and sends nothing more.
  #mortal(sender: FakeSender): FakeOutbox {
    const isDead = (): boolean => this.senders.at(-1) !== sender;
    const never = new Promise<never>(() => undefined);
    return new Proxy(this.outbox, {
      get: (target, name: keyof FakeOutbox) => {
        const value = target[name];
        if (typeof value !== 'function') return value;
        return (...given: unknown[]) =>
          isDead() ? never : (value as (...all: unknown[]) => unknown).apply(target, given);
      },
    });
  }
}

async function tell(seed: number, refusals: boolean): Promise<Story> {
  const story = new Story(seed, refusals);
  const sequences = new Map<string, number>();
  const events = 40 + story.roll(60);
  for (let i = 0; i < events; i++) {
    const callId = `call_${story.roll(5)}`;
    const sequence = (sequences.get(callId) ?? 0) + 1;
    sequences.set(callId, sequence);
    const { created_at: _, ...envelope } = anEnvelope(callId, sequence);
    const created_at = new Date(story.clock.unixMs()).toISOString();
    const owed = ['whk_1', 'whk_2', 'whk_3'].slice(0, 1 + story.roll(3));
    const committed = story.outbox.commit({ ...envelope, created_at }, owed);
    // Killed between the commit and the sending.
    if (story.roll(40) === 0) story.live();
    else story.delivery.accept([committed]);
    if (story.roll(3) === 0) await story.pass(story.roll(900));
    if (story.roll(30) === 0) story.live();
  }
  await story.pass(40 * 60_000);
  return story;
}

const isSorted = (numbers: readonly number[]): boolean =>
  numbers.every((number, index) => index === 0 || numbers[index - 1]! < number);

describe('under random faults, stalls and kills', () => {
  it('every event is delivered or dead, and first arrivals of a call are in order', async () => {
    let lives = 0;
    let retries = 0;
    for (let seed = 1; seed <= STORIES; seed++) {
      const story = await tell(seed, false);
      const unsettled = [...story.outbox.rows.values()].filter(
        ({ state }) => state !== 'delivered' && state !== 'dead',
      );
      expect(unsettled, `seed ${seed}: unsettled`).toEqual([]);
      for (const [lane, seen] of story.arrivals()) {
        expect(isSorted(seen), `seed ${seed}: ${lane} saw ${seen.join(' ')}`).toBe(true);
      }
      const attempts = story.outbox.recorded.map(({ attempt }) => `${attempt.deliveryId} ${attempt.number}`);
      expect(new Set(attempts).size, `seed ${seed}: attempts numbered twice`).toBe(attempts.length);
      for (const sender of story.senders) expect(sender.mostAtOnce()).toBeLessThanOrEqual(12);
      lives += story.senders.length;
      retries += story.outbox.recorded.filter(({ attempt }) => attempt.trigger === 'retry').length;
    }
    expect(lives).toBeGreaterThan(STORIES);
    expect(retries).toBeGreaterThan(STORIES);
  }, 120_000);

  it('events are settled strictly in order, one after the other', async () => {
    for (let seed = 1; seed <= STORIES; seed++) {
      const story = await tell(seed + 50_000, false);
      const settled = new Map<string, number[]>();
      for (const { attempt, outcome } of story.outbox.recorded) {
        if (outcome.state === 'retrying') continue;
        const { endpointId, envelope } = story.outbox.rows.get(attempt.deliveryId)!;
        const key = `${endpointId} ${envelope.resource.id}`;
        settled.set(key, [...(settled.get(key) ?? []), envelope.sequence]);
      }
      for (const [lane, order] of settled) {
        expect(isSorted(order), `seed ${seed}: ${lane} settled ${order.join(' ')}`).toBe(true);
      }
    }
  }, 120_000);

  it('refused heads that step aside lose nothing, and first arrivals stay in order', async () => {
    let asides = 0;
    for (let seed = 1; seed <= STORIES; seed++) {
      const story = await tell(seed + 90_000, true);
      asides += story.delivery.stats.steppedAside;
      const unsettled = [...story.outbox.rows.values()].filter(
        ({ state }) => state !== 'delivered' && state !== 'dead',
      );
      expect(unsettled, `seed ${seed}: unsettled`).toEqual([]);
      for (const [lane, seen] of story.arrivals()) {
        expect(isSorted(seen), `seed ${seed}: ${lane} saw ${seen.join(' ')}`).toBe(true);
      }
    }
    expect(asides).toBeGreaterThan(0);
  }, 120_000);
});
