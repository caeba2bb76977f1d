import type { AtMs } from '../../base/clock.ts';
import type { RedirectTarget } from '../../events/asks.ts';
import type { CommandResult } from '../../events/commands.ts';
import type { CallInput } from '../../leg/leg-listener.ts';
import type { CallDesk } from '../call-desk.ts';
import type { CallPart } from '../call-part.ts';
import { LegParty } from '../parties/party.ts';
import type { Member } from '../parties/roster.ts';
import { orderAtProvider } from './provider-orders.ts';

/** A provider that was told to stream elsewhere has ended the stream it had by then. */
const MOVE_MS_MAX = 10_000;

/**
 * Asks the caller's provider to stream to another place; undefined where it cannot be asked. The leg is not
 * told: it is lost when its stream ends, and comes back by the resume token in the new address.
 */
export async function moveAtProvider(desk: CallDesk, to: RedirectTarget): Promise<CommandResult | undefined> {
  const asked = orderAtProvider(desk, { action: 'redirect', to });
  if (asked === undefined) return undefined;
  const { notes } = desk;
  notes.movedAtMs = desk.clock.nowMs();
  const result = await asked;
  if (!result.ok) notes.movedAtMs = null;
  return result;
}

/** While a call is being moved, the end of its stream is no hang-up of its caller. */
export class ProviderMove implements CallPart {
  readonly #desk: CallDesk;

  constructor(desk: CallDesk) {
    this.#desk = desk;
  }

  onInput({ party }: Member, input: CallInput, nowMs: AtMs): boolean {
    const { movedAtMs } = this.#desk.notes;
    if (input.type !== 'hung_up' || movedAtMs === null || nowMs - movedAtMs > MOVE_MS_MAX) return false;
    if (party.role !== 'caller' || !(party instanceof LegParty)) return false;
    // It streams to the new place already: what ends now is that stream, and by its caller.
    if (party.leg.state.enteredAtMs > movedAtMs) return false;
    this.#desk.onLost(party.leg, nowMs);
    return true;
  }
}
