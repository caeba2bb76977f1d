import type { Kysely } from 'kysely';
import { applyToCall, type CallView } from '../../events/call-view.ts';
import type { EventRecord } from '../../events/envelope.ts';
import type { Schema } from '../schema.ts';
import type { HotResource, HotResources } from './hot-resources.ts';

/** Pairs asked for in one statement: each is two parameters and one term. */
const PAIRS_MAX = 100;

/** Records sorted out before they are written: what is new, and what it makes of its resources. */
export interface Intake {
  readonly fresh: readonly EventRecord[];
  readonly resources: ReadonlyMap<string, HotResource>;
  readonly changedCalls: readonly CallView[];
  readonly duplicates: number;
  readonly gaps: number;
  /** Call events with no `call_started` before them: kept in the journal, but there is no call to show. */
  readonly viewless: number;
}

/** Sorts records out against what is known of their resources. */
export async function takeIn(
  transaction: Kysely<Schema>,
  hot: HotResources,
  records: readonly EventRecord[],
  incarnation: string,
): Promise<Intake> {
  const ids = new Set(records.map(({ envelope }) => envelope.resource.id));
  const resources = await hot.gather(transaction, ids);
  const known = await knownAmong(transaction, records, resources);
  const fresh: EventRecord[] = [];
  const changed = new Set<string>();
  let gaps = 0;
  let viewless = 0;
  for (const record of records) {
    const { envelope } = record;
    const key = keyOf(envelope.resource.id, envelope.sequence);
    if (known.has(key)) continue;
    known.add(key);
    fresh.push(record);
    const { lastSequence, view } = resources.get(envelope.resource.id)!;
    if (envelope.sequence > lastSequence + 1) gaps++;
    const after = envelope.resource.type === 'call' ? applyToCall(view, envelope, incarnation) : undefined;
    if (after !== view && after !== undefined) changed.add(after.id);
    if (after === undefined && envelope.resource.type === 'call') viewless++;
    resources.set(envelope.resource.id, {
      lastSequence: Math.max(lastSequence, envelope.sequence),
      view: after,
    });
  }
  return {
    fresh,
    resources,
    changedCalls: [...changed].flatMap((id) => resources.get(id)?.view ?? []),
    duplicates: records.length - fresh.length,
    gaps,
    viewless,
  };
}

/** Which records are in the journal already. Only one at or below its resource's last sequence can be. */
async function knownAmong(
  transaction: Kysely<Schema>,
  records: readonly EventRecord[],
  resources: ReadonlyMap<string, HotResource>,
): Promise<Set<string>> {
  const doubtful = records.flatMap(({ envelope: { resource, sequence } }) =>
    sequence <= resources.get(resource.id)!.lastSequence ? [{ resource_id: resource.id, sequence }] : [],
  );
  const known = new Set<string>();
  for (let from = 0; from < doubtful.length; from += PAIRS_MAX) {
    const pairs = doubtful.slice(from, from + PAIRS_MAX);
    const rows = await transaction
      .selectFrom('events')
      .select(['resource_id', 'sequence'])
      .where((where) => where.or(pairs.map((pair) => where.and(pair))))
      .execute();
    for (const row of rows) known.add(keyOf(row.resource_id, row.sequence));
  }
  return known;
}

function keyOf(resourceId: string, sequence: number): string {
  return `${resourceId} ${sequence}`;
}
