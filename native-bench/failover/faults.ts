import type { ClusterScene } from './cluster-scene.ts';
import type { CallerKind } from './failover-caller.ts';

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

/** One way in which things go wrong, and how they are put right again. */
export interface Fault {
  readonly name: string;
  readonly title: string;
  /** Hosts that share a Redis, or each with its own. */
  readonly scene: 'cluster' | 'regions';
  readonly runs: number;
  readonly callsOfEachKind: number;
  /** Before it comes back a native caller waits for up to this long. */
  readonly jitterMs: number;
  /** Whether it costs callers their lines; else nobody is to notice anything for `lastsMs`. */
  readonly breaksLines: boolean;
  readonly lastsMs: number;
  /** What is less of it in a quick run, of which each fault has one; null where it has none. */
  readonly quick: Partial<Pick<Fault, 'callsOfEachKind' | 'lastsMs' | 'title'>> | null;
  /** About so long takes one run, from its first call to the next one's. */
  readonly secondsPerRun: number;
  /** Judged at p95, where there are 300 legs and more at p99. */
  readonly targets: { readonly [Kind in CallerKind]: Target };
  /** Strikes, and answers how to put things right and wait until they are. */
  strike(scene: ClusterScene, victim: Victim): Promise<() => Promise<void>>;
}

const NODE_BACK_WITHIN_MS = 20_000;

const oneCall = { callsOfEachKind: 1, jitterMs: 0, breaksLines: true, lastsMs: 0, quick: {} } as const;

/** Everything that is tried, in the order in which it is. */
export const FAULTS: readonly Fault[] = [
  {
    ...oneCall,
    name: 'node',
    title: 'a node killed (kill -9), one call',
    scene: 'cluster',
    runs: 20,
    secondsPerRun: 6,
    targets: { native: { detectMs: 10, resumeMs: 5, gapMs: 100 }, twilio: { resumeMs: 5, gapMs: 60 } },
    strike: (scene, victim) => signalNode(scene, victim, 'SIGKILL'),
  },
];

/** Ends, or stops, the process of a node; it is put right when its supervisor has started another. */
async function signalNode(
  { hosts }: ClusterScene,
  { host, node }: Victim,
  signal: 'SIGKILL' | 'SIGSTOP',
): Promise<() => Promise<void>> {
  const stricken = hosts[host]!;
  const pid = stricken.house.pidOf(`node-${node}`);
  process.kill(pid, signal);
  return () => stricken.awaitNode(node, pid, NODE_BACK_WITHIN_MS);
}
