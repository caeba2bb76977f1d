import { describe, expect, it } from 'vitest';
import { drainedNotice } from '../../../src/control/cluster/drained-notice.ts';
import type { NodeHello, NodeStatus } from '../../../src/link/messages.ts';

const PLACE = { host: 'host-a', workspaceId: 'ws_default' };
const HELLO: NodeHello = {
  type: 'hello',
  protocol: 1,
  incarnation: 'n1-life',
  node: 1,
  pid: 7,
  region: 'local',
  ownPort: 8083,
  firstRecord: 1,
};
const STATUS: NodeStatus = {
  state: 'draining',
  legs: 0,
  calls: 0,
  capLegs: 800,
  loopDelayP99Ms: 1,
  spoolBytes: 0,
};

const noticeOf = (status: NodeStatus | undefined) =>
  drainedNotice({ incarnation: 'n1-life', hello: HELLO, status }, PLACE);

describe('a node that is gone', () => {
  it('was drained where it left with no call on it', () => {
    expect(noticeOf(STATUS)).toEqual({
      type: 'node.drained',
      workspace_id: 'ws_default',
      resource: { type: 'node', id: 'n1-life' },
      test_mode: false,
      data: { node_id: 'n1-life', node: 1, host: 'host-a' },
    });
  });

  it('was not where it had calls, did not leave, or never said how it stands', () => {
    expect(noticeOf({ ...STATUS, calls: 1 })).toBeUndefined();
    expect(noticeOf({ ...STATUS, state: 'serving' })).toBeUndefined();
    expect(noticeOf(undefined)).toBeUndefined();
  });
});
