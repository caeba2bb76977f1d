import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  HostResolver,
  parseHosts,
  ResolveError,
  type DnsAnswer,
  type DnsClient,
} from '../../../src/delivery/wire/resolver.ts';
import { FakeClock } from '../../fakes/clock.ts';
import { until } from '../../fakes/until.ts';

class ScriptedDns implements DnsClient {
  readonly asked: string[] = [];
  readonly v4 = new Map<string, readonly DnsAnswer[] | Promise<readonly DnsAnswer[]>>();
  readonly v6 = new Map<string, readonly DnsAnswer[] | Promise<readonly DnsAnswer[]>>();

  async resolve4(host: string): Promise<readonly DnsAnswer[]> {
    this.asked.push(host);
    return this.#answer(this.v4, host);
  }

  async resolve6(host: string): Promise<readonly DnsAnswer[]> {
    return this.#answer(this.v6, host);
  }

  #answer(of: ReadonlyMap<string, readonly DnsAnswer[] | Promise<readonly DnsAnswer[]>>, host: string) {
    const answer = of.get(host);
    if (answer === undefined) throw new Error(`queryA ENOTFOUND ${host}`);
    return answer;
  }
}

const clock = new FakeClock();
let folder: string;
let dns: ScriptedDns;
let resolver: HostResolver;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'omnivoice-hosts-'));
  writeFileSync(
    join(folder, 'hosts'),
    '127.0.0.1 localhost\n# 10.9.9.9 ghost\n10.0.0.7\tBox box.lan # ours\n',
  );
  dns = new ScriptedDns();
  resolver = new HostResolver(clock, { dns, hostsFile: join(folder, 'hosts') });
});
afterEach(() => rmSync(folder, { recursive: true }));

const answer = (address: string, ttlS = 300): DnsAnswer => ({ address, ttlS });

describe('a host', () => {
  it('has the addresses of both families, IPv4 first', async () => {
    dns.v4.set('a.example', [answer('1.1.1.1')]);
    dns.v6.set('a.example', [answer('2606:4700::1')]);
    expect(await resolver.resolve('A.Example.')).toEqual(['1.1.1.1', '2606:4700::1']);
  });

  it('with IPv6 alone is found', async () => {
    dns.v6.set('six.example', [answer('2606:4700::1')]);
    expect(await resolver.resolve('six.example')).toEqual(['2606:4700::1']);
  });

  it('does not wait long for a name server that keeps silent about IPv6', async () => {
    dns.v4.set('b.example', [answer('1.1.1.1')]);
    dns.v6.set('b.example', new Promise(() => undefined));
    let found: readonly string[] = [];
    void resolver.resolve('b.example').then((addresses) => {
      found = addresses;
    });
    await until(() => {
      clock.advance(10);
      return found.length > 0;
    });
    expect(found).toEqual(['1.1.1.1']);
  });

  it('named localhost, or listed in the hosts file, asks no server', async () => {
    expect(await resolver.resolve('localhost')).toEqual(['127.0.0.1', '::1']);
    expect(await resolver.resolve('app.localhost.')).toEqual(['127.0.0.1', '::1']);
    expect(await resolver.resolve('box')).toEqual(['10.0.0.7']);
    expect(await resolver.resolve('BOX.LAN')).toEqual(['10.0.0.7']);
    await expect(resolver.resolve('ghost')).rejects.toThrow(ResolveError);
    expect(dns.asked).toEqual(['ghost']);
  });
});

describe('an answer', () => {
  it('is kept for its time to live, but 30 s at least and 60 s at most', async () => {
    dns.v4.set('short.example', [answer('1.1.1.1', 1)]);
    dns.v4.set('long.example', [answer('1.1.1.2', 86_400)]);
    await resolver.resolve('short.example');
    await resolver.resolve('long.example');
    clock.advance(29_000);
    await resolver.resolve('short.example');
    expect(dns.asked).toHaveLength(2);
    clock.advance(2_000);
    await resolver.resolve('short.example');
    await resolver.resolve('long.example');
    expect(dns.asked).toEqual(['short.example', 'long.example', 'short.example']);
    clock.advance(30_000);
    await resolver.resolve('long.example');
    expect(dns.asked.at(-1)).toBe('long.example');
    expect(resolver.stats).toMatchObject({ hits: 2, misses: 4 });
  });

  it('that there is none is kept for 5 s', async () => {
    await expect(resolver.resolve('dead.example')).rejects.toThrow('ENOTFOUND');
    await expect(resolver.resolve('dead.example')).rejects.toThrow(ResolveError);
    expect(dns.asked).toHaveLength(1);
    clock.advance(5_001);
    dns.v4.set('dead.example', [answer('1.1.1.1')]);
    expect(await resolver.resolve('dead.example')).toEqual(['1.1.1.1']);
    expect(resolver.stats.failures).toBe(1);
  });

  it('is asked for once, however many wait for it', async () => {
    dns.v4.set('busy.example', [answer('1.1.1.1')]);
    const found = await Promise.all(Array.from({ length: 50 }, () => resolver.resolve('busy.example')));
    expect(new Set(found.flat())).toEqual(new Set(['1.1.1.1']));
    expect(dns.asked).toHaveLength(1);
  });

  it('of long ago makes room for a new one', async () => {
    for (let i = 0; i < 2_001; i++) {
      dns.v4.set(`n${i}.example`, [answer('1.1.1.1')]);
      dns.v6.set(`n${i}.example`, []);
      await resolver.resolve(`n${i}.example`);
    }
    expect(resolver.stats.evicted).toBe(1);
    await resolver.resolve('n0.example');
    expect(resolver.stats.misses).toBe(2_002);
  });
});

it('a hosts file gives a name all of its addresses and skips what is no address', () => {
  const names = parseHosts('1.1.1.1 a b\r\n::1 a\n\nnonsense c\n#1.1.1.2 d\n');
  expect([...names]).toEqual([
    ['a', ['1.1.1.1', '::1']],
    ['b', ['1.1.1.1']],
  ]);
});
