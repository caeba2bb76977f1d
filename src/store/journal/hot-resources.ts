import type { Kysely } from 'kysely';
import type { CallView } from '../../events/call-view.ts';
import { viewOf } from '../calls.ts';
import type { Schema } from '../schema.ts';

/** What a commit must know of a resource before it can take one more of its events. */
export interface HotResource {
  readonly lastSequence: number;
  /** The highest token of its owners; 0 while none had one. */
  readonly fence: number;
  /** Undefined where the resource is no call, or its start is not known. */
  readonly view: CallView | undefined;
}

const UNKNOWN: HotResource = { lastSequence: 0, fence: 0, view: undefined };

/** Resources of events lately committed: a commit reads nothing back. The longest unused goes first. */
export class HotResources {
  readonly stats = { loads: 0, evictions: 0 };
  readonly #resourcesMax: number;
  readonly #byId = new Map<string, HotResource>();

  constructor(resourcesMax: number) {
    this.#resourcesMax = resourcesMax;
  }

  /** All of `ids`, from memory or from the database; nothing is kept before `keep`. */
  async gather(transaction: Kysely<Schema>, ids: ReadonlySet<string>): Promise<Map<string, HotResource>> {
    const gathered = new Map<string, HotResource>();
    const missing: string[] = [];
    for (const id of ids) {
      const hot = this.#byId.get(id);
      if (hot === undefined) missing.push(id);
      else gathered.set(id, hot);
    }
    if (missing.length > 0) {
      for (const [id, resource] of await this.#load(transaction, missing)) gathered.set(id, resource);
    }
    return gathered;
  }

  /** After the commit: what is true now. A completed call has little more to say and makes room. */
  keep(resources: ReadonlyMap<string, HotResource>): void {
    for (const [id, resource] of resources) {
      this.#byId.delete(id);
      if (resource.view?.completed !== true) this.#byId.set(id, resource);
    }
    for (const oldest of this.#byId.keys()) {
      if (this.#byId.size <= this.#resourcesMax) break;
      this.#byId.delete(oldest);
      this.stats.evictions++;
    }
  }

  /** What another process has written meanwhile is read anew. */
  forget(ids: readonly string[]): void {
    for (const id of ids) this.#byId.delete(id);
  }

  forgetAll(): void {
    this.#byId.clear();
  }

  async #load(db: Kysely<Schema>, ids: readonly string[]): Promise<Map<string, HotResource>> {
    this.stats.loads += ids.length;
    const loaded = new Map(ids.map((id) => [id, UNKNOWN]));
    const known = await db
      .selectFrom('events')
      .select((select) => ['resource_id', select.fn.max('sequence').as('last')])
      .where('resource_id', 'in', ids)
      .groupBy('resource_id')
      .execute();
    for (const { resource_id: id, last } of known) {
      loaded.set(id, { ...UNKNOWN, lastSequence: last });
    }
    const calls = await db.selectFrom('calls').selectAll().where('id', 'in', ids).execute();
    for (const row of calls) {
      const view = await viewOf(db, row);
      // Its events may be purged already, its history is not.
      const lastSequence = Math.max(view.sequence, loaded.get(row.id)?.lastSequence ?? 0);
      loaded.set(row.id, { lastSequence, fence: row.fence ?? 0, view });
    }
    return loaded;
  }
}
