import type { ConnectedNode } from '../../link/node-lifeline.ts';
import type { Notice } from '../notices.ts';

/**
 * `node.drained`, told to the operator's workspace: the node has left, and no call was left on it. Undefined
 * where it was lost otherwise.
 */
export function drainedNotice(
  { incarnation, hello, status }: Pick<ConnectedNode, 'incarnation' | 'hello' | 'status'>,
  place: { readonly host: string; readonly workspaceId: string },
): Notice | undefined {
  if (status?.state !== 'draining' || status.calls > 0) return undefined;
  return {
    type: 'node.drained',
    workspace_id: place.workspaceId,
    resource: { type: 'node', id: incarnation },
    test_mode: false,
    data: { node_id: incarnation, node: hello.node, host: place.host },
  };
}
