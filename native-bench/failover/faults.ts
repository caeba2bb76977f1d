import { GRACE_MS } from '../../src/cluster/timing.ts';
import { pause } from '../scene/phases.ts';
import { kill, type BenchHost } from './bench-host.ts';
import type { ClusterScene, SceneName } from './cluster-scene.ts';
import type { CallerKind } from './failover-caller.ts';
import { REDIS_TROUBLES, type RedisTrouble } from './redis-troubles.ts';

/** What a fault may cost; each is judged where it is said. */
export interface Target {
  readonly detectMs?: number;
  readonly resumeMs?: number;
  readonly gapMs?: number;
}

/** Where a run strikes. */
export interface Victim {
  readonly host: number;
  readonly node: number;
}

/** Puts things right, and resolves when they are. */
export type Mend = () => Promise<void>;

/** One way in which things go wrong, and how they are put right again. */
export interface Fault {
  readonly name: string;
  readonly title: string;
  readonly scene: SceneName;
  readonly runs: number;
  readonly callsOfEachKind: number;
  /** Before it comes back a native caller waits for up to this long. */
  readonly jitterMs: number;
  /** Whose lines break; nobody else is to notice anything, for `lastsMs`. */
  readonly breaks: readonly CallerKind[];
  readonly lastsMs: number;
  /** What is less of it in a quick run, of which each fault has one; null where it has none. */
  readonly quick: Partial<Pick<Fault, 'callsOfEachKind' | 'lastsMs' | 'title'>> | null;
  /** About so long takes one run, from its first call to the next one's. */
  readonly secondsPerRun: number;
  /** Judged at p95, where there are 300 legs and more at p99. */
  readonly targets: { readonly [Kind in CallerKind]: Target };
  strike(scene: ClusterScene, victim: Victim): Promise<Mend>;
}

const JUDGES_AGAIN_AFTER_MS = GRACE_MS + 1000;
const NODE_BACK_WITHIN_MS = 20_000;
const UNNOTICED: Target = { gapMs: 60 };
const ONE_CALL = { callsOfEachKind: 1, jitterMs: 0, lastsMs: 0, quick: {} } as const;
const BOTH = ['native', 'twilio'] as const;
const OUTAGE_MS = 10_000;
const LONG_OUTAGE_MS = 300_000;
const QUICK_OUTAGE_MS = 3000;

/** Everything that is tried, in the order in which it is. */
export const FAULTS: readonly Fault[] = [
  {
    ...ONE_CALL,
    name: 'node',
    title: 'node killed (kill -9), 1 call',
    scene: 'cluster',
    runs: 20,
    breaks: BOTH,
    secondsPerRun: 8,
    targets: { native: { detectMs: 10, resumeMs: 5, gapMs: 100 }, twilio: { resumeMs: 5, gapMs: 60 } },
    strike: (scene, victim) => signalNode(scene, victim, 'SIGKILL'),
  },
  {
    name: 'crowd',
    title: 'node killed (kill -9), 300 calls',
    scene: 'cluster',
    runs: 5,
    callsOfEachKind: 150,
    jitterMs: 100,
    breaks: BOTH,
    lastsMs: 0,
    quick: { callsOfEachKind: 10, title: 'node killed (kill -9), 20 calls' },
    secondsPerRun: 16,
    targets: { native: { gapMs: 400 }, twilio: { gapMs: 1500 } },
    strike: (scene, victim) => signalNode(scene, victim, 'SIGKILL'),
  },
  {
    ...ONE_CALL,
    name: 'hung',
    title: 'node stands still (SIGSTOP)',
    scene: 'cluster',
    runs: 20,
    breaks: BOTH,
    secondsPerRun: 10,
    targets: { native: { detectMs: 500, resumeMs: 50, gapMs: 700 }, twilio: { gapMs: 3000 } },
    strike: (scene, victim) => signalNode(scene, victim, 'SIGSTOP'),
  },
  {
    ...ONE_CALL,
    name: 'control',
    title: 'control killed',
    scene: 'cluster',
    runs: 10,
    breaks: [],
    lastsMs: 2000,
    secondsPerRun: 10,
    targets: { native: UNNOTICED, twilio: UNNOTICED },
    strike: async ({ hosts }, { host }) => killControl(hosts[host]!),
  },
  {
    ...ONE_CALL,
    name: 'host',
    title: 'host lost',
    scene: 'cluster',
    runs: 10,
    breaks: BOTH,
    secondsPerRun: 12,
    targets: { native: { detectMs: 500, resumeMs: 50, gapMs: 1200 }, twilio: { gapMs: 3000 } },
    strike: async ({ hosts }, { host }) => loseHost(hosts[host]!),
  },
  {
    ...ONE_CALL,
    name: 'region',
    title: 'region lost: its host and its Redis',
    scene: 'regions',
    runs: 10,
    breaks: BOTH,
    secondsPerRun: 22,
    targets: {
      native: { detectMs: 1500, resumeMs: 200, gapMs: 3000 },
      twilio: { detectMs: 1500, resumeMs: 200, gapMs: 3000 },
    },
    strike: async ({ hosts, redis }, { host }) => {
      const mend = loseHost(hosts[host]!);
      await redis[host]!.kill();
      return async () => {
        await redis[host]!.start();
        await mend();
        // Whose Redis is a new one judges nobody for a while: two regions lost in a row are another story.
        await pause(JUDGES_AGAIN_AFTER_MS);
      };
    },
  },
  {
    ...ONE_CALL,
    name: 'drain',
    title: 'host drained (SIGTERM)',
    scene: 'cluster',
    runs: 10,
    // A provider's call is left where it is until it ends, or the drain's deadline.
    breaks: ['native'],
    secondsPerRun: 14,
    targets: { native: { gapMs: 40 }, twilio: UNNOTICED },
    strike: async ({ hosts }, { host }) => hosts[host]!.drain(),
  },
  ...REDIS_TROUBLES.flatMap((trouble) => [
    redisFault(trouble, { name: trouble.name, runs: 5, lastsMs: OUTAGE_MS, words: 'for 10 s' }),
    redisFault(trouble, {
      name: `${trouble.name}-long`,
      runs: 1,
      lastsMs: LONG_OUTAGE_MS,
      words: 'for 5 min',
    }),
  ]),
];

interface Outage {
  readonly name: string;
  readonly runs: number;
  readonly lastsMs: number;
  readonly words: string;
}

/** Nobody on the line is to hear of it, and no call is to move. */
function redisFault(trouble: RedisTrouble, { name, runs, lastsMs, words }: Outage): Fault {
  return {
    name,
    title: `${trouble.title} ${words}`,
    scene: trouble.name,
    runs,
    callsOfEachKind: 5,
    jitterMs: 0,
    breaks: [],
    lastsMs,
    quick: lastsMs === OUTAGE_MS ? { lastsMs: QUICK_OUTAGE_MS, title: `${trouble.title} for 3 s` } : null,
    secondsPerRun: lastsMs / 1000 + 7,
    targets: { native: UNNOTICED, twilio: UNNOTICED },
    strike: ({ redis }) => trouble.strike(redis[0]!),
  };
}

/** Ends, or stops, the process of a node; it is put right when its supervisor has started another. */
async function signalNode(
  { hosts }: ClusterScene,
  { host, node }: Victim,
  signal: 'SIGKILL' | 'SIGSTOP',
): Promise<Mend> {
  const stricken = hosts[host]!;
  const pid = stricken.house.pidOf(`node-${node}`);
  process.kill(pid, signal);
  return () => stricken.awaitNode(node, pid, NODE_BACK_WITHIN_MS);
}

function killControl(stricken: BenchHost): Mend {
  const pid = stricken.house.pidOf('control');
  kill(pid);
  return () => stricken.awaitControl(pid, NODE_BACK_WITHIN_MS);
}

function loseHost(stricken: BenchHost): Mend {
  stricken.lose();
  return () => stricken.comeBack();
}
