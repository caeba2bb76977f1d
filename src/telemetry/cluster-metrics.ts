import type { Registry } from 'prom-client';
import { readAtScrape, type Sample } from './scrape.ts';
import type { Tally } from './tally.ts';

/** What came of wanting a call of another node. */
const TAKEOVER_RESULTS = ['ok', 'lost_race', 'ended', 'unreadable', 'unavailable'] as const;
type TakeoverResult = (typeof TAKEOVER_RESULTS)[number];
export type TakeoverCounts = Record<TakeoverResult, number>;

export function newTakeoverCounts(): TakeoverCounts {
  return { ok: 0, lost_race: 0, ended: 0, unreadable: 0, unavailable: 0 };
}

/** What a node counts of the others and of the calls that move between them. */
export interface ClusterFigures {
  /** Beats of its own were accepted of late. */
  readonly isLeaseValid: boolean;
  /** Since the last of them was sent; infinite before the first. */
  readonly leaseAgeMs: number;
  /** The last beat was answered. */
  readonly isRegistryUp: boolean;
  /** How far the registry's wall clock is ahead of this host's. */
  readonly clockSkewMs: number;
  readonly missedBeats: number;
  readonly newEpochs: number;
  /** Of the last beat that was answered. */
  readonly registryRoundTripMs: number;
  /** Calls that were to come here, by how, and what came of it. */
  readonly takeovers: {
    readonly arrival: Readonly<TakeoverCounts>;
    readonly handover: Readonly<TakeoverCounts>;
  };
  /** Legs that came back to their call, and those that did not. */
  readonly legs: {
    readonly resumed: Tally<'provider' | 'cause'>;
    readonly lost: Tally<'provider' | 'cause'>;
  };
  /** Legs that came for a call and could not have it. */
  readonly refusedTakeovers: number;
  /** Legs whose socket is at one node and whose call is at another. */
  readonly relays: {
    readonly opened: number;
    readonly refused: number;
    readonly lostOwners: number;
    readonly followed: number;
    /** By where the socket is. */
    readonly legs: { readonly here: number; readonly elsewhere: number };
    readonly dropped: { readonly message: number; readonly audio: number; readonly waiting: number };
  };
  readonly surrenderedCalls: number;
  /** Two nodes took themselves for the owner, by how it was noticed. */
  readonly conflicts: {
    readonly fenced_write: number;
    readonly moved_race: number;
    readonly replaced: number;
  };
  readonly peers: { readonly open: number; readonly suspect: number; readonly closed: number };
}

/** Adds them to a node's figures. */
export function addCluster(registry: Registry, read: () => ClusterFigures): void {
  const add = (
    type: 'counter' | 'gauge',
    name: string,
    help: string,
    values: (figures: ClusterFigures) => Sample[],
  ): void => readAtScrape(registry, { name, help, type, read: () => values(read()) });
  const one = (value: number): Sample[] => [{ labels: {}, value }];
  const by = (label: string, counts: { readonly [name: string]: number }): Sample[] =>
    Object.entries(counts).map(([name, value]) => ({ labels: { [label]: name }, value }));
  add('gauge', 'node_lease_valid', 'The registry accepts this node’s beats', (f) =>
    one(Number(f.isLeaseValid)),
  );
  add('gauge', 'node_lease_age_seconds', 'Since the last beat that was accepted', (f) =>
    one(f.leaseAgeMs / 1000),
  );
  add('gauge', 'redis_up', 'The last beat was answered', (f) => one(Number(f.isRegistryUp)));
  add('gauge', 'clock_skew_seconds', 'The registry’s clock less this host’s', (f) =>
    one(f.clockSkewMs / 1000),
  );
  add('counter', 'node_beats_missed_total', 'Beats without an answer', (f) => one(f.missedBeats));
  add('counter', 'redis_epoch_changes_total', 'The registry lost its data', (f) => one(f.newEpochs));
  add('gauge', 'registry_round_trip_seconds', 'Of the last beat', (f) => one(f.registryRoundTripMs / 1000));
  add('counter', 'takeovers_total', 'Calls that were to come here', ({ takeovers }) =>
    Object.entries(takeovers).flatMap(([reason, counts]) => takeoverSamples(reason, counts)),
  );
  add('counter', 'legs_resumed_total', 'Legs that came back to their call', (f) => f.legs.resumed.samples());
  add('counter', 'legs_lost_total', 'Legs that did not come back', (f) => f.legs.lost.samples());
  add('counter', 'takeovers_refused_total', 'Legs that came in vain', (f) => one(f.refusedTakeovers));
  add('gauge', 'relayed_legs', 'Legs on a socket of another node', (f) => by('socket', f.relays.legs));
  add('counter', 'relays_total', 'Legs carried to their call', (f) => one(f.relays.opened));
  add('counter', 'relays_refused_total', 'Legs that could not be carried', (f) => one(f.relays.refused));
  add('counter', 'relays_broken_total', 'Their owner was lost', (f) => one(f.relays.lostOwners));
  add('counter', 'relays_followed_total', 'Their call had moved, and they went after it', (f) =>
    one(f.relays.followed),
  );
  add('counter', 'relay_dropped_total', 'Messages not carried', (f) => by('kind', f.relays.dropped));
  add('counter', 'calls_surrendered_total', 'Calls given up', (f) => one(f.surrenderedCalls));
  add('counter', 'ownership_conflicts_total', 'A call had two owners', (f) => by('kind', f.conflicts));
  add('gauge', 'peer_state', 'Links to other nodes', (f) => by('state', f.peers));
}

/** One reason of `takeovers_total`: every result, those that never happened among them. */
export function takeoverSamples(reason: string, counts: Readonly<TakeoverCounts>): Sample[] {
  return TAKEOVER_RESULTS.map((result) => ({ labels: { reason, result }, value: counts[result] }));
}
