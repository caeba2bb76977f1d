import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Cluster } from '../../test/fakes/postgres/cluster.ts';
import { RedisServer } from '../../test/fakes/redis/server.ts';
import { Remote } from '../load/remote.ts';
import { killDescendants } from '../machine.ts';
import { pause } from '../scene/phases.ts';
import { BenchHost, freePorts, portsOf } from './bench-host.ts';
import type { RedisTrouble } from './redis-troubles.ts';

/** What stands in a scene. */
interface SceneWish {
  readonly hosts: number;
  readonly nodesPerHost: number;
  /** Each host is a region of its own, with a Redis of its own; else they share one. */
  readonly areRegions: boolean;
  /** Hosts that share their store have it in PostgreSQL. */
  readonly withPostgres: boolean;
}

const ASKED_MAX = 20;
const AGAIN_AFTER_MS = 500;

export type SceneName = 'cluster' | 'regions' | RedisTrouble['name'];

const ONE_HOST = { hosts: 1, nodesPerHost: 2, areRegions: false, withPostgres: false } as const;
const SCENES: { readonly [Name in SceneName]: SceneWish } = {
  cluster: { hosts: 2, nodesPerHost: 2, areRegions: false, withPostgres: true },
  regions: { hosts: 2, nodesPerHost: 1, areRegions: true, withPostgres: true },
  'redis-stopped': ONE_HOST,
  'redis-killed': ONE_HOST,
  'redis-emptied': ONE_HOST,
  'redis-readonly': ONE_HOST,
};

interface Closable {
  close(): Promise<void> | void;
}

/** Credentials of a scene: where the two kinds of callers call. */
export interface Credentials {
  readonly native: string;
  readonly twilio: string;
}

/** Hosts, each a whole `omnivoice serve`, with what they share, a hook receiver and the callers. */
export class ClusterScene {
  readonly hosts: BenchHost[] = [];
  readonly redis: RedisServer[] = [];
  readonly #opened: Closable[] = [];
  /** What cannot wait for `close`, because the bench itself is on its way out. */
  #lastWill = (): void => {};
  readonly #onExit = (): void => {
    killDescendants(process.pid);
    this.#lastWill();
    for (const { house } of this.hosts) remove(house.dataDir);
  };
  receiver!: Remote;
  crowd!: Remote;
  credentials!: Credentials;

  static async open(name: SceneName): Promise<ClusterScene> {
    const scene = new ClusterScene();
    process.on('exit', scene.#onExit);
    try {
      await scene.#open(SCENES[name]);
      return scene;
    } catch (error) {
      await scene.close();
      throw error;
    }
  }

  /** In reverse: nobody loses what it stands on. */
  async close(): Promise<void> {
    for (const one of this.#opened.splice(0).reverse()) await one.close();
    process.off('exit', this.#onExit);
  }

  async #open({ hosts, nodesPerHost, areRegions, withPostgres }: SceneWish): Promise<void> {
    const shared = { ...sharedSecrets(), ...(withPostgres ? await this.#openPostgres() : {}) };
    for (let i = 0; i < (areRegions ? hosts : 1); i++) await this.#openRedis();
    const ports = await freePorts(hosts * portsOf(nodesPerHost));
    const portOf = (host: number): number => ports + host * portsOf(nodesPerHost);
    const regions = areRegions ? this.#writeRegions(portOf) : undefined;
    for (let i = 0; i < hosts; i++) {
      const redis = this.redis[areRegions ? i : 0]!;
      const region = regions === undefined ? {} : { REGION: regionName(i), REGIONS_DIR: regions };
      const settings = { ...shared, ...region, REDIS_URL: urlOf(redis) };
      const host = await BenchHost.open({ nodes: nodesPerHost, port: portOf(i), settings });
      this.hosts.push(this.#own(host));
    }
    this.receiver = this.#own(Remote.open(resolve(import.meta.dirname, '../scene/receiver-process.ts')));
    this.crowd = this.#own(Remote.open(resolve(import.meta.dirname, 'crowd-process.ts')));
    await this.#furnish();
  }

  async #openPostgres(): Promise<{ readonly DATABASE_URL: string }> {
    const folder = mkdtempSync(join(tmpdir(), 'omnivoice-failover-'));
    const postgres = new Cluster(folder);
    this.#own({ close: () => postgres.remove() });
    this.#lastWill = () => {
      endPostgres(folder);
      remove(folder);
    };
    await postgres.make();
    return { DATABASE_URL: postgres.urlOf('postgres') };
  }

  /** One region for each Redis, each the neighbour of the others. */
  #writeRegions(portOf: (host: number) => number): string {
    const folder = mkdtempSync(join(tmpdir(), 'omnivoice-regions-'));
    this.#own({ close: () => rmSync(folder, { recursive: true }) });
    const names = this.redis.map((_, i) => regionName(i));
    for (const [i, name] of names.entries()) {
      const neighbours = names.filter((other) => other !== name);
      const places = { wss: `ws://127.0.0.1:${portOf(i)}`, redis: urlOf(this.redis[i]!) };
      const region = { name, address: null, ...places, neighbours, limits: {} };
      writeFileSync(join(folder, `${name}.json`), JSON.stringify(region));
    }
    return folder;
  }

  async #openRedis(): Promise<void> {
    this.redis.push(this.#own(await RedisServer.open()));
  }

  async #furnish(): Promise<void> {
    const { house } = this.hosts[0]!;
    const url = `http://127.0.0.1:${await this.receiver.ask<number>('port')}/hooks`;
    await patiently(() => house.api('POST', '/webhooks', { url, events: ['*'] }));
    const lend = async (dialect: string): Promise<string> => {
      const wish = { dialect, agent_id: 'echo' };
      const ask = () => house.api<{ url: string }>('POST', '/voice/stream-credentials', wish);
      return (await patiently(ask)).url;
    };
    this.credentials = { native: await lend('native'), twilio: await lend('twilio') };
  }

  #own<T extends Closable>(one: T): T {
    this.#opened.push(one);
    return one;
  }
}

/** Just started, on a machine that has much to do, an API may be too busy for a moment. */
async function patiently<T>(ask: () => Promise<T>): Promise<T> {
  for (let asked = 1; ; asked++) {
    try {
      return await ask();
    } catch (error) {
      if (asked === ASKED_MAX) throw error;
      await pause(AGAIN_AFTER_MS);
    }
  }
}

/** It is nobody's child; SIGQUIT is its immediate shutdown, which ends its own, too. */
function endPostgres(folder: string): void {
  try {
    const [pid] = readFileSync(join(folder, 'data/postmaster.pid'), 'utf8').split('\n');
    process.kill(Number(pid), 'SIGQUIT');
  } catch {
    // It was never started, or has left.
  }
}

/** Whoever is just leaving may still write there. */
function remove(folder: string): void {
  try {
    rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  } catch {
    // In the folder for what is temporary: nobody misses it.
  }
}

const regionName = (index: number): string => `bench-${index}`;
const urlOf = ({ port }: RedisServer): string => `redis://127.0.0.1:${port}`;

function sharedSecrets(): { readonly [name: string]: string } {
  return {
    PEER_SECRET: randomBytes(32).toString('hex'),
    SIGNING_SECRET: randomBytes(32).toString('hex'),
    ENCRYPTION_KEYS: `bench:${randomBytes(32).toString('base64')}`,
    RESUME_WINDOW_MS: '30000',
    // The load is what is measured: a late machine must show in the figures, not refuse the load.
    LOOP_DELAY_MAX_MS: '0',
    LOOP_BUSY_MAX_RATIO: '0',
  };
}
