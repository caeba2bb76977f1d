import type { AtMs } from '../../base/clock.ts';
import type { CallEndReason } from '../../events/catalogue.ts';
import type { CallDesk } from '../call-desk.ts';
import type { CallPart } from '../call-part.ts';
import { LegParty, lineOf } from '../parties/party.ts';
import { orderAtProvider } from './provider-orders.ts';

/** The telephone call goes on elsewhere, or is to: closing the socket is all that is wanted. */
const GOES_ON: readonly CallEndReason[] = ['drained', 'transferred', 'node_lost'];

/**
 * Hangs the telephone call up at its provider when the call ends here while its caller is still on the line.
 * Where a protocol has no word for it, closing the socket only ends the stream: the provider goes on with
 * the rest of its document, which may lead back here.
 */
export class ProviderHangUp implements CallPart {
  readonly #desk: CallDesk;

  constructor(desk: CallDesk) {
    this.#desk = desk;
  }

  onEnding(_: AtMs, reason: CallEndReason): void {
    const { roster, notes } = this.#desk;
    const { caller } = roster;
    if (GOES_ON.includes(reason) || notes.transferredTo !== null || caller === undefined) return;
    if (caller.party instanceof LegParty && caller.party.leg.capabilities.hangUp) return;
    // Who only listens in on a telephone call does not end it by leaving.
    if (lineOf(caller)?.bidirectional !== true) return;
    // What becomes of it is control's to tell: the call here is over either way.
    void orderAtProvider(this.#desk, { action: 'hang_up' });
  }
}
