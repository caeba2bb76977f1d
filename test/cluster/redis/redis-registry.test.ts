import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { readRedisAddress } from '../../../src/cluster/redis/address.ts';
import { COMMAND_TIMEOUT_MS, RedisConnection } from '../../../src/cluster/redis/connection.ts';
import { RedisRegistry } from '../../../src/cluster/redis/redis-registry.ts';
import { nodeRecord } from '../../fakes/node-records.ts';
import { RedisServer } from '../../fakes/redis/server.ts';
import { describeRegistry } from '../registry-contract.ts';

let server: RedisServer;
let registry: RedisRegistry;
let connection: RedisConnection;

beforeAll(async () => {
  server = await RedisServer.open();
  const address = readRedisAddress(`redis://127.0.0.1:${server.port}`);
  if (address === undefined) throw new Error('not an address');
  connection = new RedisConnection({ address });
  registry = new RedisRegistry({ connection, region: 'local', clock: systemClock });
  await answered();
});

afterAll(async () => {
  registry.close();
  await server.close();
});

/** Beats until one is answered. */
async function answered(): Promise<NonNullable<Awaited<ReturnType<RedisRegistry['beat']>>>> {
  for (;;) {
    const answer = await registry.beat(nodeRecord('n0'));
    if (answer !== undefined) return answer;
    await pause(20);
  }
}

const wish = { callId: 'call_kept', reason: 'new', expectedOwner: null, tokenFloor: 0 } as const;

describe('the registry in Redis', () => {
  describeRegistry(() => registry);

  it('answers in time when Redis hangs, asks no more, and comes back with a beat', async () => {
    server.pause();
    expect(await registry.claim('n0', wish)).toEqual({ result: 'unavailable' });
    expect(await registry.find('call_kept')).toBe('unavailable');
    const before = registry.counts.unasked;
    expect(await registry.find('call_kept')).toBe('unavailable');
    expect(registry.counts.unasked).toBe(before + 1);
    server.resume();
    await answered();
    expect(connection.circuit.isOpen).toBe(false);
    // The claim that had no answer was run all the same: asked for again, it is the claimer's own.
    expect(await registry.claim('n0', wish)).toMatchObject({ result: 'claimed' });
  });

  it('is not taken for silent by an event loop that stood still itself', async () => {
    const asked = [1, 2, 3].map(async (n) => {
      // Said at once; the answers wait in the socket while nobody reads.
      const answer = await registry.claim('n0', { ...wish, callId: `call_late_${n}` });
      return answer.result;
    });
    const untilMs = systemClock.nowMs() + COMMAND_TIMEOUT_MS + 100;
    while (systemClock.nowMs() < untilMs);
    expect(await Promise.all(asked)).toEqual(['claimed', 'claimed', 'claimed']);
    expect(connection.circuit.isOpen).toBe(false);
  });

  it('names a new epoch when Redis lost its data, and takes back what living owners save', async () => {
    const { epoch } = await answered();
    const claim = await registry.claim('n0', { ...wish, callId: 'call_lost' });
    if (claim.result !== 'claimed') throw new Error('not claimed');
    await server.kill();
    expect(await registry.find('call_lost')).toBe('unavailable');
    await server.start();
    expect((await answered()).epoch).not.toBe(epoch);
    expect(await registry.find('call_lost')).toBe('unknown');
    const save = { callId: 'call_lost', token: claim.token, sequence: 4, snapshot: '{}' };
    expect(await registry.save('n0', save)).toBe('saved');
    const again = await registry.claim('n1', {
      ...wish,
      callId: 'call_lost',
      reason: 'arrival',
      expectedOwner: 'n0',
    });
    expect(again.result === 'claimed' && again.token > claim.token).toBe(true);
  });

  it('is as down while Redis takes no writes', async () => {
    const { Redis } = await import('ioredis');
    const operator = new Redis({ host: '127.0.0.1', port: server.port });
    await operator.replicaof('127.0.0.1', 1);
    expect(await registry.beat(nodeRecord('n0'))).toBeUndefined();
    await operator.replicaof('NO', 'ONE');
    operator.disconnect();
    await answered();
  });
});
