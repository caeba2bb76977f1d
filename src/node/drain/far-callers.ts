import type { CallDirectory } from '../../call/directory.ts';
import { moveAtProvider } from '../../call/provider/provider-move.ts';
import type { Leg } from '../../leg/leg.ts';
import type { Farewells } from './farewells.ts';

/** A leg of a call here whose socket is at a node that leaves. */
export interface FarSeat {
  readonly callId: string;
  readonly legId: string;
}

/** What became of orders to providers; skipped where nobody could be asked. */
export interface ProviderOrderCounts {
  accepted: number;
  refused: number;
  skipped: number;
}

export interface FarCallersOptions {
  readonly calls: Pick<CallDirectory, 'get'>;
  readonly farewells: () => Pick<Farewells, 'canGoAway' | 'goAway' | 'redirectOf'>;
  /** Whether this node leaves as well: then its own drain tells them where to go. */
  readonly isLeaving: () => boolean;
  /** Where this node itself is reached. */
  readonly mediaUrl: string;
}

/**
 * Calls home whose calls are here: when the node of their socket leaves, they are told to come to this one,
 * in their protocol's own words or by their provider.
 */
export class FarCallers {
  readonly counts = { told: 0, providers: { accepted: 0, refused: 0, skipped: 0 } };
  readonly #options: FarCallersOptions;

  constructor(options: FarCallersOptions) {
    this.#options = options;
  }

  /** `mayRedirect`: a provider may be asked by now, though its caller hears a short break. */
  async callHome({ callId, legId }: FarSeat, mayRedirect: boolean): Promise<void> {
    const { calls, farewells, isLeaving, mediaUrl } = this.#options;
    const call = calls.get(callId);
    const leg = call?.legs.find(({ id }) => id === legId);
    if (call === undefined || leg === undefined || isLeaving()) return;
    if (farewells().canGoAway(leg)) {
      this.counts.told += farewells().goAway(call, mediaUrl, [leg]);
      return;
    }
    if (!mayRedirect || !isCaller(leg)) return;
    const target = farewells().redirectOf(call, mediaUrl);
    const result = target === undefined ? undefined : await moveAtProvider(call, target);
    countOrder(this.counts.providers, result);
  }
}

export function countOrder(counts: ProviderOrderCounts, result: { readonly ok: boolean } | undefined): void {
  if (result === undefined) counts.skipped++;
  else if (result.ok) counts.accepted++;
  else counts.refused++;
}

function isCaller({ role, state }: Leg): boolean {
  return role === 'caller' && state.name === 'active';
}
