import type { Call } from '../../call/call.ts';
import { moveAtProvider } from '../../call/provider/provider-move.ts';
import type { RedirectTarget } from '../../events/asks.ts';

/** So many are asked about at once: far below what a node may ask of control. */
const MOVES_MAX = 64;

/** What became of the calls that were to be moved. */
export interface ProviderMoveCounts {
  /** The provider streams to the new place, or is about to. */
  accepted: number;
  /** The provider refused, or did not answer: the call is where it was. */
  refused: number;
  /** No account, no means, or no place to go: nobody was asked. */
  skipped: number;
}

/**
 * Moves calls by their providers' REST accounts: each is redirected to the place that `targetOf` names, with
 * a resume token of its caller's leg in the address. For protocols that have no word for it themselves; who
 * was told in the socket (`NodeArrivals.goAway`) needs no place here. Never rejects.
 */
export async function moveProviderCalls(
  calls: Iterable<Call>,
  targetOf: (call: Call) => RedirectTarget | undefined,
): Promise<ProviderMoveCounts> {
  const counts: ProviderMoveCounts = { accepted: 0, refused: 0, skipped: 0 };
  const waiting = [...calls].filter(({ state }) => state.name === 'active');
  const moveSome = async (): Promise<void> => {
    for (let call = waiting.shift(); call !== undefined; call = waiting.shift()) {
      counts[await moved(call, targetOf)]++;
    }
  };
  await Promise.all(Array.from({ length: MOVES_MAX }, moveSome));
  return counts;
}

async function moved(
  call: Call,
  targetOf: (call: Call) => RedirectTarget | undefined,
): Promise<keyof ProviderMoveCounts> {
  const target = targetOf(call);
  const result = target === undefined ? undefined : await moveAtProvider(call, target);
  if (result === undefined) return 'skipped';
  return result.ok ? 'accepted' : 'refused';
}
