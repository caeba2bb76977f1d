import type { Cancel, Clock } from '../../../src/base/clock.ts';
import { Heartbeat } from '../../../src/cluster/heartbeat.ts';
import { Membership } from '../../../src/cluster/membership.ts';
import { Ownership } from '../../../src/cluster/ownership.ts';
import { FaultyRegistry } from '../../fakes/faulty-registry.ts';
import { nodeRecord } from '../../fakes/node-records.ts';
import type { Claim, ClaimWish, Registry } from '../../../src/cluster/registry.ts';

/** The world's clock as a process sees it that is stopped and goes on: what fell due waits. */
class ProcessClock implements Clock {
  isPaused = false;
  isDead = false;
  readonly #world: Clock;
  #held: (() => void)[] = [];

  constructor(world: Clock) {
    this.#world = world;
  }

  nowMs(): number {
    return this.#world.nowMs();
  }

  unixMs(): number {
    return this.#world.unixMs();
  }

  randomBytes(count: number): Buffer {
    return this.#world.randomBytes(count);
  }

  after(delayMs: number, task: () => void): Cancel {
    let isCancelled = false;
    const run = (): void => {
      if (isCancelled || this.isDead) return;
      if (this.isPaused) this.#held.push(run);
      else task();
    };
    const cancel = this.#world.after(delayMs, run);
    return () => {
      isCancelled = true;
      cancel();
    };
  }

  resume(): void {
    this.isPaused = false;
    const held = this.#held;
    this.#held = [];
    for (const run of held) run();
  }
}

/** Counts what is claimed by a node that should not. */
class ClaimCounter extends FaultyRegistry {
  claimsIsolated = 0;
  readonly #isIsolated: () => boolean;

  constructor(registry: () => Registry, clock: Clock, isIsolated: () => boolean) {
    super(registry, clock);
    this.#isIsolated = isIsolated;
  }

  override claim(incarnation: string, wish: ClaimWish): Promise<Claim> {
    if (this.#isIsolated()) this.claimsIsolated++;
    return super.claim(incarnation, wish);
  }
}

/** One life of a media node without its media: its beats, its calls, and what it says. */
export class SimulatedNode {
  readonly incarnation: string;
  readonly clock: ProcessClock;
  readonly registry: ClaimCounter;
  readonly membership = new Membership();
  readonly ownership: Ownership;
  readonly heartbeat: Heartbeat;
  /** Events of each call it speaks for. */
  readonly sequences = new Map<string, number>();

  constructor(incarnation: string, world: Clock, registry: () => Registry) {
    this.incarnation = incarnation;
    this.clock = new ProcessClock(world);
    const { clock, membership } = this;
    const isIsolated = (): boolean => membership.isIsolated(clock.nowMs());
    this.registry = new ClaimCounter(registry, clock, isIsolated);
    this.ownership = new Ownership({
      clock,
      registry: this.registry,
      incarnation,
      isIsolated,
      snapshotOf: (callId) => {
        const sequence = this.sequences.get(callId);
        return sequence === undefined ? undefined : { sequence, snapshot: String(sequence) };
      },
      onFenced: (callId) => this.sequences.delete(callId),
    });
    const onHeard = (heard: string): void => {
      if (heard === 'new_epoch' || heard === 'returned') this.ownership.saveAll();
    };
    const describe = () => nodeRecord(incarnation);
    this.heartbeat = new Heartbeat({ clock, registry: this.registry, membership, describe, onHeard });
  }

  get isRunning(): boolean {
    return !this.clock.isDead && !this.clock.isPaused;
  }

  kill(): void {
    this.clock.isDead = true;
  }

  speak(callId: string): void {
    const sequence = this.sequences.get(callId);
    if (sequence === undefined || !this.isRunning) return;
    this.sequences.set(callId, sequence + 1);
    this.ownership.changed(callId);
  }
}
