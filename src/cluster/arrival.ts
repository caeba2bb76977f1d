import type { Found } from './registry.ts';

/** How the owner answers on its peer link. `not_held`: it answered that it has no such call. */
export type OwnerLink = 'open' | 'refused' | 'suspect' | 'none' | 'not_held';

/** A leg of a call came to this node: what is known. */
export interface Arrival {
  readonly self: string;
  /** The call is here: its socket is believed over any record. */
  readonly isHeldHere: boolean;
  readonly found: Found;
  /** Of the link to the owner that was found, or to `ownerHint` where the registry could not be asked. */
  readonly link: OwnerLink;
  /** Who had the call last, as the leg's token or a peer says; null where nobody does. */
  readonly ownerHint: string | null;
  readonly isIsolated: boolean;
  /** Whether what is missing in the registry means something (`Membership.mayJudge`). */
  readonly mayJudge: boolean;
}

export type ArrivalStep =
  | { readonly do: 'attach' }
  | { readonly do: 'ask_owner'; readonly owner: string }
  | { readonly do: 'claim'; readonly expectedOwner: string; readonly tokenFloor: number }
  /** Closes 4404: the call ended, or never was. */
  | { readonly do: 'not_found' }
  /** 503 with Retry-After: another node, or a later moment, may know. */
  | { readonly do: 'retry_later' };

/**
 * What a node does with a leg that came to it (cluster.md §2.7). A call moves because a leg is here and its
 * owner does not answer; never because a beat is late.
 */
export function decideArrival(arrival: Arrival): ArrivalStep {
  const { found, self, link, ownerHint, isIsolated, mayJudge } = arrival;
  if (arrival.isHeldHere) return { do: 'attach' };
  if (found === 'unavailable') {
    const canAsk = ownerHint !== null && ownerHint !== self && link === 'open';
    return canAsk ? { do: 'ask_owner', owner: ownerHint } : { do: 'retry_later' };
  }
  // A registry that lost its data knows no call; the living owner puts it back within seconds.
  if (found === 'unknown') return { do: mayJudge ? 'not_found' : 'retry_later' };
  if (found.state === 'ended') return { do: 'not_found' };
  if (found.owner !== self && link === 'open') return { do: 'ask_owner', owner: found.owner };
  if (isIsolated) return { do: 'retry_later' };
  return { do: 'claim', expectedOwner: found.owner, tokenFloor: found.token };
}
