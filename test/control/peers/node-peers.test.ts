import { randomBytes } from 'node:crypto';
import { afterEach, expect, it, vi } from 'vitest';
import { systemClock, type Clock } from '../../../src/base/clock.ts';
import { LocalRegistry } from '../../../src/cluster/local-registry.ts';
import { PeerCounts } from '../../../src/cluster/peers/peer-counts.ts';
import { PeerKeys } from '../../../src/cluster/peers/peer-key.ts';
import type { PeerHandlers } from '../../../src/cluster/peers/peer-link.ts';
import type { PeerAddress } from '../../../src/cluster/peers/peer-sockets.ts';
import { Peers } from '../../../src/cluster/peers/peers.ts';
import { NodePeers } from '../../../src/control/peers/node-peers.ts';
import type { CommandToCall } from '../../../src/events/commands.ts';
import { nodeRecord } from '../../fakes/node-records.ts';

const opened: { close(): Promise<void> | void }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
});

const SECRET = randomBytes(16).toString('hex');
const DIGITS: CommandToCall = {
  name: 'call_command',
  call_id: 'call_1',
  workspace_id: 'ws_1',
  command: { name: 'dtmf', digits: '42', leg_id: null },
};

const never = (): Promise<never> => Promise.withResolvers<never>().promise;

/** A media node of another host: answers with what it was asked. */
async function openNode(self: string, answer?: PeerHandlers['answer']): Promise<Peers> {
  const handlers: PeerHandlers = {
    answer: answer ?? (async (question) => ({ ok: true, value: question })),
    status: () => {},
    carried: () => {},
    changed: () => {},
    reportFailure: () => {},
  };
  const counts = new PeerCounts();
  const listen = { kind: 'network', host: '127.0.0.1', port: 0 } as const;
  const keys = new PeerKeys([SECRET]);
  const node = new Peers({ self, clock: systemClock, counts, handlers, keys, listen });
  opened.push(node);
  await node.listen();
  return node;
}

/** A control of a host without nodes, and the registry in which the others have their leases. */
async function openControl(nodes: readonly (readonly [string, Peers])[], clock: Clock = systemClock) {
  const registry = new LocalRegistry(systemClock);
  for (const [incarnation, { port }] of nodes) {
    await registry.beat(nodeRecord(incarnation, { peer: `127.0.0.1:${port}` }));
  }
  const placeOf = ({ peer }: { peer: string | null }): PeerAddress | undefined =>
    peer === null ? undefined : { kind: 'network', host: '127.0.0.1', port: Number(peer.split(':')[1]) };
  const asked = { nodes: vi.fn(() => registry.nodes()) };
  const log = { warn: () => {}, error: () => {} };
  const keys = new PeerKeys([SECRET]);
  const peers = new NodePeers({ self: 'control-1', keys, registry: asked, placeOf, clock, log });
  opened.push(peers);
  return { peers, asked };
}

it('a node of another host is found by its lease, linked with, and asked', async () => {
  const node = await openNode('m0');
  const { peers, asked } = await openControl([['m0', node]]);
  const reply = await peers.ask('m0', DIGITS);
  expect(reply).toEqual({ isReached: true, result: { ok: true, value: DIGITS } });
  await peers.ask('m0', DIGITS);
  expect(asked.nodes).toHaveBeenCalledTimes(1);
  expect(peers.links).toBe(1);
});

it('a node that nobody knows, or that is gone, was reached by nothing', async () => {
  const node = await openNode('m0');
  const { peers } = await openControl([['m0', node]]);
  expect(await peers.ask('m9', DIGITS)).toMatchObject({ isReached: false, result: { fault: 'unavailable' } });
  await node.close();
  expect(await peers.ask('m0', DIGITS)).toMatchObject({ isReached: false, result: { fault: 'unavailable' } });
  expect(peers.stats.unreached).toBe(2);
});

it('another life under the same address is not the node that was meant', async () => {
  const node = await openNode('m0-later');
  const { peers } = await openControl([['m0', node]]);
  expect(await peers.ask('m0', DIGITS)).toMatchObject({ isReached: false });
});

it('a node that does not answer was reached all the same: nobody asks another', async () => {
  const node = await openNode('m0', never);
  const { peers } = await openControl([['m0', node]]);
  const reply = await peers.ask('m0', DIGITS, 20);
  expect(reply).toMatchObject({ isReached: true, result: { ok: false, fault: 'unavailable' } });
  expect(peers.counts.unansweredQuestions).toBe(1);
});

it('a node that dies with a question is no longer waited for', async () => {
  const heard = Promise.withResolvers<void>();
  const node = await openNode('m0', () => {
    heard.resolve();
    return never();
  });
  const { peers } = await openControl([['m0', node]]);
  const asking = peers.ask('m0', DIGITS, 600_000);
  await heard.promise;
  await node.close();
  expect(await asking).toMatchObject({ isReached: true, result: { ok: false, fault: 'unavailable' } });
});

it('no more than 256 questions are under way, and the rest is refused and counted', async () => {
  const node = await openNode('m0', never);
  const { peers } = await openControl([['m0', node]]);
  const first = Array.from({ length: 256 }, () => peers.ask('m0', DIGITS, 200));
  expect(await peers.ask('m0', DIGITS)).toMatchObject({ result: { ok: false, fault: 'overloaded' } });
  expect(peers.stats.refused).toBe(1);
  await Promise.all(first);
});

it('a link that nobody uses is given up', async () => {
  const node = await openNode('m0');
  const offset = { ms: 0 };
  const looks: (() => void)[] = [];
  const clock: Clock = {
    ...systemClock,
    nowMs: () => systemClock.nowMs() + offset.ms,
    after: (delayMs, task) => {
      if (delayMs !== 10_000) return systemClock.after(delayMs, task);
      looks.push(task);
      return () => {};
    },
  };
  const { peers } = await openControl([['m0', node]], clock);
  await peers.ask('m0', DIGITS);
  offset.ms = 50_000;
  looks.at(-1)!();
  expect(peers.links).toBe(1);
  offset.ms = 61_000;
  looks.at(-1)!();
  expect(peers.links).toBe(0);
  expect(await peers.ask('m0', DIGITS)).toMatchObject({ isReached: true, result: { ok: true } });
});
