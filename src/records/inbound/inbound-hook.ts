import type { JsonObject } from '../../base/json.ts';
import type { InboundAction } from './actions.ts';
import type { Mapping } from './mapping.ts';
import type { SignatureTerms } from './signature.ts';

/** A secret that is good for now: the newest for ever, older ones until their overlap is over. */
export interface Overlapping<T> {
  readonly secret: T;
  readonly untilUnixMs: number | null;
}

/** What a custom event is told of: a kind of thing, and where the body names which. */
export interface EventResource {
  readonly type: string;
  readonly idPointer: string | null;
}

/** What the sender is answered where it is not our own envelope. */
export interface OwnAnswer {
  readonly status: number;
  /** JSON, or plain text. */
  readonly body: JsonObject | string | null;
}

/** An address strangers may call, and what comes of it. */
export interface InboundHook {
  readonly id: string;
  readonly workspaceId: string;
  readonly testMode: boolean;
  readonly name: string | null;
  /** SHA-256 of the tokens in its path, hex, newest first. */
  readonly tokens: readonly Overlapping<string>[];
  /** How the sender signs, and with what, newest first; null where the token is all. */
  readonly signature: {
    readonly terms: SignatureTerms;
    readonly secrets: readonly Overlapping<string>[];
  } | null;
  /** JSON Schema of the body, as text; without one all JSON will do. */
  readonly schema: string | null;
  readonly mapping: Mapping;
  readonly actions: readonly InboundAction[];
  readonly resource: EventResource;
  /** What two bodies of the same call have in common; null: every call is a new one. */
  readonly dedupePointer: string | null;
  readonly ratePerMinute: number;
  readonly answer: OwnAnswer | null;
  readonly createdAt: string;
}

/** The secrets that are good at this moment. */
export function liveOf<T>(secrets: readonly Overlapping<T>[], nowUnixMs: number): readonly T[] {
  return secrets
    .filter(({ untilUnixMs }) => untilUnixMs === null || untilUnixMs > nowUnixMs)
    .map(({ secret }) => secret);
}

/** Secrets alive at once: who rotates faster ends the oldest. */
export const LIVE_SECRETS_MAX = 5;

/** `fresh` joins; those there were stay until the overlap is over, and without one end now. */
export function rotated<T>(
  secrets: readonly Overlapping<T>[],
  fresh: T,
  { nowUnixMs, overlapMs }: { readonly nowUnixMs: number; readonly overlapMs: number },
): readonly Overlapping<T>[] {
  const untilUnixMs = nowUnixMs + overlapMs;
  const old = secrets
    .filter((one) => overlapMs > 0 && (one.untilUnixMs === null || one.untilUnixMs > nowUnixMs))
    .map((one) => ({ ...one, untilUnixMs: Math.min(one.untilUnixMs ?? Infinity, untilUnixMs) }));
  return [{ secret: fresh, untilUnixMs: null }, ...old].slice(0, LIVE_SECRETS_MAX);
}
