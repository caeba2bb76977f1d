import { isObject } from '../../base/json.ts';
import type { Member, Offer } from './waiting-call.ts';

/** Why an offer is no longer open. */
export type WithdrawnReason = 'timeout' | 'gone' | 'away' | 'unavailable';

/** A member is asked, for so long, whether it takes a call. */
export function tellOffer({ id, call, member }: Offer, leftMs: number): void {
  const { callId: call_id, handoverId: handover_id, sinceUnixMs } = call;
  const since = new Date(sinceUnixMs).toISOString();
  const told = { offer_id: id, call_id, handover_id, since, expires_in_ms: Math.round(leftMs) };
  member.wire.tell({ type: 'offer', ...told, ...call.offer });
}

/** The call is the member's: `value` is what its node said of the way in. */
export function tellAccepted({ id, call, member }: Offer, value: unknown): void {
  const { join, context } = isObject(value) ? value : {};
  const told = { offer_id: id, call_id: call.callId, handover_id: call.handoverId, join, context };
  member.wire.tell({ type: 'accepted', ...told });
}

/** Nothing comes of an offer any more. */
export function tellWithdrawn({ id, member }: Offer, reason: WithdrawnReason): void {
  member.wire.tell({ type: 'withdrawn', offer_id: id, reason });
}

/** Whether the member is asked for calls now. */
export function tellState({ standing, wire }: Member): void {
  wire.tell({ type: 'state', state: standing.name === 'away' ? 'away' : 'ready' });
}

/** What the member said changes nothing. */
export function refuseTo({ wire }: Member, code: string, message: string): void {
  wire.tell({ type: 'error', code, message });
}
