import type { Clock } from '../../base/clock.ts';
import { numberOf, textOf, type JsonObject } from '../../base/json.ts';
import type { CallDirectory } from '../../call/directory.ts';
import type { Member } from '../../call/parties/roster.ts';
import type { Call } from '../../call/call.ts';
import type { Arrival } from '../../gateway/arrivals.ts';
import type { ResumeClaims } from '../../gateway/resume-token.ts';
import { providerNameOf } from './provider-alias.ts';

/** Nothing is signed by it: it is told over the nodes' own link, and as good as the socket it is about. */
const CLAIMS_MS = 86_400_000;

export interface SeatedAt {
  readonly calls: Pick<CallDirectory, 'get' | 'ofProvider'>;
  readonly clock: Pick<Clock, 'unixMs'>;
}

/** What a leg that has come over a relay would come back with; undefined where its call is over already. */
export function claimsOf(
  { calls, clock }: SeatedAt,
  arrival: Arrival,
  came: ResumeClaims | undefined,
): ResumeClaims | undefined {
  const seat =
    came === undefined ? providerSeatOf(calls, arrival) : seatOf(calls.get(came.callId), came.legId);
  if (seat === undefined) return undefined;
  const { call, member } = seat;
  return {
    callId: call.id,
    legId: member.party.id,
    dialect: arrival.dialect.name,
    format: member.party.codecName ?? '',
    generation: member.generation,
    region: call.facts.region,
    fence: call.fence,
    expiresAtUnixMs: clock.unixMs() + CLAIMS_MS,
  };
}

/** As the owner told them over the link; undefined for what are none. */
export function readClaims(told: JsonObject): ResumeClaims | undefined {
  const [callId, legId] = [textOf(told['callId']), textOf(told['legId'])];
  const generation = numberOf(told['generation']);
  if (callId === undefined || legId === undefined || generation === undefined) return undefined;
  return { ...(told as unknown as ResumeClaims), callId, legId, generation };
}

type Seat = { readonly call: Call; readonly member: Member } | undefined;

function providerSeatOf(calls: Pick<CallDirectory, 'ofProvider'>, arrival: Arrival): Seat {
  const name = providerNameOf(arrival);
  const call = name === undefined ? undefined : calls.ofProvider(name);
  return seatOf(call, call?.roster.caller?.party.id);
}

function seatOf(call: Call | undefined, legId: string | undefined): Seat {
  const member = legId === undefined ? undefined : call?.roster.find(legId);
  return call === undefined || member === undefined ? undefined : { call, member };
}
