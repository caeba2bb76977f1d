import type { AtMs } from '../base/clock.ts';
import type { NodeRecord } from './node-record.ts';
import type { BeatAnswer } from './registry.ts';
import { GRACE_MS, ISOLATED_MS, STALE_MS } from './timing.ts';

/** What an accepted beat means for the node: after all but `steady` its calls are saved again. */
export type Heard = 'steady' | 'first' | 'new_epoch' | 'returned';

/** How another life of a node stands. Only `fit` is placed on; only `dead` is judged. */
export type Standing = 'fit' | 'unfit' | 'stale' | 'dead' | 'unknown';

interface Seen {
  readonly record: NodeRecord;
  /** When its beat number last rose, as told by a beat of ours. */
  readonly roseAtMs: AtMs;
  readonly isGone: boolean;
}

/** Lives that are gone, remembered to say so; beyond it the oldest is forgotten. */
const SEEN_MAX = 1_024;

/**
 * Who is there, as a node knows it from its own beats. Without one of its own accepted, its picture of the
 * others is old: it judges nobody.
 */
export class Membership {
  readonly #seen = new Map<string, Seen>();
  /** Of the last beat that was answered. */
  roundTripMs = 0;
  #epoch: string | undefined;
  #acceptedAtMs: AtMs | undefined;
  #heardAtMs: AtMs = 0;
  #judgesFromMs: AtMs = Infinity;

  /** An own beat was accepted. Its lease counts from when it was sent: the answer may have been slow. */
  heard(answer: BeatAnswer, sentAtMs: AtMs, nowMs: AtMs): Heard {
    const heard = this.#meaningOf(answer, sentAtMs);
    if (heard === 'new_epoch' || heard === 'returned') this.#judgesFromMs = nowMs + GRACE_MS;
    // A registry that is young has not yet heard everybody, whoever was first to ask it.
    if (heard === 'first') this.#judgesFromMs = nowMs + Math.max(0, GRACE_MS - answer.epochAgeMs);
    this.#epoch = answer.epoch;
    this.roundTripMs = answer.roundTripMs;
    this.#acceptedAtMs = sentAtMs;
    this.#heardAtMs = nowMs;
    this.#look(answer.nodes, nowMs);
    return heard;
  }

  /** No own beat accepted for three beats: no claims. */
  isIsolated(nowMs: AtMs): boolean {
    return this.#acceptedAtMs === undefined || nowMs - this.#acceptedAtMs >= ISOLATED_MS;
  }

  /** How long ago the last own beat that was accepted was sent; infinite before the first. */
  leaseAgeMs(nowMs: AtMs): number {
    return this.#acceptedAtMs === undefined ? Infinity : nowMs - this.#acceptedAtMs;
  }

  /** Whether what is missing in the registry means something. */
  mayJudge(nowMs: AtMs): boolean {
    return !this.isIsolated(nowMs) && nowMs >= this.#judgesFromMs;
  }

  standingOf(incarnation: string, nowMs: AtMs): Standing {
    const seen = this.#seen.get(incarnation);
    if (seen === undefined) return 'unknown';
    if (seen.isGone) return this.mayJudge(nowMs) ? 'dead' : 'stale';
    // As of the last beat that told: an isolated node's own silence makes nobody else stale.
    if (this.#heardAtMs - seen.roseAtMs >= STALE_MS) return 'stale';
    return seen.record.state === 'serving' ? 'fit' : 'unfit';
  }

  /** A node says that it is leaving, before its next beat does. */
  heardLeaving(incarnation: string): void {
    const seen = this.#seen.get(incarnation);
    if (seen === undefined) return;
    this.#seen.set(incarnation, { ...seen, record: { ...seen.record, state: 'draining' } });
  }

  isLeaving(incarnation: string): boolean {
    const seen = this.#seen.get(incarnation);
    return seen !== undefined && !seen.isGone && seen.record.state === 'draining';
  }

  /** Everybody new calls may be placed on. */
  fit(nowMs: AtMs): NodeRecord[] {
    const all = [...this.#seen.values()].map(({ record }) => record);
    return all.filter(({ incarnation }) => this.standingOf(incarnation, nowMs) === 'fit');
  }

  /**
   * Where legs may come back to, best first. Who is late or silent of late is better than nobody: on a
   * machine that is busy all are late, and a leg that knows no other way is lost with its node.
   */
  wayBack(nowMs: AtMs): NodeRecord[] {
    const fit = this.fit(nowMs);
    const isLeaving = ({ state }: NodeRecord): boolean => state === 'draining' || state === 'leaving';
    const others = this.present().filter((node) => !fit.includes(node) && !isLeaving(node));
    return [...fit, ...others];
  }

  /** Everybody with a lease, as the last beat told. */
  present(): NodeRecord[] {
    return [...this.#seen.values()].filter(({ isGone }) => !isGone).map(({ record }) => record);
  }

  /** Everybody it knows of, and for how long their beats have been silent: who is gone, too. */
  all(nowMs: AtMs): { record: NodeRecord; standing: Standing; silentMs: number }[] {
    return [...this.#seen].map(([incarnation, { record, roseAtMs }]) => {
      return { record, standing: this.standingOf(incarnation, nowMs), silentMs: nowMs - roseAtMs };
    });
  }

  #meaningOf(answer: BeatAnswer, sentAtMs: AtMs): Heard {
    if (this.#epoch === undefined) return 'first';
    if (this.#epoch !== answer.epoch) return 'new_epoch';
    return this.isIsolated(sentAtMs) ? 'returned' : 'steady';
  }

  #look(nodes: readonly NodeRecord[], nowMs: AtMs): void {
    const present = new Set<string>();
    for (const record of nodes) {
      present.add(record.incarnation);
      const before = this.#seen.get(record.incarnation);
      const isSame = before !== undefined && before.record.beat === record.beat;
      // A beat that was sent before the node said that it leaves may be read after it.
      const isLeaving = before?.record.state === 'draining' && record.state !== 'leaving';
      this.#seen.set(record.incarnation, {
        record: isLeaving ? { ...record, state: 'draining' } : record,
        roseAtMs: isSame ? before.roseAtMs : nowMs,
        isGone: false,
      });
    }
    for (const [incarnation, seen] of this.#seen) {
      if (!present.has(incarnation) && !seen.isGone) this.#seen.set(incarnation, { ...seen, isGone: true });
    }
    this.#forget();
  }

  #forget(): void {
    for (const [incarnation, { isGone }] of this.#seen) {
      if (this.#seen.size <= SEEN_MAX) return;
      if (isGone) this.#seen.delete(incarnation);
    }
  }
}
