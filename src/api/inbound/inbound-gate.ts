import type { Clock } from '../../base/clock.ts';
import { VoiceError } from '../../base/errors.ts';
import { isSameSecret, sha256Hex } from '../../base/secret.ts';
import { liveOf, type InboundHook } from '../../records/inbound/inbound-hook.ts';
import { BoundedMap, TokenBucket } from '../door/token-bucket.ts';

const MINUTE_MS = 60_000;
const BUCKETS_MAX = 10_000;
/** Bodies of one hook in memory at a time: up to 1 MiB each. */
const UNDER_WAY_MAX = 32;
const ALL_UNDER_WAY_MAX = 128;
/** Refused calls written to a hook's log, a minute; the rest is counted. */
const LOGGED_PER_MINUTE = 60;

const NOBODY = sha256Hex('a hook that is not there');

/** Counted of everything that comes in at hooks and goes no further. */
export function newInboundStats() {
  return {
    wrongToken: 0,
    rateLimited: 0,
    busy: 0,
    tooLarge: 0,
    notJson: 0,
    tooDeep: 0,
    pollutes: 0,
    wrongSignature: 0,
    schemaRefused: 0,
    schemaUnavailable: 0,
    actionRefused: 0,
    eventTooLarge: 0,
    withoutKey: 0,
    duplicates: 0,
    notLogged: 0,
    hooksRefused: 0,
  };
}

export type InboundStats = ReturnType<typeof newInboundStats>;

/** The gate before every inbound hook: its token first, and only then anything that could run out. */
export class InboundGate {
  readonly stats: InboundStats;
  readonly #clock: Pick<Clock, 'nowMs' | 'unixMs'>;
  readonly #rates = new BoundedMap<TokenBucket>(BUCKETS_MAX);
  readonly #logs = new BoundedMap<TokenBucket>(BUCKETS_MAX);
  readonly #underWay = new Map<string, number>();
  #allUnderWay = 0;

  constructor(stats: InboundStats, clock: Pick<Clock, 'nowMs' | 'unixMs'>) {
    this.stats = stats;
    this.#clock = clock;
  }

  /** The hook, where the token is one of its own. Whether there is such a hook shows in nothing. */
  admit(hook: InboundHook | undefined, token: string): InboundHook {
    const given = sha256Hex(token);
    const due = hook === undefined ? [] : liveOf(hook.tokens, this.#clock.unixMs());
    let isKnown = false;
    for (const tokenHash of due.length === 0 ? [NOBODY] : due) {
      if (isSameSecret(given, tokenHash)) isKnown = true;
    }
    if (isKnown && hook !== undefined) return hook;
    this.stats.wrongToken++;
    throw new VoiceError('not_found', 'there is nothing at this address');
  }

  /** Takes one call from the hook's rate: the milliseconds to wait, or 0. */
  take(hook: InboundHook): number {
    const nowMs = this.#clock.nowMs();
    // The rate is part of the name: a changed limit starts a fresh bucket at once.
    const bucket = bucketOf(this.#rates, `${hook.id} ${hook.ratePerMinute}`, hook.ratePerMinute, nowMs);
    if (bucket.take(nowMs)) return 0;
    this.stats.rateLimited++;
    return bucket.waitMs(nowMs);
  }

  /** Takes a place among the bodies that are held; false where there is none. Give it back by `leave`. */
  enter(hookId: string): boolean {
    const here = this.#underWay.get(hookId) ?? 0;
    if (here >= UNDER_WAY_MAX || this.#allUnderWay >= ALL_UNDER_WAY_MAX) {
      this.stats.busy++;
      return false;
    }
    this.#underWay.set(hookId, here + 1);
    this.#allUnderWay++;
    return true;
  }

  leave(hookId: string): void {
    const here = (this.#underWay.get(hookId) ?? 1) - 1;
    this.#allUnderWay--;
    if (here === 0) this.#underWay.delete(hookId);
    else this.#underWay.set(hookId, here);
  }

  /** Whether one more refused call may be written to the log of its hook. */
  mayLog(hookId: string): boolean {
    const nowMs = this.#clock.nowMs();
    if (bucketOf(this.#logs, hookId, LOGGED_PER_MINUTE, nowMs).take(nowMs)) return true;
    this.stats.notLogged++;
    return false;
  }
}

function bucketOf(
  buckets: BoundedMap<TokenBucket>,
  name: string,
  perMinute: number,
  nowMs: number,
): TokenBucket {
  const known = buckets.get(name);
  return known ?? buckets.set(name, new TokenBucket(perMinute, perMinute / MINUTE_MS, nowMs));
}
