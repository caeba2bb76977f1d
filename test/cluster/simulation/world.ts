import { decideArrival, type OwnerLink } from '../../../src/cluster/arrival.ts';
import { FakeClock } from '../../fakes/clock.ts';
import type { RegistryFault } from '../../fakes/faulty-registry.ts';
import { SimulatedNode } from './node.ts';
import { CALLS, LENGTH_MS, NODES, type Fault } from './schedule.ts';
import { WatchedRegistry, Witness } from './witness.ts';

const STEP_MS = 20;
const SPEAKS_EVERY_MS = 300;
const LEG_RETRIES_MS = 500;

/**
 * Nodes, a registry and calls under a schedule of faults, at virtual time. A caller's leg stays where it is
 * as long as its node runs; where the node is dead or hangs, it comes back to another one.
 */
export class World {
  readonly clock: FakeClock;
  readonly witness = new Witness();
  readonly nodes: SimulatedNode[];
  readonly legAt = new Map<string, number>();
  readonly ended = new Set<string>();
  /** The longest that two running nodes took themselves for the owner of one call. */
  doubleMsMax = 0;
  readonly #doubleSinceMs = new Map<string, number>();
  readonly #schedule: readonly Fault[];
  #registry: WatchedRegistry;

  constructor(seed: number, schedule: readonly Fault[]) {
    this.clock = new FakeClock({ seed });
    this.#schedule = schedule;
    this.#registry = new WatchedRegistry(this.clock, this.witness);
    this.nodes = Array.from(
      { length: NODES },
      (_, i) => new SimulatedNode(`n${i}`, this.clock, () => this.#registry),
    );
  }

  async play(): Promise<void> {
    await this.#pass(100);
    for (let i = 0; i < CALLS; i++) this.#begin(`call_${i}`, i % NODES);
    const left = [...this.#schedule];
    for (let atMs = 0; atMs < LENGTH_MS; atMs += STEP_MS) {
      while (left[0] !== undefined && left[0].atMs <= atMs) this.#strike(left.shift()!);
      if (atMs % SPEAKS_EVERY_MS < STEP_MS) this.#everybodySpeaks();
      if (atMs % LEG_RETRIES_MS < STEP_MS) this.#legsComeBack();
      if (atMs === LENGTH_MS / 4) this.#endOne('call_0');
      await this.#pass(STEP_MS);
      this.#watchDouble();
    }
  }

  /** Running nodes that take themselves for the owner. */
  ownersOf(callId: string): SimulatedNode[] {
    return this.nodes.filter((node) => node.isRunning && node.sequences.has(callId));
  }

  get takeovers(): number {
    return this.nodes.reduce((sum, { ownership }) => sum + ownership.counts.takeovers, 0);
  }

  get claimsIsolated(): number {
    return this.nodes.reduce((sum, { registry }) => sum + registry.claimsIsolated, 0);
  }

  #begin(callId: string, at: number): void {
    const node = this.nodes[at];
    if (node === undefined) return;
    node.sequences.set(callId, 1);
    this.legAt.set(callId, at);
    void node.ownership.begin(callId);
  }

  #endOne(callId: string): void {
    const node = this.nodes[this.legAt.get(callId) ?? 0];
    if (node === undefined || !node.isRunning || !node.sequences.delete(callId)) return;
    node.ownership.end(callId);
    this.ended.add(callId);
  }

  #everybodySpeaks(): void {
    for (const node of this.nodes) for (const callId of node.sequences.keys()) node.speak(callId);
  }

  /** A leg whose node does not run, or has let its call go, knocks at a random other. */
  #legsComeBack(): void {
    for (const [callId, at] of this.legAt) {
      const node = this.nodes[at];
      if (node?.isRunning && node.sequences.has(callId)) continue;
      if (this.ended.has(callId)) continue;
      const next = (at + 1 + (this.clock.randomBytes(1)[0] ?? 0)) % NODES;
      const target = this.nodes[next];
      if (target?.isRunning) void this.#arrive(callId, next, target);
    }
  }

  async #arrive(callId: string, at: number, node: SimulatedNode): Promise<void> {
    const found = await node.registry.find(callId);
    const nowMs = this.clock.nowMs();
    const step = decideArrival({
      self: node.incarnation,
      isHeldHere: node.sequences.has(callId),
      found,
      link: typeof found === 'object' && found.state === 'live' ? this.#linkTo(found.owner, callId) : 'none',
      ownerHint: null,
      isIsolated: node.membership.isIsolated(nowMs),
      mayJudge: node.membership.mayJudge(nowMs),
    });
    if (step.do === 'attach') this.legAt.set(callId, at);
    if (step.do === 'ask_owner') this.legAt.set(callId, this.#at(step.owner));
    if (step.do !== 'claim') return;
    const { expectedOwner, tokenFloor } = step;
    const claim = await node.ownership.take({ callId, reason: 'arrival', expectedOwner, tokenFloor });
    if (claim.result !== 'claimed') return;
    node.sequences.set(callId, Number(claim.snapshot ?? 0) + 1);
    this.legAt.set(callId, at);
  }

  #linkTo(owner: string, callId: string): OwnerLink {
    const node = this.nodes[this.#at(owner)];
    if (node === undefined || node.clock.isDead) return 'refused';
    if (node.clock.isPaused) return 'suspect';
    return node.sequences.has(callId) ? 'open' : 'not_held';
  }

  #at(incarnation: string): number {
    return this.nodes.findIndex((node) => node.incarnation === incarnation);
  }

  #strike(fault: Fault): void {
    if (fault.target === 'clock') return this.clock.stepWallClock(fault.byMs);
    if (fault.target === 'registry') {
      if (fault.fault !== 'empty') return this.#spoil(this.nodes, fault.fault, fault.forMs);
      this.witness.emptied();
      this.#registry = new WatchedRegistry(this.clock, this.witness);
      return;
    }
    const node = this.nodes[fault.target];
    if (node === undefined) return;
    if (fault.fault === 'kill') return node.kill();
    if (fault.fault === 'partition') return this.#spoil([node], 'down', fault.forMs);
    node.clock.isPaused = true;
    this.clock.after(fault.forMs, () => node.clock.resume());
  }

  #spoil(nodes: readonly SimulatedNode[], fault: RegistryFault, forMs: number): void {
    for (const node of nodes) node.registry.fault = fault;
    this.clock.after(forMs, () => {
      for (const node of nodes) node.registry.fault = 'none';
    });
  }

  /** How long two running nodes that both reach the registry take themselves for the owner. */
  #watchDouble(): void {
    const nowMs = this.clock.nowMs();
    for (const callId of this.legAt.keys()) {
      const owners = this.ownersOf(callId).filter(({ registry }) => registry.fault === 'none');
      if (owners.length < 2) this.#doubleSinceMs.delete(callId);
      else {
        const sinceMs = this.#doubleSinceMs.get(callId) ?? nowMs;
        this.#doubleSinceMs.set(callId, sinceMs);
        this.doubleMsMax = Math.max(this.doubleMsMax, nowMs - sinceMs);
      }
    }
  }

  async #pass(durationMs: number): Promise<void> {
    for (let passedMs = 0; passedMs < durationMs; passedMs += 10) {
      this.clock.advance(10);
      for (let turns = 0; turns < 12; turns++) await Promise.resolve();
    }
  }
}
