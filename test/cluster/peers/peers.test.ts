import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { systemClock, type Clock } from '../../../src/base/clock.ts';
import { PeerCounts } from '../../../src/cluster/peers/peer-counts.ts';
import { FRAME, frameHead } from '../../../src/cluster/peers/peer-frames.ts';
import { PeerKeys } from '../../../src/cluster/peers/peer-key.ts';
import type { PeerHandlers } from '../../../src/cluster/peers/peer-link.ts';
import type { PeerAddress } from '../../../src/cluster/peers/peer-sockets.ts';
import { Peers } from '../../../src/cluster/peers/peers.ts';

const ANY: PeerAddress = { kind: 'network', host: '127.0.0.1', port: 0 };
const opened: Peers[] = [];

afterEach(async () => {
  await Promise.all(opened.splice(0).map((peers) => peers.close()));
});

interface Node {
  readonly peers: Peers;
  readonly counts: PeerCounts;
  readonly heard: string[];
}

async function openNode(self: string, options: Partial<NodeOptions> = {}): Promise<Node> {
  const counts = new PeerCounts();
  const heard: string[] = [];
  const handlers: PeerHandlers = {
    answer: async (question) => ({ ok: true, value: question }),
    status: (status) => void heard.push(JSON.stringify(status)),
    carried: (type, handle, payload) => void heard.push(`${type} ${handle} ${payload.toString()}`),
    changed: (state) => void heard.push(state.name),
    reportFailure: (error) => void heard.push(String(error)),
    ...options.handlers,
  };
  const keys = new PeerKeys(options.secrets ?? ['shared secret']);
  const listen = options.listen ?? ANY;
  const { clock = systemClock } = options;
  const peers = new Peers({ self, clock, counts, handlers, keys, listen });
  opened.push(peers);
  await peers.listen();
  return { peers, counts, heard };
}

interface NodeOptions {
  readonly secrets: readonly [string, ...string[]];
  readonly listen: PeerAddress;
  readonly clock: Clock;
  readonly handlers: Partial<PeerHandlers>;
}

function addressOf({ peers }: Node): PeerAddress {
  return { kind: 'network', host: '127.0.0.1', port: peers.port! };
}

async function linked(from: Node, to: string): Promise<void> {
  await vi.waitFor(() => expect(from.peers.stateOf(to)).toEqual({ name: 'open', peer: to }));
}

describe('two nodes that share a secret', () => {
  it('ask each other, each by its number', async () => {
    const [a, b] = [await openNode('a'), await openNode('b')];
    b.peers.meet('a', addressOf(a));
    await linked(b, 'a');
    const asked = ['call_1', 'call_2'].map((call_id) => b.peers.find('a')!.ask({ name: 'holds', call_id }));
    expect(await Promise.all(asked)).toEqual([
      { ok: true, value: { name: 'holds', call_id: 'call_1' } },
      { ok: true, value: { name: 'holds', call_id: 'call_2' } },
    ]);
  });

  it('carry out commands for each other’s calls', async () => {
    const [a, b] = [await openNode('a'), await openNode('b')];
    b.peers.meet('a', addressOf(a));
    await linked(b, 'a');
    const commands = [
      { name: 'hold', on: true, source: 'music' },
      { name: 'invite', role: 'human', mode: null },
      { name: 'qualify', score: 1, threshold: null, criteria: {} },
    ] as const;
    for (const command of commands) {
      const question = { name: 'call_command', call_id: 'call_1', workspace_id: 'ws_1', command } as const;
      expect(await b.peers.find('a')!.ask(question)).toEqual({ ok: true, value: question });
    }
  });

  it('carry frames in order, and tell how they stand', async () => {
    const [a, b] = [await openNode('a'), await openNode('b')];
    b.peers.meet('a', addressOf(a));
    await linked(b, 'a');
    const link = b.peers.find('a')!;
    for (let handle = 0; handle < 200; handle++) link.carry(FRAME.carried, handle, Buffer.from('voice'));
    b.peers.tell({ state: 'draining' });
    await vi.waitFor(() => expect(a.heard.at(-1)).toBe('{"state":"draining"}'));
    const carried = a.heard.filter((line) => line.startsWith('16'));
    expect(carried).toEqual(Array.from({ length: 200 }, (_, handle) => `16 ${handle} voice`));
  });

  it('hear at once that the other is gone, and every question is answered', async () => {
    const a = await openNode('a', { handlers: { answer: () => Promise.withResolvers<never>().promise } });
    const b = await openNode('b');
    b.peers.meet('a', addressOf(a));
    await linked(b, 'a');
    const asked = b.peers.find('a')!.ask({ name: 'holds', call_id: 'call_1' }, 600_000);
    await a.peers.close();
    expect(await asked).toMatchObject({ ok: false, fault: 'unavailable' });
    await vi.waitFor(() => expect(b.peers.stateOf('a')).toEqual({ name: 'closed', why: 'refused' }));
    expect(b.counts.unansweredQuestions).toBe(1);
  });

  it('wait no longer for an answer than they said', async () => {
    const a = await openNode('a', { handlers: { answer: () => Promise.withResolvers<never>().promise } });
    const b = await openNode('b');
    b.peers.meet('a', addressOf(a));
    await linked(b, 'a');
    const answer = await b.peers.find('a')!.ask({ name: 'give', call_id: 'call_1', to: 'b' }, 5);
    expect(answer).toMatchObject({ ok: false, fault: 'unavailable' });
  });

  it('meet in the run directory of one host, too', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'peers-'));
    try {
      const listen: PeerAddress = { kind: 'host', path: join(directory, 'a.sock') };
      await openNode('a', { listen });
      const b = await openNode('b');
      b.peers.meet('a', listen);
      await linked(b, 'a');
      expect(await b.peers.find('a')!.ask({ name: 'holds', call_id: 'c' })).toMatchObject({ ok: true });
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it('take the older secret of a ring while it turns', async () => {
    const a = await openNode('a', { secrets: ['new secret', 'shared secret'] });
    const b = await openNode('b');
    b.peers.meet('a', addressOf(a));
    await linked(b, 'a');
    expect(a.counts.strangers).toBe(0);
  });
});

describe('a node lets in no', () => {
  it('peer with another secret', async () => {
    const [a, b] = [await openNode('a'), await openNode('b', { secrets: ['another'] })];
    b.peers.meet('a', addressOf(a));
    await vi.waitFor(() => expect(b.counts.failedDials).toBeGreaterThan(0));
    await vi.waitFor(() => expect(a.counts.strangers).toBeGreaterThan(0));
    expect(b.peers.find('a')).toBeUndefined();
    expect(a.heard).toEqual([]);
  });

  it('garbage', async () => {
    const a = await openNode('a');
    const socket = connect({ host: '127.0.0.1', port: a.peers.port! });
    socket.on('error', () => socket.destroy());
    const closed = new Promise((resolve) => void socket.once('close', resolve));
    socket.resume().write('GET / HTTP/1.1\r\n\r\n');
    await closed;
    await vi.waitFor(() => expect(a.counts.strangers).toBe(1));
  });

  it('garbage behind a good socket', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'peers-'));
    const path = join(directory, 'a.sock');
    try {
      const a = await openNode('a', { listen: { kind: 'host', path } });
      const socket = connect({ path });
      const closed = new Promise((resolve) => void socket.once('close', resolve));
      socket.resume().write(frameHead(FRAME.question, 1, 0));
      await closed;
      expect(a.counts.malformed).toBe(1);
      expect(a.heard).toEqual(['closed']);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it('other incarnation than the one that was meant', async () => {
    const [a, b] = [await openNode('a-2'), await openNode('b')];
    b.peers.meet('a-1', addressOf(a));
    await vi.waitFor(() => expect(b.peers.stateOf('a-1')).toEqual({ name: 'closed', why: 'refused' }));
    expect(b.peers.find('a-1')).toBeUndefined();
  });
});

it('a peer comes in although strangers hold every place', async () => {
  const [a, b] = [await openNode('a'), await openNode('b')];
  const strangers = await Promise.all(Array.from({ length: 512 }, () => silentAt(a.peers.port!)));
  b.peers.meet('a', addressOf(a));
  await linked(b, 'a');
  expect(a.counts.turnedAway).toBeGreaterThan(0);
  for (const stranger of strangers) stranger.destroy();
});

async function silentAt(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1').on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

it('a peer that stops reading loses its link', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'peers-'));
  const path = join(directory, 'a.sock');
  let stuck = false;
  try {
    const a = await openNode('a', {
      listen: { kind: 'host', path },
      handlers: {
        changed: (state, link) => {
          if (state.name !== 'open') return;
          const payload = Buffer.alloc(256 * 1024);
          for (let count = 0; count < 100 && link.carry(FRAME.carried, 1, payload); count++);
          stuck = link.state.name === 'closed';
        },
      },
    });
    const socket = connect({ path });
    socket.on('error', () => socket.destroy());
    const hello = Buffer.from('{"version":1,"incarnation":"b"}');
    socket.write(Buffer.concat([frameHead(FRAME.hello, 0, hello.length), hello]));
    await vi.waitFor(() => expect(a.counts.stalled).toBe(1));
    expect(stuck).toBe(true);
    socket.destroy();
  } finally {
    rmSync(directory, { recursive: true });
  }
});

describe('a link that breaks', () => {
  it('is dialled again at once where it had held, for its node may be there still', async () => {
    const offset = { ms: 0 };
    const delaysMs: number[] = [];
    const clock: Clock = {
      ...systemClock,
      nowMs: () => systemClock.nowMs() + offset.ms,
      after: (delayMs, task) => {
        delaysMs.push(delayMs);
        return systemClock.after(delayMs, task);
      },
    };
    const [a, b] = [await openNode('a'), await openNode('b', { clock })];
    b.peers.meet('a', addressOf(a));
    await linked(b, 'a');
    offset.ms = 1_000;
    delaysMs.length = 0;
    b.peers.find('a')!.close();
    await vi.waitFor(() => expect(b.peers.find('a')).toBeDefined());
    expect(Math.min(...delaysMs)).toBeLessThanOrEqual(5);
    delaysMs.length = 0;
    b.peers.find('a')!.close();
    await linked(b, 'a');
    // One that breaks again and again is not.
    expect(Math.min(...delaysMs)).toBeGreaterThan(40);
  });
});
