import { parseObject } from '../base/json.ts';

/** Where a media node stands, as its peers see it: `starting` until its first beat was accepted. */
export type NodeState = 'starting' | 'serving' | 'degraded' | 'draining' | 'leaving';

/**
 * One life of a media node as the others know it: at most 600 bytes of JSON (cluster.md §2.3). Its existence
 * in the registry is the node's lease.
 */
export interface NodeRecord {
  readonly v: 1;
  /** A life of a node; never used again, and the only name an owner has. */
  readonly incarnation: string;
  /** 0 … n−1 on its host. */
  readonly node: number;
  readonly host: string;
  readonly region: string;
  /** Base URL of the node's own media port: `wss://host:8082`. */
  readonly mediaUrl: string;
  /** `host:port` on which peers reach it; null where it has none (one host). */
  readonly peer: string | null;
  readonly state: NodeState;
  readonly version: string;
  readonly startedAtUnixMs: number;
  readonly legs: number;
  readonly calls: number;
  readonly capLegs: number;
  readonly loopDelayP99Ms: number;
  /** Free share of the spool, 0…1. */
  readonly spoolFreeRatio: number;
  /** Counts the beats of this life. */
  readonly beat: number;
  /** Its links to other nodes; absent where it has not told. */
  readonly peers?: { readonly open: number; readonly suspect: number; readonly closed: number };
}

const TEXTS = ['incarnation', 'host', 'region', 'mediaUrl', 'state', 'version'] as const;
const NUMBERS = ['node', 'legs', 'calls', 'capLegs', 'loopDelayP99Ms', 'spoolFreeRatio', 'beat'] as const;

/** The record a text holds; undefined where another version wrote it, or nobody of ours. */
export function readNodeRecord(text: string): NodeRecord | undefined {
  const read = parseObject(text);
  if (read?.['v'] !== 1) return undefined;
  const isWhole =
    TEXTS.every((key) => typeof read[key] === 'string') &&
    NUMBERS.every((key) => typeof read[key] === 'number');
  return isWhole ? (read as unknown as NodeRecord) : undefined;
}
