import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Cluster } from '../../test/fakes/postgres/cluster.ts';
import { RedisServer } from '../../test/fakes/redis/server.ts';
import { Remote } from '../load/remote.ts';
import { BenchHost } from './bench-host.ts';

/** What stands in a scene. */
export interface SceneWish {
  readonly hosts: number;
  readonly nodesPerHost: number;
  /** A Redis for each host, as where each is a region of its own; else they share one. */
  readonly redisEach?: boolean;
  /** Hosts that share their store have it in PostgreSQL. */
  readonly withPostgres: boolean;
}

interface Closable {
  close(): Promise<void> | void;
}

/** What cannot wait for `close`: the bench itself is on its way out. */
type LastWill = () => void;

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
  readonly #lastWills: LastWill[] = [];
  readonly #onExit = (): void => {
    for (const one of this.#lastWills.toReversed()) one();
  };
  receiver!: Remote;
  crowd!: Remote;
  credentials!: Credentials;

  static async open(wish: SceneWish): Promise<ClusterScene> {
    const scene = new ClusterScene();
    process.on('exit', scene.#onExit);
    try {
      await scene.#open(wish);
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

  async #open({ hosts, nodesPerHost, redisEach = false, withPostgres }: SceneWish): Promise<void> {
    const shared = { ...sharedSecrets(), ...(withPostgres ? await this.#openPostgres() : {}) };
    for (let i = 0; i < (redisEach ? hosts : 1); i++) await this.#openRedis();
    for (let i = 0; i < hosts; i++) {
      const { port } = this.redis[redisEach ? i : 0]!;
      const settings = { ...shared, REDIS_URL: `redis://127.0.0.1:${port}` };
      const host = this.#own(await BenchHost.open({ nodes: nodesPerHost, settings }));
      this.#lastWills.push(() => host.lose());
      this.hosts.push(host);
    }
    this.receiver = this.#own(Remote.open(resolve(import.meta.dirname, '../scene/receiver-process.ts')));
    this.crowd = this.#own(Remote.open(resolve(import.meta.dirname, 'crowd-process.ts')));
    await this.#furnish();
  }

  async #openPostgres(): Promise<{ readonly DATABASE_URL: string }> {
    const folder = mkdtempSync(join(tmpdir(), 'omnivoice-failover-'));
    const postgres = new Cluster(folder);
    this.#own({ close: () => postgres.remove() });
    await postgres.make();
    const [pid] = readFileSync(join(folder, 'data/postmaster.pid'), 'utf8').split('\n');
    // SIGQUIT is its immediate shutdown, which ends its children, too.
    this.#lastWills.push(() => process.kill(Number(pid), 'SIGQUIT'));
    return { DATABASE_URL: postgres.urlOf('postgres') };
  }

  async #openRedis(): Promise<void> {
    const redis = this.#own(await RedisServer.open());
    this.#lastWills.push(() => void redis.kill());
    this.redis.push(redis);
  }

  async #furnish(): Promise<void> {
    const { house } = this.hosts[0]!;
    const url = `http://127.0.0.1:${await this.receiver.ask<number>('port')}/hooks`;
    await house.api('POST', '/webhooks', { url, events: ['*'] });
    const lend = async (dialect: string): Promise<string> => {
      const wish = { dialect, agent_id: 'echo' };
      return (await house.api<{ url: string }>('POST', '/voice/stream-credentials', wish)).url;
    };
    this.credentials = { native: await lend('native'), twilio: await lend('twilio') };
  }

  #own<T extends Closable>(one: T): T {
    this.#opened.push(one);
    return one;
  }
}

function sharedSecrets(): { readonly [name: string]: string } {
  return {
    PEER_SECRET: randomBytes(32).toString('hex'),
    SIGNING_SECRET: randomBytes(32).toString('hex'),
    ENCRYPTION_KEYS: `bench:${randomBytes(32).toString('base64')}`,
    RESUME_WINDOW_MS: '30000',
    // The load is what is measured: a late machine must show in the figures, not refuse the load.
    LOOP_DELAY_MAX_MS: '0',
  };
}
