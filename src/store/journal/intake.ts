import type { Kysely } from 'kysely';
import { applyToCall, type CallView } from '../../events/call-view.ts';
import type { EventRecord } from '../../events/envelope.ts';
import type { Schema } from '../schema.ts';
import type { HotResource, HotResources } from './hot-resources.ts';

/** Pairs asked for in one statement: each is two parameters and one term. */
const PAIRS_MAX = 100;

/** A record whose turn it is. */
export interface Due {
  readonly record: EventRecord;
  /** Of the node that tells it; empty where control itself does. */
  readonly incarnation: string;
  /** The place of its caller among those that commit together. */
  readonly caller: number;
}

/** A call as it is now, and the highest token of its owners. */
export interface ChangedCall {
  readonly view: CallView;
  readonly fence: number;
}

/** Records sorted out before they are written: what is new, and what it makes of its resources. */
export interface Intake {
  readonly fresh: readonly Due[];
  readonly resources: ReadonlyMap<string, HotResource>;
  readonly changedCalls: readonly ChangedCall[];
  readonly duplicates: number;
  /** Told by who no longer owned the call. */
  readonly fenced: number;
  readonly gaps: number;
  /** Call events with no `call_started` before them: kept in the journal, but there is no call to show. */
  readonly viewless: number;
}

/** Sorts records out against what is known of their resources. */
export async function takeIn(
  transaction: Kysely<Schema>,
  hot: HotResources,
  dues: readonly Due[],
): Promise<Intake> {
  const ids = new Set(dues.map(({ record }) => record.envelope.resource.id));
  const resources = await hot.gather(transaction, ids);
  const known = await knownAmong(transaction, dues, resources);
  const fresh: Due[] = [];
  const changed = new Set<string>();
  let [duplicates, fenced, gaps, viewless] = [0, 0, 0, 0];
  for (const due of dues) {
    const { record, incarnation } = due;
    const { envelope } = record;
    const key = keyOf(envelope.resource.id, envelope.sequence);
    const { lastSequence, view, fence } = resources.get(envelope.resource.id)!;
    if (known.has(key)) {
      duplicates++;
      continue;
    }
    if (fenceOf(record, fence) < fence) {
      fenced++;
      continue;
    }
    known.add(key);
    fresh.push(due);
    if (envelope.sequence > lastSequence + 1) gaps++;
    const after = envelope.resource.type === 'call' ? applyToCall(view, envelope, incarnation) : undefined;
    const raised = fenceOf(record, fence);
    if (after !== undefined && (after !== view || raised !== fence)) changed.add(after.id);
    if (after === undefined && envelope.resource.type === 'call') viewless++;
    resources.set(envelope.resource.id, {
      lastSequence: Math.max(lastSequence, envelope.sequence),
      fence: raised,
      view: after,
    });
  }
  return {
    fresh,
    resources,
    changedCalls: [...changed].flatMap((id) => changedCallOf(resources.get(id))),
    duplicates,
    fenced,
    gaps,
    viewless,
  };
}

function changedCallOf(resource: HotResource | undefined): ChangedCall | [] {
  return resource?.view === undefined ? [] : { view: resource.view, fence: resource.fence };
}

/** The token of a record; one that has none, as control's own, is told under the token there is. */
function fenceOf({ fence }: EventRecord, present: number): number {
  return Number.isSafeInteger(fence) ? fence! : present;
}

/** Which records are in the journal already. Only one at or below its resource's last sequence can be. */
async function knownAmong(
  transaction: Kysely<Schema>,
  dues: readonly Due[],
  resources: ReadonlyMap<string, HotResource>,
): Promise<Set<string>> {
  const doubtful = dues.flatMap(({ record }) => {
    const { resource, sequence } = record.envelope;
    const isPast = sequence <= resources.get(resource.id)!.lastSequence;
    return isPast ? [{ resource_id: resource.id, sequence }] : [];
  });
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
