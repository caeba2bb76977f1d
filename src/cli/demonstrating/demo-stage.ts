import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../../base/clock.ts';
import { VoiceError } from '../../base/errors.ts';
import type { Lifetime } from '../../base/lifetime.ts';
import { withoutSettings } from '../../config/read-settings.ts';
import { findPorts } from '../supervision/ports.ts';
import { DemoHost } from './demo-host.ts';
import type { DemoProcess } from './demo-process.ts';
import { hasRedis, openRedis } from './demo-redis.ts';

const HOST = '127.0.0.1';
/** Of a region: its API, its media for all nodes and for the one it has, its peers, its Redis. */
const PORTS_EACH = 5;
const REGIONS = ['east', 'west'] as const;

/** Where calls are placed, and what is killed under them. */
export interface DemoStage {
  /** In words: what stands here. */
  readonly words: readonly string[];
  readonly apiUrl: string;
  readonly apiKey: string;
  /** The media of the node at which the calls are. */
  readonly mediaUrl: string;
  /** What is about to be killed. */
  readonly victim: string;
  /** Who is left to go on. */
  readonly heir: string;
  kill(): void;
}

export interface StageOptions {
  readonly program: string;
  readonly clock: Clock;
  readonly env: { readonly [name: string]: string | undefined };
}

/** Two regions where there is a Redis for each; else two nodes of one host. `lifetime` owns all of it. */
export function openStage(options: StageOptions, lifetime: Lifetime): Promise<DemoStage> {
  const folder = mkdtempSync(join(tmpdir(), 'omnivoice-demo-'));
  lifetime.defer(() => rmSync(folder, { recursive: true, force: true }));
  return (hasRedis() ? openRegions : openHost)(options, folder, lifetime);
}

async function openRegions(
  { program, clock, env }: StageOptions,
  folder: string,
  lifetime: Lifetime,
): Promise<DemoStage> {
  const ports = await freePorts(REGIONS.length * PORTS_EACH);
  const portOf = (index: number, offset: number): number => ports + index * PORTS_EACH + offset;
  const redisUrlOf = (index: number): string => `redis://${HOST}:${portOf(index, 4)}`;
  const mediaUrlOf = (index: number): string => `ws://${HOST}:${portOf(index, 1)}`;
  const regionsDir = join(folder, 'regions');
  mkdirSync(regionsDir);
  for (const [index, name] of REGIONS.entries()) {
    const places = { wss: mediaUrlOf(index), redis: redisUrlOf(index) };
    const region = { name, address: null, ...places, neighbours: [REGIONS[1 - index]], limits: {} };
    writeFileSync(join(regionsDir, `${name}.json`), JSON.stringify(region));
  }
  const shared = sharedSettings(clock);
  const redis: DemoProcess[] = [];
  for (const index of REGIONS.keys()) {
    redis.push(lifetime.own(await openRedis(portOf(index, 4), folder, clock)));
  }
  const hosts = REGIONS.map((name, index) => {
    const settings = {
      ...shared,
      REGION: name,
      REGIONS_DIR: regionsDir,
      REDIS_URL: redisUrlOf(index),
      PORT: String(portOf(index, 0)),
      MEDIA_PORT: String(portOf(index, 1)),
      MEDIA_NODES: '1',
      PEER_URL: `tls://${HOST}:${portOf(index, 3)}`,
      DATA_DIR: join(folder, name),
    };
    return lifetime.own(new DemoHost({ program, settings, env: withoutSettings(env), clock }));
  });
  await Promise.all(hosts.map(({ ready }) => ready));
  return {
    words: [
      'Two regions on this machine, each with a Redis, a host and a store of its own:',
      ...REGIONS.map((name, i) => `  ${name}   API http://${HOST}:${portOf(i, 0)}   media ${mediaUrlOf(i)}`),
    ],
    apiUrl: `http://${HOST}:${portOf(0, 0)}`,
    apiKey: shared.API_KEY,
    mediaUrl: `ws://${HOST}:${portOf(0, 2)}`,
    victim: 'every process of region east, its Redis among them',
    heir: 'region west',
    kill: () => {
      hosts[0]?.kill();
      redis[0]?.kill();
    },
  };
}

async function openHost(
  { program, clock, env }: StageOptions,
  folder: string,
  lifetime: Lifetime,
): Promise<DemoStage> {
  const ports = await freePorts(PORTS_EACH);
  const shared = sharedSettings(clock);
  const places = { PORT: String(ports), MEDIA_PORT: String(ports + 1), MEDIA_NODES: '2' };
  const settings = { ...shared, ...places, DATA_DIR: join(folder, 'data') };
  const host = lifetime.own(new DemoHost({ program, settings, env: withoutSettings(env), clock }));
  await host.ready;
  return {
    words: [
      'redis-server is not installed, and two regions need one each: one host with two media nodes instead.',
      'Its control process keeps in memory who has which call.',
      `  API http://${HOST}:${ports}   media ws://${HOST}:${ports + 1}`,
    ],
    apiUrl: `http://${HOST}:${ports}`,
    apiKey: shared.API_KEY,
    mediaUrl: `ws://${HOST}:${ports + 2}`,
    victim: 'the media node that has the calls',
    heir: 'its sibling',
    kill: () => host.killChild('node-0'),
  };
}

function sharedSettings(clock: Pick<Clock, 'randomBytes'>) {
  const secret = (): string => clock.randomBytes(32).toString('hex');
  return {
    API_KEY: `omf_live_${secret()}`,
    PEER_SECRET: secret(),
    SIGNING_SECRET: secret(),
    ENCRYPTION_KEYS: `demo:${clock.randomBytes(32).toString('base64')}`,
    RESUME_WINDOW_MS: '30000',
    // Nobody stands still here; a machine on which four starts take long is not to be told so.
    WATCHDOG_MS: '30000',
    LOOP_DELAY_MAX_MS: '0',
    LOOP_BUSY_MAX_RATIO: '0',
  };
}

/** The first of so many in a row. */
async function freePorts(count: number): Promise<number> {
  const found = await findPorts({ host: HOST, port: 0, mediaPort: 0, mediaNodes: count - 1 });
  if ('mistakes' in found) throw new VoiceError('unavailable', found.mistakes.join('\n'));
  return found.mediaPort;
}
