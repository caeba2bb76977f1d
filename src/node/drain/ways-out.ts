import type { AtMs } from '../../base/clock.ts';
import { waitingFramesOf } from '../../call/agents/spoken-ahead.ts';
import type { Call } from '../../call/call.ts';
import { orderCanBeGiven } from '../../call/provider/provider-orders.ts';
import type { Leg } from '../../leg/leg.ts';
import type { Farewells } from './farewells.ts';
import type { Candidate } from './next-move.ts';

/** An agent that has said nothing for so long is between two sentences. */
const PAUSE_MS = 400;

/** How lines can leave, and whether they were told to. */
export interface WaysOut extends Pick<Farewells, 'canGoAway' | 'isSentAway'> {
  /** Whether its socket is at a node that would take the call: it goes on there, and is told nothing. */
  readonly follows: (leg: Leg) => boolean;
}

/** How a call can leave this node, if it can: a line that cannot come back elsewhere keeps its call here. */
export function wayOut(call: Call, ways: WaysOut, nowMs: AtMs): Omit<Candidate, 'toldAtMs'> | undefined {
  const lines = linesOf(call);
  const bound = lines.filter((leg) => !ways.follows(leg) && !ways.canGoAway(leg));
  const isProviders = bound.length === 1 && bound[0]!.role === 'caller' && orderCanBeGiven(call, 'redirect');
  if (lines.length === 0 || (bound.length > 0 && !isProviders)) return undefined;
  return {
    callId: call.id,
    legs: activeLegsOf(call).length,
    way: bound.length === 0 ? 'away' : 'provider',
    hasAgent: activeLegsOf(call).length > lines.length,
    isPausing: isPausing(call, nowMs),
  };
}

/** Whether every line of the call was told to come back elsewhere, or follows: it may go with the first. */
export function mayFollow(call: Call, ways: WaysOut): boolean {
  const lines = linesOf(call);
  return lines.length > 0 && lines.every((leg) => ways.isSentAway(leg) || ways.follows(leg));
}

/** The line that has to be fetched for the call to go: no other one of it was told to. */
export function toBeFetched(call: Call, ways: WaysOut): Leg | undefined {
  const lines = linesOf(call);
  return lines.every((leg) => ways.follows(leg)) ? lines[0] : undefined;
}

/** The lines that speak on here until they have found the way, or whose last words are on theirs. */
export function speakingOn(call: Call, ways: WaysOut): readonly string[] {
  const isLeaving = (leg: Leg): boolean => leg.capabilities.resume && ways.isSentAway(leg);
  const leaving = linesOf(call).filter((leg) => isLeaving(leg) || ways.follows(leg));
  return leaving.map(({ id }) => id);
}

/** The lines that go after the call on the sockets they have. */
export function following(call: Call, ways: WaysOut): readonly string[] {
  return linesOf(call).flatMap((leg) => (ways.follows(leg) ? [leg.id] : []));
}

function activeLegsOf(call: Call): readonly Leg[] {
  return call.legs.filter(({ state }) => state.name === 'active');
}

/** Lines that came here; a backend that was dialled is dialled anew by whoever has the call. */
function linesOf(call: Call): readonly Leg[] {
  return activeLegsOf(call).filter(({ id }) => call.roster.find(id)?.agent === undefined);
}

function isPausing(call: Call, nowMs: AtMs): boolean {
  return call.roster.present.every((member) => {
    if (member.voice !== undefined || waitingFramesOf(member) > 0) return false;
    const { leg } = member.agent ?? {};
    return leg === undefined || nowMs - leg.stats.lastAudioAtMs >= PAUSE_MS;
  });
}
