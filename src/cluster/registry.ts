import type { Closeable } from '../base/lifetime.ts';
import type { NodeRecord } from './node-record.ts';

/** Why a node wants a call (cluster.md §2.4). */
export type ClaimReason =
  /** A call that begins here: refused where a record of it exists. */
  | 'new'
  /** One of its legs came here, and its owner did not answer. */
  | 'arrival'
  /** Its living owner gives it away. */
  | 'handover'
  /** Nobody came back for it: claimed to end it, and only once its owner's lease is long gone. */
  | 'orphan';

export interface ClaimWish {
  readonly callId: string;
  readonly reason: ClaimReason;
  /** Whom the claimer believes to own it; null where it believes nobody does. */
  readonly expectedOwner: string | null;
  /** The highest fencing token the claimer has seen for the call: the new one is greater. */
  readonly tokenFloor: number;
}

/** What became of a wish. `unavailable` says nothing about the call: the registry could not be asked. */
export type Claim =
  | {
      readonly result: 'claimed';
      readonly token: number;
      readonly snapshot: string | null;
      readonly previousOwner: string | null;
    }
  /** Somebody else was faster, or owns it rightly. */
  | { readonly result: 'moved'; readonly owner: string; readonly token: number }
  | { readonly result: 'ended' }
  /** Only a call with a record can be taken over. */
  | { readonly result: 'unknown' }
  | { readonly result: 'unavailable' };

/** A call as the registry has it. */
export type CallRecord =
  | { readonly state: 'live'; readonly owner: string; readonly token: number; readonly sequence: number }
  | { readonly state: 'ended' };

export type Found = CallRecord | 'unknown' | 'unavailable';

export type FoundAlias = { readonly callId: string } | 'unknown' | 'unavailable';

/** `fenced`: a greater token is there, this node is no longer the owner. */
export type Saved = 'saved' | 'fenced' | 'ended' | 'unavailable';

/** What a beat told. */
export interface BeatAnswer {
  /** Of the registry's life: another one means that it lost its data. */
  readonly epoch: string;
  readonly epochAgeMs: number;
  /** The registry's clock: the only time nodes share. */
  readonly registryUnixMs: number;
  readonly roundTripMs: number;
  /** Everybody with a lease, the asker included. */
  readonly nodes: readonly NodeRecord[];
}

/**
 * Who is there, and who owns which call. Redis behind it in a cluster; on one host the control process, as a
 * mere cache of what its nodes say. It is an index: losing it touches no audio, and nothing in it is believed
 * over a socket that is open (cluster.md §2.1). No method rejects, and none takes longer than its limit.
 */
export interface Registry extends Closeable {
  /** Renews the node's lease. Undefined where the registry did not answer. */
  beat(node: NodeRecord): Promise<BeatAnswer | undefined>;
  /** Gives up the lease: the node has no calls any more. */
  leave(incarnation: string): Promise<void>;
  /** Everybody with a lease, for who has none of its own. Undefined where the registry did not answer. */
  nodes(): Promise<readonly NodeRecord[] | undefined>;
  find(callId: string): Promise<Found>;
  /** The call last saved under that alias. */
  findAlias(alias: string): Promise<FoundAlias>;
  claim(incarnation: string, wish: ClaimWish): Promise<Claim>;
  /**
   * Saves what another node needs to go on with the call, unacknowledged events in it. Puts a record back
   * that is missing or older: only a greater token fences.
   */
  save(incarnation: string, saved: CallSave): Promise<Saved>;
  /** The call is over, and stays so: a tombstone for late comers. */
  end(incarnation: string, callId: string, token: number): Promise<Saved>;
  /** Calls whose owner's lease is gone for longer than the grace: for the sweep. */
  orphans(): Promise<readonly Orphan[]>;
}

/** A call whose owner is gone. */
export interface Orphan {
  readonly callId: string;
  readonly owner: string;
  readonly token: number;
}

export interface CallSave {
  readonly callId: string;
  readonly token: number;
  /** Of the last event in the snapshot. */
  readonly sequence: number;
  /** JSON, at most 64 KiB. */
  readonly snapshot: string;
  /** Another name the call can be found by, as its provider's; absent where it has none. */
  readonly alias?: string;
}
