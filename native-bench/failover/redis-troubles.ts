import { Redis } from 'ioredis';
import { systemClock } from '../../src/base/clock.ts';
import type { RedisServer } from '../../test/fakes/redis/server.ts';

/** What can be wrong with a Redis; each has a scene of its own, so that long ones can last side by side. */
export interface RedisTrouble {
  readonly name: `redis-${'stopped' | 'killed' | 'emptied' | 'readonly'}`;
  readonly title: string;
  /** Begins it, and answers how to end it. */
  strike(redis: RedisServer): Promise<() => Promise<void>>;
}

/** Emptied again and again: each time it is another one to those who use it. */
const EMPTIED_EVERY_MS = 1000;
/** Nobody listens there: whoever is told to follow it takes no writes, and keeps what it has. */
const NOWHERE_PORT = '1';

export const REDIS_TROUBLES: readonly RedisTrouble[] = [
  {
    name: 'redis-stopped',
    title: 'Redis stopped (SIGSTOP)',
    strike: async (redis) => {
      redis.pause();
      return async () => redis.resume();
    },
  },
  {
    name: 'redis-killed',
    title: 'Redis killed',
    strike: async (redis) => {
      await redis.kill();
      return () => redis.start();
    },
  },
  { name: 'redis-emptied', title: 'Redis emptied (FLUSHALL) each second', strike: emptyAgainAndAgain },
  {
    name: 'redis-readonly',
    title: 'Redis read-only',
    strike: async (redis) => {
      await tell(redis, (client) => client.replicaof('127.0.0.1', NOWHERE_PORT));
      return () => tell(redis, (client) => client.replicaof('NO', 'ONE'));
    },
  },
];

async function emptyAgainAndAgain(redis: RedisServer): Promise<() => Promise<void>> {
  const client = new Redis(redis.port);
  let cancel = (): void => {};
  const empty = async (): Promise<void> => {
    await client.flushall();
    cancel = systemClock.after(EMPTIED_EVERY_MS, () => void empty().catch(() => {}));
  };
  await empty();
  return async () => {
    cancel();
    client.disconnect();
  };
}

async function tell(redis: RedisServer, command: (client: Redis) => Promise<unknown>): Promise<void> {
  const client = new Redis(redis.port);
  try {
    await command(client);
  } finally {
    client.disconnect();
  }
}
