import type { CallView } from '../../../events/call-view.ts';
import type { StreamCredential } from '../../../events/commands.ts';
import type { ToldCall } from '../../../providers/answers/told-call.ts';
import type { CallStore } from '../../ports.ts';

/** So many of the newest calls between two numbers are looked through for one. */
const CALLS_MAX = 50;

/**
 * The call a provider speaks of; undefined where none is known. It is looked for among the newest with its
 * numbers, which have an index, and is the one that came with the provider's own id of it.
 */
export async function knownCallOf(
  calls: Pick<CallStore, 'list'>,
  { workspaceId, testMode }: StreamCredential,
  { id, from, to }: ToldCall,
): Promise<CallView | undefined> {
  if (id === null || (from === null && to === null)) return undefined;
  const numbers = { ...(from === null ? {} : { from }), ...(to === null ? {} : { to }) };
  const { items } = await calls.list({ workspaceId, testMode, limit: CALLS_MAX, page: 1, ...numbers });
  return items.find(({ head }) => head.metadata['provider_call_id'] === id);
}

export function isOver({ state, ended_at }: CallView): boolean {
  return ended_at !== null || state === 'ending' || state === 'ended';
}
