import type { AtMs } from '../base/clock.ts';

/** Why a leg is gone, as `leg_disconnected` says it. */
export type LegEndReason =
  | 'hangup'
  | 'provider_stop'
  | 'connection_lost'
  | 'protocol_error'
  | 'call_ended'
  | 'removed'
  | 'offer_gone'
  | 'replaced';

/** One party's line. `lost`: the socket is gone and may come back within the resume window. */
export type LegState =
  | { readonly name: 'active'; readonly enteredAtMs: AtMs }
  | { readonly name: 'lost'; readonly enteredAtMs: AtMs }
  | { readonly name: 'ended'; readonly enteredAtMs: AtMs; readonly reason: LegEndReason };

export type LegChange =
  | { readonly type: 'ended'; readonly reason: LegEndReason }
  | { readonly type: 'socket_lost' }
  | { readonly type: 'socket_resumed' };

/** Moves a leg. Where nothing happened, the same object comes back. */
export function advance(state: LegState, change: LegChange, nowMs: AtMs): LegState {
  if (state.name === 'ended') return state;
  switch (change.type) {
    case 'ended':
      return { name: 'ended', enteredAtMs: nowMs, reason: change.reason };
    case 'socket_lost':
      return state.name === 'active' ? { name: 'lost', enteredAtMs: nowMs } : state;
    case 'socket_resumed':
    default:
      return { name: 'active', enteredAtMs: nowMs };
  }
}
