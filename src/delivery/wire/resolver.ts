import { Resolver } from 'node:dns/promises';
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { sleep, type AtMs, type Clock } from '../../base/clock.ts';
import { messageOf, VoiceError } from '../../base/errors.ts';
import { hostOf } from './guard.ts';

/** What the house asks of DNS. */
export interface DnsClient {
  resolve4(host: string): Promise<readonly DnsAnswer[]>;
  resolve6(host: string): Promise<readonly DnsAnswer[]>;
}

export interface DnsAnswer {
  readonly address: string;
  readonly ttlS: number;
}

/** How often the cache knew, and how often it had to ask or to forget. */
export interface ResolverStats {
  hits: number;
  misses: number;
  failures: number;
  evicted: number;
}

/** A name that has no address, or whose server does not answer. */
export class ResolveError extends VoiceError {
  override readonly name = 'ResolveError';
}

type CacheEntry =
  | { readonly expiresAtMs: AtMs; readonly addresses: readonly string[] }
  | { readonly expiresAtMs: AtMs; readonly failure: string };

export interface ResolverOptions {
  readonly dns?: DnsClient;
  readonly hostsFile?: string;
}

const TTL_MS_MIN = 30_000;
const TTL_MS_MAX = 60_000;
const NEGATIVE_TTL_MS = 5_000;
const HOSTS_TTL_MS = 10_000;
const NAMES_MAX = 2_000;
// RFC 8305 §3: how long a good answer of one family waits for the other.
const RESOLUTION_DELAY_MS = 50;
const LOOPBACK: readonly string[] = ['127.0.0.1', '::1'];

/**
 * Names to addresses through c-ares: `dns.lookup` shares four threads with every file read, so that some dead
 * names would hold up all others (delivery.md §3.5). c-ares knows no `/etc/hosts`, so that is read here.
 */
export class HostResolver {
  readonly stats: ResolverStats = { hits: 0, misses: 0, failures: 0, evicted: 0 };
  readonly #clock: Clock;
  readonly #dns: DnsClient;
  readonly #hostsFile: string;
  readonly #cache = new Map<string, CacheEntry>();
  readonly #asking = new Map<string, Promise<CacheEntry>>();
  #hosts: { readonly expiresAtMs: AtMs; readonly names: ReadonlyMap<string, readonly string[]> } | undefined;

  constructor(clock: Clock, options: ResolverOptions = {}) {
    this.#clock = clock;
    this.#dns = options.dns ?? caresClient();
    this.#hostsFile = options.hostsFile ?? '/etc/hosts';
  }

  /** Addresses of `host`, IPv4 first; throws `ResolveError` when it has none. */
  async resolve(host: string): Promise<readonly string[]> {
    const name = hostOf(host);
    const cached = this.#cache.get(name);
    if (cached !== undefined && cached.expiresAtMs > this.#clock.nowMs()) {
      this.stats.hits++;
      return addressesOf(name, cached);
    }
    return addressesOf(name, await (this.#asking.get(name) ?? this.#ask(name)));
  }

  #ask(name: string): Promise<CacheEntry> {
    this.stats.misses++;
    const asking = this.#lookUp(name).then((entry) => {
      this.#asking.delete(name);
      this.#remember(name, entry);
      return entry;
    });
    this.#asking.set(name, asking);
    return asking;
  }

  async #lookUp(name: string): Promise<CacheEntry> {
    if (name === 'localhost' || name.endsWith('.localhost')) return this.#found(LOOPBACK, TTL_MS_MAX);
    const listed = (await this.#hostsNames()).get(name);
    if (listed !== undefined) return this.#found(listed, HOSTS_TTL_MS);
    try {
      const answers = await this.#askBothFamilies(name);
      const ttlMs = Math.min(...answers.map((answer) => answer.ttlS)) * 1000;
      const addresses = answers.map((answer) => answer.address);
      return this.#found(addresses, Math.min(Math.max(ttlMs, TTL_MS_MIN), TTL_MS_MAX));
    } catch (error) {
      this.stats.failures++;
      return { expiresAtMs: this.#clock.nowMs() + NEGATIVE_TTL_MS, failure: messageOf(error) };
    }
  }

  async #askBothFamilies(name: string): Promise<readonly DnsAnswer[]> {
    const first = this.#dns.resolve4(name);
    let second: Promise<readonly DnsAnswer[]> = this.#dns.resolve6(name).catch(() => []);
    const fourth = await first.catch((error: unknown) => error);
    if (Array.isArray(fourth) && fourth.length > 0) {
      second = Promise.race([second, sleep(this.#clock, RESOLUTION_DELAY_MS).then(() => [])]);
      return [...(fourth as DnsAnswer[]), ...(await second)];
    }
    const sixth = await second;
    if (sixth.length === 0) throw fourth instanceof Error ? fourth : new Error('no address');
    return sixth;
  }

  #found(addresses: readonly string[], ttlMs: number): CacheEntry {
    return { expiresAtMs: this.#clock.nowMs() + ttlMs, addresses };
  }

  #remember(name: string, entry: CacheEntry): void {
    // Re-entered at the end, so that the first of the map is the one asked longest ago.
    this.#cache.delete(name);
    this.#cache.set(name, entry);
    if (this.#cache.size <= NAMES_MAX) return;
    for (const oldest of this.#cache.keys()) {
      this.#cache.delete(oldest);
      this.stats.evicted++;
      return;
    }
  }

  async #hostsNames(): Promise<ReadonlyMap<string, readonly string[]>> {
    if (this.#hosts !== undefined && this.#hosts.expiresAtMs > this.#clock.nowMs()) return this.#hosts.names;
    // A machine without the file resolves by DNS alone.
    const text = await readFile(this.#hostsFile, 'utf8').catch(() => '');
    const names = parseHosts(text);
    this.#hosts = { expiresAtMs: this.#clock.nowMs() + HOSTS_TTL_MS, names };
    return names;
  }
}

/** Names and their addresses, out of the text of a hosts file. */
export function parseHosts(text: string): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const [address = '', ...names] = line.replace(/#.*/, '').trim().split(/\s+/);
    if (isIP(address) === 0) continue;
    for (const name of names.map(hostOf)) found.set(name, [...(found.get(name) ?? []), address]);
  }
  return found;
}

function addressesOf(name: string, entry: CacheEntry): readonly string[] {
  if ('addresses' in entry) return entry.addresses;
  throw new ResolveError('unavailable', `${name}: ${entry.failure}`);
}

function caresClient(): DnsClient {
  const resolver = new Resolver({ timeout: 1000, tries: 1 });
  const answered = (records: readonly { address: string; ttl: number }[]): readonly DnsAnswer[] =>
    records.map(({ address, ttl }) => ({ address, ttlS: ttl }));
  return {
    resolve4: async (host) => answered(await resolver.resolve4(host, { ttl: true })),
    resolve6: async (host) => answered(await resolver.resolve6(host, { ttl: true })),
  };
}
