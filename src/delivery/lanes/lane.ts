import type { AtMs, Cancel } from '../../base/clock.ts';
import type { Envelope } from '../../events/envelope.ts';
import type { LaneEntry, LaneStamps } from './lane-entry.ts';

/** What a delivery tells; only so many are in memory. */
export interface Letter {
  readonly envelope: Envelope;
  /** What its first attempt sent, where that failed: every other attempt sends it again. */
  body: string | null;
}

/** One delivery that waits, or is under way. */
export interface Item {
  readonly id: string;
  readonly position: number;
  readonly resourceId: string;
  readonly stamps: LaneStamps | null;
  /** A replay, asked for at this instant; null for what the journal itself owed. */
  readonly manualSinceUnixMs: number | null;
  letter: Letter | null;
  attempts: number;
  dueAtMs: AtMs;
  refusals: number;
  isAside: boolean;
  /** With `bounded`: it may hold up its lane until then. */
  holdUntilAtMs: AtMs | null;
  previousUndelivered: readonly string[];
}

/** What is owed of one resource to one endpoint; or of one event that goes by itself. */
export interface Lane {
  readonly key: string;
  /** In journal order; the first is the head. */
  readonly items: Item[];
  state:
    | { readonly name: 'ready' | 'sending' | 'left' }
    | { readonly name: 'waiting'; readonly cancel: Cancel };
  /** Whether the outbox alone knows what comes after the items. */
  parked: Parked | null;
  /** When its receiver last kept it waiting, with a head that was tried again or answered late. */
  heldUpAtMs: AtMs | null;
}

/** The part of a lane that memory has let go. */
export interface Parked {
  /** Everything up to here is in the lane, or was. */
  afterPosition: number;
  /** More came while it was being read. */
  isMissed: boolean;
}

export const READY = { name: 'ready' } as const;
export const SENDING = { name: 'sending' } as const;
/** Another process goes on with it; what is under way ends and changes nothing here. */
export const LEFT = { name: 'left' } as const;

/** A delivery as it stands in its lane. */
export function itemOf(entry: LaneEntry, dueAtMs: AtMs): Item {
  const { id, position, stamps, attempts, envelope, manualSinceUnixMs = null } = entry;
  const { refusals = 0, isAside = false, previousUndelivered = [] } = entry;
  const fixed = { id, position, stamps, manualSinceUnixMs, resourceId: envelope.resource.id };
  const moving = { attempts, dueAtMs, refusals, isAside, previousUndelivered };
  return { ...fixed, ...moving, letter: null, holdUntilAtMs: null };
}

/** What the entry tells. */
export function letterOf({ envelope, body = null }: Pick<LaneEntry, 'envelope' | 'body'>): Letter {
  return { envelope, body };
}

/** Puts an item where its position says; almost always that is the end. A head under way keeps its place. */
export function insertInOrder({ items, state }: Lane, item: Item): number {
  const floor = state.name === 'sending' ? 1 : 0;
  let index = items.length;
  while (index > floor && items[index - 1]!.position > item.position) index--;
  items.splice(index, 0, item);
  return index;
}

/** Takes an item out of its lane, wherever it stands. */
export function removeFrom({ items }: Lane, item: Item): void {
  const index = items.indexOf(item);
  if (index !== -1) items.splice(index, 1);
}

/** Whose events the lane holds; a parked one may hold none, and is a resource's then. */
export function resourceOf({ items: [head], key }: Lane): string {
  return head?.resourceId ?? key;
}

/** The lane whose head was committed first, replays last: what a probe is made with. */
export function oldestOf(lanes: Iterable<Lane>): Lane | undefined {
  let oldest: Lane | undefined;
  for (const lane of lanes) if (oldest === undefined || isOlder(lane, oldest)) oldest = lane;
  return oldest;
}

function isOlder({ items: [a] }: Lane, { items: [b] }: Lane): boolean {
  if (a === undefined || b === undefined) return b === undefined && a !== undefined;
  const isManual = a.manualSinceUnixMs !== null;
  if (isManual !== (b.manualSinceUnixMs !== null)) return !isManual;
  return a.position < b.position;
}
