import { describe, expect, it } from 'vitest';
import { readRedisAddress } from '../../../src/cluster/redis/address.ts';
import { optionsOf } from '../../../src/cluster/redis/connection.ts';

const login = { isTls: false, username: null, password: null };

describe('the address of Redis', () => {
  it('names one server, with its port or the usual one', () => {
    expect(readRedisAddress('redis://cache')).toEqual({
      kind: 'server',
      host: 'cache',
      port: 6379,
      ...login,
    });
    expect(readRedisAddress('rediss://me:p%40ss@[::1]:7000')).toEqual({
      kind: 'server',
      host: '::1',
      port: 7000,
      isTls: true,
      username: 'me',
      password: 'p@ss',
    });
  });

  it('names the Sentinels and what they call the master', () => {
    expect(readRedisAddress('redis+sentinel://:pw@s1:26380,s2/voice')).toEqual({
      kind: 'sentinel',
      name: 'voice',
      sentinels: [
        { host: 's1', port: 26_380 },
        { host: 's2', port: 26_379 },
      ],
      ...login,
      password: 'pw',
    });
  });

  it.each([
    'http://cache',
    'redis://',
    'redis://a,b',
    'redis://cache:0',
    'redis://cache:70000',
    'redis://%@cache',
    'redis+sentinel://s1,s2',
    'redis+sentinel://s1,/voice',
  ])('is refused where it is mistaken: %s', (url) => {
    expect(readRedisAddress(url)).toBeUndefined();
  });

  it('comes with options under which no command waits for long, or is sent twice', () => {
    const address = readRedisAddress('redis+sentinel://s1/voice');
    expect(address && optionsOf(address)).toMatchObject({
      name: 'voice',
      sentinels: [{ host: 's1', port: 26_379 }],
      commandTimeout: 1000,
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
      failoverDetector: true,
    });
  });
});
