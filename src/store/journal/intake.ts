import type { Kysely } from 'kysely';
import { parseObject, textOf } from '../../base/json.ts';
import { applyToCall, type CallView } from '../../events/call-view.ts';
import type { Envelope, EventRecord } from '../../events/envelope.ts';
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
  /** Told by a new owner under a number its predecessor had used, too: they follow with the next ones. */
  readonly renumbered: number;
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
  let [duplicates, renumbered, fenced, gaps, viewless] = [0, 0, 0, 0, 0];
  for (const due of dues) {
    const { record, incarnation } = due;
    const resource = resources.get(record.envelope.resource.id)!;
    const { lastSequence, view, fence } = resource;
    let { envelope } = record;
    const sameNumber = known.get(keyOf(envelope.resource.id, envelope.sequence));
    if (sameNumber !== undefined) {
      const isNews = isOfNewOwner(due, resource) && sameNumber !== envelope.id;
      if (!isNews || (await isToldLater(transaction, envelope, fresh))) {
        duplicates++;
        continue;
      }
      renumbered++;
      envelope = { ...envelope, sequence: lastSequence + 1 };
    }
    if (fenceOf(record, fence) < fence) {
      fenced++;
      continue;
    }
    known.set(keyOf(envelope.resource.id, envelope.sequence), envelope.id);
    fresh.push(envelope === record.envelope ? due : { ...due, record: { ...record, envelope } });
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
    renumbered,
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

/**
 * Whether the record may follow what has its number: its owner holds the call under a token of its own, went
 * on from a snapshot that did not have that yet, and the call goes on.
 */
function isOfNewOwner({ record, incarnation }: Due, { view, fence }: HotResource): boolean {
  const isOwner = incarnation !== '' && Number.isSafeInteger(record.fence) && record.fence! >= fence;
  // What the former owner ended is over; what this one ended has last words.
  return isOwner && view !== undefined && (view.ended_at === null || record.fence === fence);
}

/** Whether the event itself is in the journal already, under a greater number. */
async function isToldLater(
  transaction: Kysely<Schema>,
  { id, resource, sequence }: Envelope,
  fresh: readonly Due[],
): Promise<boolean> {
  if (fresh.some(({ record }) => record.envelope.id === id)) return true;
  const rows = await transaction
    .selectFrom('events')
    .select('body')
    .where('resource_id', '=', resource.id)
    .where('sequence', '>', sequence)
    .execute();
  return rows.some(({ body }) => parseObject(body)?.['id'] === id);
}

/**
 * Records whose number is in the journal already, and the event that has it. Only one at or below its
 * resource's last sequence can be.
 */
async function knownAmong(
  transaction: Kysely<Schema>,
  dues: readonly Due[],
  resources: ReadonlyMap<string, HotResource>,
): Promise<Map<string, string>> {
  const doubtful = dues.flatMap(({ record }) => {
    const { resource, sequence } = record.envelope;
    const isPast = sequence <= resources.get(resource.id)!.lastSequence;
    return isPast ? [{ resource_id: resource.id, sequence }] : [];
  });
  const known = new Map<string, string>();
  for (let from = 0; from < doubtful.length; from += PAIRS_MAX) {
    const pairs = doubtful.slice(from, from + PAIRS_MAX);
    const rows = await transaction
      .selectFrom('events')
      .select(['resource_id', 'sequence', 'body'])
      .where((where) => where.or(pairs.map((pair) => where.and(pair))))
      .execute();
    for (const { resource_id: id, sequence, body } of rows) {
      known.set(keyOf(id, sequence), textOf(parseObject(body)?.['id']) ?? '');
    }
  }
  return known;
}

function keyOf(resourceId: string, sequence: number): string {
  return `${resourceId} ${sequence}`;
}
