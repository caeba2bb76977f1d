import type { AtMs, Clock } from '../../base/clock.ts';
import type { NodeRecord } from '../../cluster/node-record.ts';
import type { Registry } from '../../cluster/registry.ts';
import { GRACE_MS, LEASE_MS } from '../../cluster/timing.ts';
import type { Journal } from '../../events/journal.ts';
import type { OrphanSource, SeenOrphan } from './orphan-sweep.ts';

/** Forgotten for so long: whoever has it has had the time to put it back, or to say that it lives. */
const FORGOTTEN_AFTER_MS = LEASE_MS + GRACE_MS;
/** Of a call that no registry knows nobody knows the token. */
const NO_TOKEN = 0;

/** A call that no registry knows. */
interface LookedFor {
  /** How far it was told. */
  readonly sequence: number;
  readonly sinceMs: AtMs;
}

export interface ForgottenCallsOptions {
  readonly registry: Pick<Registry, 'orphans' | 'nodes' | 'find'>;
  /** That of hosts which share it: what it has open nobody else ends. */
  readonly journal: Pick<Journal, 'incarnationsWithOpenCalls' | 'listOpenCalls'>;
  /** Calls that began in another region are its hosts' to end. */
  readonly region: string;
  /**
   * Everybody who is there in the other regions that calls may have gone to; undefined while one of them
   * cannot be asked.
   */
  readonly elsewhere: () => ReadonlySet<string> | undefined;
  readonly clock: Pick<Clock, 'nowMs'>;
}

/**
 * The orphans of a region, those among them that its registry has forgotten with its data, or with the hour:
 * the journal has them open, and who told of them last is nowhere.
 */
export class ForgottenCalls implements OrphanSource {
  readonly #options: ForgottenCallsOptions;
  /** Who of them was seen in this region: nobody else is asked for them. */
  #ofThisRegion = new Set<string>();
  #lookedFor = new Map<string, LookedFor>();
  /** Nobody is judged while the registry is silent, nor just after it. */
  #judgesFromMs: AtMs = -Infinity;

  constructor(options: ForgottenCallsOptions) {
    this.#options = options;
  }

  nodes(): Promise<readonly NodeRecord[] | undefined> {
    return this.#options.registry.nodes();
  }

  async orphans(): Promise<readonly SeenOrphan[]> {
    const { registry, clock } = this.#options;
    const known = await registry.orphans();
    const present = await registry.nodes();
    const nowMs = clock.nowMs();
    if (present === undefined) {
      this.#judgesFromMs = Infinity;
      return known;
    }
    // Who was silent only with the registry says so by then.
    if (this.#judgesFromMs === Infinity) this.#judgesFromMs = nowMs + GRACE_MS;
    const forgotten = await this.#forgotten(present, nowMs);
    return nowMs < this.#judgesFromMs ? known : [...known, ...forgotten];
  }

  async #forgotten(present: readonly NodeRecord[], nowMs: AtMs): Promise<readonly SeenOrphan[]> {
    const { journal, registry } = this.#options;
    const before = this.#lookedFor;
    const lookedFor = new Map<string, LookedFor>();
    const orphans: SeenOrphan[] = [];
    for (const owner of await this.#missing(present)) {
      for (const { id: callId, region, sequence } of await journal.listOpenCalls(owner)) {
        if (region !== this.#options.region) continue;
        const found = await registry.find(callId);
        if (typeof found === 'object') continue;
        const last = before.get(callId);
        // Who still tells lives, and only Redis does not hear it; or what it left behind is being read.
        const sinceMs = last?.sequence === sequence ? last.sinceMs : nowMs;
        lookedFor.set(callId, { sequence, sinceMs });
        const knownAtMs = sinceMs + FORGOTTEN_AFTER_MS;
        if (found === 'unknown' && knownAtMs <= nowMs) {
          orphans.push({ callId, owner, token: NO_TOKEN, knownAtMs });
        }
      }
    }
    // Only now: a database that is away holds nothing up for longer than that.
    this.#lookedFor = lookedFor;
    return orphans;
  }

  /** Who has open calls and is nowhere, as far as anybody here can say. */
  async #missing(present: readonly NodeRecord[]): Promise<readonly string[]> {
    const { journal, elsewhere } = this.#options;
    const open = await journal.incarnationsWithOpenCalls();
    const here = new Set(present.map(({ incarnation }) => incarnation));
    const there = elsewhere();
    const before = this.#ofThisRegion;
    this.#ofThisRegion = new Set(open.filter((owner) => here.has(owner) || before.has(owner)));
    return open.filter((owner) => {
      if (here.has(owner)) return false;
      return this.#ofThisRegion.has(owner) || (there !== undefined && !there.has(owner));
    });
  }
}
