import type { AtMs, Clock } from '../base/clock.ts';
import type { NodeRecord } from './node-record.ts';
import type {
  BeatAnswer,
  CallSave,
  Claim,
  ClaimWish,
  Found,
  FoundAlias,
  Orphan,
  Registry,
  Saved,
} from './registry.ts';
import { ORPHANS_MAX, RegistryCounts } from './registry-counts.ts';
import { GRACE_MS, LEASE_MS, NODE_FORGOTTEN_MS, RECORD_TTL_MS, TOMBSTONE_TTL_MS } from './timing.ts';

interface Lease {
  readonly record: NodeRecord;
  endsAtMs: AtMs;
}

interface LiveCall {
  readonly state: 'live';
  readonly owner: string;
  readonly token: number;
  readonly sequence: number;
  readonly snapshot: string | null;
  readonly expiresAtMs: AtMs;
}

type Call = LiveCall | { readonly state: 'ended'; readonly expiresAtMs: AtMs };

/** Beyond it the oldest record is dropped: it is an index, its living owner puts it back. */
const CALLS_MAX = 100_000;

/**
 * The registry of one host, in the memory of its control process: the same answers as Redis gives, by the
 * same rules. What it loses with its process comes back with the next beats and saves.
 */
export class LocalRegistry implements Registry {
  readonly counts = new RegistryCounts();
  readonly #clock: Pick<Clock, 'nowMs' | 'unixMs' | 'randomBytes'>;
  readonly #leases = new Map<string, Lease>();
  readonly #calls = new Map<string, Call>();
  readonly #aliases = new Map<string, string>();
  readonly #epoch: string;
  readonly #startedAtMs: AtMs;
  readonly #startedAtUnixMs: number;

  constructor(clock: Pick<Clock, 'nowMs' | 'unixMs' | 'randomBytes'>) {
    this.#clock = clock;
    this.#epoch = clock.randomBytes(8).toString('hex');
    this.#startedAtMs = clock.nowMs();
    this.#startedAtUnixMs = clock.unixMs();
  }

  /** Calls and tombstones it holds. */
  get records(): number {
    return this.#calls.size;
  }

  async beat(node: NodeRecord): Promise<BeatAnswer> {
    const nowMs = this.#clock.nowMs();
    this.#leases.set(node.incarnation, { record: node, endsAtMs: nowMs + LEASE_MS });
    this.#forget(nowMs);
    return {
      epoch: this.#epoch,
      epochAgeMs: nowMs - this.#startedAtMs,
      registryUnixMs: this.#unixMs(),
      roundTripMs: 0,
      nodes: await this.nodes(),
    };
  }

  async nodes(): Promise<readonly NodeRecord[]> {
    const nowMs = this.#clock.nowMs();
    return [...this.#leases.values()].filter((lease) => lease.endsAtMs > nowMs).map(({ record }) => record);
  }

  async leave(incarnation: string): Promise<void> {
    const lease = this.#leases.get(incarnation);
    if (lease !== undefined) lease.endsAtMs = Math.min(lease.endsAtMs, this.#clock.nowMs());
  }

  async find(callId: string): Promise<Found> {
    const call = this.#call(callId);
    if (call === undefined) return 'unknown';
    if (call.state === 'ended') return { state: 'ended' };
    const { state, owner, token, sequence } = call;
    return { state, owner, token, sequence };
  }

  async findAlias(alias: string): Promise<FoundAlias> {
    const callId = this.#aliases.get(alias);
    return callId === undefined ? 'unknown' : { callId };
  }

  async claim(incarnation: string, wish: ClaimWish): Promise<Claim> {
    const call = this.#call(wish.callId);
    if (call?.state === 'ended') return { result: 'ended' };
    if (call === undefined && wish.reason !== 'new') return { result: 'unknown' };
    if (call !== undefined && !this.#mayPass(call, incarnation, wish)) {
      return { result: 'moved', owner: call.owner, token: call.token };
    }
    // An answer that was lost is asked for again: what is its own already keeps its token.
    const isOwn = call?.owner === incarnation && call.token > wish.tokenFloor;
    const token = isOwn ? call.token : this.#nextToken(call?.token ?? 0, wish.tokenFloor);
    const snapshot = call?.snapshot ?? null;
    this.#keep(wish.callId, { owner: incarnation, token, sequence: call?.sequence ?? 0, snapshot });
    return { result: 'claimed', token, snapshot, previousOwner: call?.owner ?? null };
  }

  async save(incarnation: string, saved: CallSave): Promise<Saved> {
    const { callId, token, sequence, snapshot, alias } = saved;
    if (alias !== undefined) this.#alias(alias, callId);
    const call = this.#call(callId);
    if (call?.state === 'ended') return 'ended';
    if (call !== undefined && isFenced(call, incarnation, token)) return 'fenced';
    if (call !== undefined && call.owner !== incarnation) this.counts.conflicts++;
    // One that was late: what is newer is there already.
    if (call?.token === token && call.sequence > sequence) return 'saved';
    this.#keep(callId, { owner: incarnation, token, sequence, snapshot });
    return 'saved';
  }

  async end(incarnation: string, callId: string, token: number): Promise<Saved> {
    const call = this.#call(callId);
    if (call?.state === 'ended') return 'ended';
    if (call !== undefined && isFenced(call, incarnation, token)) return 'fenced';
    this.#put(callId, { state: 'ended', expiresAtMs: this.#clock.nowMs() + TOMBSTONE_TTL_MS });
    return 'saved';
  }

  async orphans(): Promise<readonly Orphan[]> {
    const found: Orphan[] = [];
    for (const [callId, call] of this.#calls) {
      if (found.length === ORPHANS_MAX) break;
      if (call.state === 'ended' || !this.#isLongGone(call.owner)) continue;
      found.push({ callId, owner: call.owner, token: call.token });
    }
    return found;
  }

  close(): void {
    this.#leases.clear();
    this.#calls.clear();
    this.#aliases.clear();
  }

  #mayPass(call: LiveCall, incarnation: string, wish: ClaimWish): boolean {
    if (call.owner === incarnation) return true;
    if (wish.reason === 'new' || wish.expectedOwner !== call.owner) return false;
    return wish.reason !== 'orphan' || this.#isLongGone(call.owner);
  }

  /** Of an owner nobody knows, the registry's own beginning is the last that can be said. */
  #isLongGone(owner: string): boolean {
    const endedAtMs = Math.max(this.#leases.get(owner)?.endsAtMs ?? -Infinity, this.#startedAtMs);
    return endedAtMs + GRACE_MS <= this.#clock.nowMs();
  }

  /** Of the monotonic clock: a wall clock that steps back takes no token back. */
  #unixMs(): number {
    return this.#startedAtUnixMs + Math.floor(this.#clock.nowMs() - this.#startedAtMs);
  }

  #nextToken(last: number, floor: number): number {
    return Math.max(last + 1, floor + 1, this.#unixMs() * 1000);
  }

  #call(callId: string): Call | undefined {
    const call = this.#calls.get(callId);
    return call !== undefined && call.expiresAtMs > this.#clock.nowMs() ? call : undefined;
  }

  #keep(callId: string, call: Omit<LiveCall, 'state' | 'expiresAtMs'>): void {
    this.#put(callId, { state: 'live', ...call, expiresAtMs: this.#clock.nowMs() + RECORD_TTL_MS });
  }

  // Whoever is written goes to the end of the map: its first is the one longest not heard of.
  #put(callId: string, call: Call): void {
    this.#calls.delete(callId);
    this.#calls.set(callId, call);
    if (this.#calls.size <= CALLS_MAX) return;
    const [oldest] = this.#calls.keys();
    if (oldest !== undefined) this.#calls.delete(oldest);
    this.counts.droppedRecords++;
  }

  #alias(alias: string, callId: string): void {
    this.#aliases.delete(alias);
    this.#aliases.set(alias, callId);
    const [oldest] = this.#aliases.keys();
    if (this.#aliases.size <= CALLS_MAX || oldest === undefined) return;
    this.#aliases.delete(oldest);
    this.counts.droppedRecords++;
  }

  #forget(nowMs: AtMs): void {
    for (const [incarnation, { endsAtMs }] of this.#leases) {
      if (endsAtMs + NODE_FORGOTTEN_MS <= nowMs) this.#leases.delete(incarnation);
    }
    for (const [callId, { expiresAtMs }] of this.#calls) {
      if (expiresAtMs <= nowMs) this.#calls.delete(callId);
    }
    for (const [alias, callId] of this.#aliases) {
      if (!this.#calls.has(callId)) this.#aliases.delete(alias);
    }
  }
}

/** Only a greater token fences, or the same in another's hand. */
function isFenced(call: LiveCall, incarnation: string, token: number): boolean {
  return call.token > token || (call.token === token && call.owner !== incarnation);
}
