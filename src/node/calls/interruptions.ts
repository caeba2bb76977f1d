import type { Agents } from '../../call/agents/published.ts';
import { bargeInFor } from '../../call/barge-in/barge-in.ts';
import type { MakeCallPart } from '../../call/call-part.ts';
import type { Settings } from '../../config/settings.ts';

/** Callers may interrupt agents: as the agent's own terms say, else as the node's settings do. */
export function interruptionsFor(
  settings: Pick<Settings, 'bargeIn' | 'vadStopMs'>,
  agents?: Pick<Agents, 'agentFor'>,
): MakeCallPart {
  return bargeInFor({
    policy: settings.bargeIn,
    hangoverMs: settings.vadStopMs,
    // Only who was dialled has terms; whoever joined by itself has none.
    policyOf: ({ agent }, { facts }) =>
      agent === undefined ? undefined : agents?.agentFor(facts)?.terms.barge_in,
  });
}
