import type { Clock } from '../../base/clock.ts';
import { readNodeRecord, type NodeRecord } from '../node-record.ts';
import { ORPHANS_MAX, RegistryCounts } from '../registry-counts.ts';
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
} from '../registry.ts';
import { GRACE_MS, LEASE_MS, NODE_FORGOTTEN_MS, RECORD_TTL_MS, TOMBSTONE_TTL_MS } from '../timing.ts';
import type { RedisConnection } from './connection.ts';
import {
  ALIAS_FIND,
  CALL_CLAIM,
  CALL_END,
  CALL_FIND,
  CALL_SAVE,
  NODE_BEAT,
  NODE_LEAVE,
  NODES,
  ORPHANS,
} from './scripts.ts';
import type { Script } from './scripts.ts';

/** What is asked of Redis, in classes. */
export type RedisCommand = 'beat' | 'claim' | 'save' | 'end' | 'find' | 'sweep';

const COMMAND_OF: ReadonlyMap<Script, RedisCommand> = new Map([
  [NODE_BEAT, 'beat'],
  [CALL_CLAIM, 'claim'],
  [CALL_SAVE, 'save'],
  [CALL_END, 'end'],
  [NODE_LEAVE, 'end'],
  [CALL_FIND, 'find'],
  [ALIAS_FIND, 'find'],
  [NODES, 'sweep'],
  [ORPHANS, 'sweep'],
]);

export interface RedisRegistryOptions {
  readonly connection: RedisConnection;
  /** One Redis per region: its name is in every key. */
  readonly region: string;
  readonly clock: Pick<Clock, 'nowMs' | 'randomBytes'>;
  /** Hears how long each question took, whether or not it was answered. */
  readonly observe?: (command: RedisCommand, durationMs: number) => void;
}

/** The registry of a region, in Redis. Closing it closes the connection. */
export class RedisRegistry implements Registry {
  readonly counts = new RegistryCounts();
  readonly #connection: RedisConnection;
  readonly #clock: Pick<Clock, 'nowMs' | 'randomBytes'>;
  readonly #prefix: string;
  readonly #observe: NonNullable<RedisRegistryOptions['observe']>;

  constructor({ connection, region, clock, observe = () => {} }: RedisRegistryOptions) {
    this.#connection = connection;
    this.#observe = observe;
    this.#clock = clock;
    this.#prefix = `omnivoice:{${region}}:`;
  }

  async beat(node: NodeRecord): Promise<BeatAnswer | undefined> {
    const sentAtMs = this.#clock.nowMs();
    const newEpoch = this.#clock.randomBytes(8).toString('hex');
    const record = JSON.stringify(node);
    const values = [node.incarnation, record, LEASE_MS, newEpoch, NODE_FORGOTTEN_MS];
    // A beat is asked even of a registry that was silent: it is how its return is noticed.
    const answer = await this.#run(NODE_BEAT, ['epoch', 'nodes'], values);
    if (answer === undefined) return undefined;
    const [epoch, unixMs, records] = answer as [string, string, string[]];
    const createdUnixMs = Number(epoch.slice(epoch.lastIndexOf(':') + 1));
    return {
      epoch,
      epochAgeMs: Number(unixMs) - createdUnixMs,
      registryUnixMs: Number(unixMs),
      roundTripMs: this.#clock.nowMs() - sentAtMs,
      nodes: this.#readable(records),
    };
  }

  async leave(incarnation: string): Promise<void> {
    await this.#ask(NODE_LEAVE, ['nodes'], [incarnation]);
  }

  async nodes(): Promise<readonly NodeRecord[] | undefined> {
    // Asked by control, which has no beats to notice the registry's return by.
    const records = await this.#run(NODES, ['nodes'], []);
    return records === undefined ? undefined : this.#readable(records as string[]);
  }

  async find(callId: string): Promise<Found> {
    const answer = await this.#ask(CALL_FIND, [`call:${callId}`], []);
    if (answer === undefined) return 'unavailable';
    const [state, owner, token, sequence] = answer as (string | null)[];
    if (state === 'ended') return { state };
    if (state !== 'live' || typeof owner !== 'string') return 'unknown';
    return { state, owner, token: Number(token), sequence: Number(sequence) };
  }

  async findAlias(alias: string): Promise<FoundAlias> {
    const answer = await this.#ask(ALIAS_FIND, [`alias:${alias}`], []);
    if (typeof answer !== 'string') return 'unavailable';
    return answer === '' ? 'unknown' : { callId: answer };
  }

  async claim(incarnation: string, wish: ClaimWish): Promise<Claim> {
    const { callId, reason, expectedOwner, tokenFloor } = wish;
    const values = [incarnation, callId, reason, expectedOwner ?? '', tokenFloor, GRACE_MS, RECORD_TTL_MS];
    const answer = await this.#ask(CALL_CLAIM, [`call:${callId}`], values);
    if (answer === undefined) return { result: 'unavailable' };
    const [result, second, third, fourth] = answer as [string, string?, (string | null)?, (string | null)?];
    if (result === 'ended' || result === 'unknown') return { result };
    if (result === 'moved') return { result, owner: second ?? '', token: Number(third) };
    return {
      result: 'claimed',
      token: Number(second),
      snapshot: third ?? null,
      previousOwner: fourth ?? null,
    };
  }

  async save(incarnation: string, { callId, token, sequence, snapshot, alias }: CallSave): Promise<Saved> {
    const values = [incarnation, callId, token, sequence, snapshot, RECORD_TTL_MS, alias ?? ''];
    const answer = await this.#ask(CALL_SAVE, [`call:${callId}`], values);
    if (answer !== 'conflict') return savedOf(answer);
    this.counts.conflicts++;
    return 'saved';
  }

  async end(incarnation: string, callId: string, token: number): Promise<Saved> {
    const values = [incarnation, callId, token, TOMBSTONE_TTL_MS];
    return savedOf(await this.#ask(CALL_END, [`call:${callId}`], values));
  }

  async orphans(): Promise<readonly Orphan[]> {
    // A sweep as well as a beat: control has no other way to notice the return.
    const answer = await this.#run(ORPHANS, ['nodes'], [GRACE_MS, ORPHANS_MAX]);
    const fields = (answer ?? []) as string[];
    const orphans: Orphan[] = [];
    for (let i = 0; i + 2 < fields.length; i += 3) {
      orphans.push({ callId: fields[i]!, owner: fields[i + 1]!, token: Number(fields[i + 2]) });
    }
    return orphans;
  }

  close(): void {
    this.#connection.close();
  }

  async #ask(
    script: Script,
    keys: readonly string[],
    values: readonly (string | number)[],
  ): Promise<unknown> {
    if (!this.#connection.circuit.isOpen) return this.#run(script, keys, values);
    this.counts.unasked++;
    return undefined;
  }

  async #run(
    script: Script,
    keys: readonly string[],
    values: readonly (string | number)[],
  ): Promise<unknown> {
    const names = keys.map((key) => this.#prefix + key);
    const askedAtMs = this.#clock.nowMs();
    const answer = await this.#connection.run(script, names, [this.#prefix, ...values]);
    const command = COMMAND_OF.get(script);
    if (command !== undefined) this.#observe(command, this.#clock.nowMs() - askedAtMs);
    if (answer === undefined) this.counts.unanswered++;
    return answer;
  }

  #readable(records: readonly string[]): NodeRecord[] {
    const nodes = records.map(readNodeRecord).filter((node) => node !== undefined);
    this.counts.unreadable += records.length - nodes.length;
    return nodes;
  }
}

function savedOf(answer: unknown): Saved {
  return answer === 'saved' || answer === 'fenced' || answer === 'ended' ? answer : 'unavailable';
}
