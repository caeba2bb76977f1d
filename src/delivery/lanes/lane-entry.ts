import type { AtMs, Clock } from '../../base/clock.ts';
import type { Envelope } from '../../events/envelope.ts';
import type { PendingDelivery } from '../outbox.ts';

/** A delivery as it enters a lane. */
export interface LaneEntry {
  readonly id: string;
  readonly position: number;
  readonly attempts: number;
  /** From now; 0 or less for at once. */
  readonly dueInMs: number;
  readonly envelope: Envelope;
  /** A replay: a lane of its own, and its retries are counted from when it was asked for. */
  readonly manualSinceUnixMs?: number;
  readonly refusals?: number;
  readonly isAside?: boolean;
  readonly previousUndelivered?: readonly string[];
  readonly body?: string | null;
  /** null for what was found again after a restart. */
  readonly stamps: LaneStamps | null;
}

/** Where the event's time went before delivery had it. */
export interface LaneStamps {
  readonly receivedAtMs: AtMs;
  readonly decidedAtMs: AtMs;
  readonly committedAtMs: AtMs;
}

/** A place in the order of the outbox. */
export interface OutboxCursor {
  readonly position: number;
  readonly id: string;
}

/** How much one endpoint may hold. */
export interface LaneLimits {
  /** Requests under way at once. */
  readonly inFlightMax: number;
  /** Envelopes kept in memory; beyond them an entry is its id, and is loaded when its turn comes. */
  readonly envelopesMax: number;
  /** Entries that wait for their turn; beyond them the outbox alone knows the rest. */
  readonly entriesMax: number;
  /** Heads that wait for their next attempt, beside those. */
  readonly waitingMax: number;
}

/** The limits of production. */
export const LANE_LIMITS: LaneLimits = {
  inFlightMax: 32,
  envelopesMax: 1_000,
  entriesMax: 1_000,
  waitingMax: 4_000,
};

/** What happened in all lanes of the house. */
export interface LaneStats {
  delivered: number;
  dead: number;
  failedAttempts: number;
  steppedAside: number;
  pauses: number;
  spilledEnvelopes: number;
  parkedLanes: number;
  overtakes: number;
  inFlightWaits: number;
  forgottenNames: number;
  vanished: number;
  loadFailures: number;
  recordFailures: number;
  unrecorded: number;
  /** Attempts whose record was refused: their partition had moved. */
  fenced: number;
}

/** All at nought. */
export function newLaneStats(): LaneStats {
  return {
    delivered: 0,
    dead: 0,
    failedAttempts: 0,
    steppedAside: 0,
    pauses: 0,
    spilledEnvelopes: 0,
    parkedLanes: 0,
    overtakes: 0,
    inFlightWaits: 0,
    forgottenNames: 0,
    vanished: 0,
    loadFailures: 0,
    recordFailures: 0,
    unrecorded: 0,
    fenced: 0,
  };
}

/** Whether `place` comes later in the outbox than `cursor`. */
export function isAfter(place: OutboxCursor, cursor: OutboxCursor | undefined): boolean {
  if (cursor === undefined || place.position !== cursor.position) {
    return place.position > (cursor?.position ?? -1);
  }
  return place.id > cursor.id;
}

/** A row of the outbox as it enters a lane: found again, and due when it says. */
export function entryOf(row: PendingDelivery, clock: Pick<Clock, 'unixMs'>): LaneEntry {
  const { id, position, attempts, envelope, nextAttemptUnixMs, isManual, createdUnixMs } = row;
  const { refusals = 0, isAside = false, previousUndelivered = [], body = null } = row;
  const dueInMs = nextAttemptUnixMs === null ? 0 : nextAttemptUnixMs - clock.unixMs();
  const state = { attempts, refusals, isAside, previousUndelivered, body, dueInMs };
  const manual = isManual ? { manualSinceUnixMs: createdUnixMs } : {};
  return { id, position, envelope, ...state, ...manual, stamps: null };
}
