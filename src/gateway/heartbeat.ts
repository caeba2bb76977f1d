import type { AtMs, Cancel, Clock } from '../base/clock.ts';
import type { GatewayLimits, GatewayStats } from './limits.ts';

/** How often every connection is looked at. */
export const SWEEP_MS = 250;

/** A sweep this late says that we stood still ourselves (a paused machine, a stopped process)… */
const LATE_SWEEP_MS = 1_000;
/** …and then nobody is judged until what waits in the sockets has been read. */
const MERCY_MS = 5_000;

/** Something whose deadlines the heartbeat watches. `isJudging` is false while we ourselves were away. */
export interface Beating {
  sweep(nowMs: AtMs, isJudging: boolean): void;
}

/** One timer for all connections of a node: a thousand timers would each cost their own wake-up. */
export class Heartbeat {
  readonly #clock: Pick<Clock, 'nowMs' | 'after'>;
  readonly #stats: Pick<GatewayStats, 'lateSweeps'>;
  readonly #beating = new Set<Beating>();
  #sweptAtMs: AtMs;
  #judgingFromAtMs: AtMs = -Infinity;
  #cancel: Cancel;

  constructor(clock: Pick<Clock, 'nowMs' | 'after'>, stats: Pick<GatewayStats, 'lateSweeps'>) {
    this.#clock = clock;
    this.#stats = stats;
    this.#sweptAtMs = clock.nowMs();
    this.#cancel = clock.after(SWEEP_MS, () => this.#sweep());
  }

  add(beating: Beating): void {
    this.#beating.add(beating);
  }

  remove(beating: Beating): void {
    this.#beating.delete(beating);
  }

  close(): void {
    this.#cancel();
    this.#beating.clear();
  }

  #sweep(): void {
    this.#cancel = this.#clock.after(SWEEP_MS, () => this.#sweep());
    const nowMs = this.#clock.nowMs();
    if (nowMs - this.#sweptAtMs > SWEEP_MS + LATE_SWEEP_MS) {
      this.#judgingFromAtMs = nowMs + MERCY_MS;
      this.#stats.lateSweeps++;
    }
    this.#sweptAtMs = nowMs;
    const isJudging = nowMs >= this.#judgingFromAtMs;
    for (const beating of this.#beating) beating.sweep(nowMs, isJudging);
  }
}

/** What is to be done about a connection now. */
export type Verdict = 'fine' | 'ping' | 'silent' | 'stalled';

type PulseLimits = Pick<GatewayLimits, 'pingEveryMs' | 'silentMsMax' | 'pongMsMax'>;

/** Signs of life of one peer. */
export class Pulse {
  readonly #limits: PulseLimits;
  #heardAtMs: AtMs;
  #nextPingAtMs: AtMs;
  /** The oldest ping that is still owed its pong, or -1. */
  #owedSinceAtMs: AtMs = -1;
  #hasPonged = false;
  #hasSentSincePing = false;

  constructor(limits: PulseLimits, nowMs: AtMs) {
    this.#limits = limits;
    this.#heardAtMs = nowMs;
    this.#nextPingAtMs = nowMs;
  }

  /** A message or a ping of the peer came in. */
  heard(nowMs: AtMs): void {
    this.#heardAtMs = nowMs;
  }

  /** Answers how long the pong took, in milliseconds; undefined where none was owed. */
  ponged(nowMs: AtMs): number | undefined {
    const roundTripMs = this.#owedSinceAtMs < 0 ? undefined : nowMs - this.#owedSinceAtMs;
    this.#heardAtMs = nowMs;
    this.#hasPonged = true;
    this.#owedSinceAtMs = -1;
    return roundTripMs;
  }

  /** We do not listen ourselves: whatever the peer owes is as good as given. */
  excuse(nowMs: AtMs): void {
    this.#heardAtMs = nowMs;
    this.#owedSinceAtMs = -1;
  }

  /** Something was given to the socket for the peer to read. */
  sent(): void {
    this.#hasSentSincePing = true;
  }

  judge(nowMs: AtMs): Verdict {
    if (nowMs - this.#heardAtMs >= this.#limits.silentMsMax) return 'silent';
    // Some providers never answer pings (older chan_websocket): only who has answered once can fall silent.
    const isOverdue = this.#owedSinceAtMs >= 0 && nowMs - this.#owedSinceAtMs >= this.#limits.pongMsMax;
    return isOverdue && this.#hasPonged && this.#hasSentSincePing ? 'stalled' : this.#nextPing(nowMs);
  }

  #nextPing(nowMs: AtMs): Verdict {
    if (nowMs < this.#nextPingAtMs) return 'fine';
    this.#nextPingAtMs = nowMs + this.#limits.pingEveryMs;
    if (this.#owedSinceAtMs < 0) {
      this.#owedSinceAtMs = nowMs;
      this.#hasSentSincePing = false;
    }
    return 'ping';
  }
}
