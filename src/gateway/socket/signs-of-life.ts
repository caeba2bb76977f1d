import type { AtMs } from '../../base/clock.ts';
import { Pulse, type Verdict } from '../heartbeat.ts';
import { KeepAlive } from './keep-alive.ts';
import type { GatewayLimits } from '../limits.ts';

type LifeLimits = Pick<GatewayLimits, 'pingEveryMs' | 'silentMsMax' | 'pongMsMax' | 'unsentBytesMax'>;

/** What is looked at of a way out. */
interface Wire {
  readonly bufferedBytes: number;
  readonly isReading: boolean;
}

/** Whether both ends of a connection are alive: the peer to us, and we to the peer. */
export class SignsOfLife {
  readonly #pulse: Pulse;
  readonly #keepAlive: KeepAlive;
  readonly #unsentBytesMax: number;

  constructor(limits: LifeLimits, nowMs: AtMs) {
    this.#pulse = new Pulse(limits, nowMs);
    this.#keepAlive = new KeepAlive(nowMs);
    this.#unsentBytesMax = limits.unsentBytesMax;
  }

  /** A message or a ping of the peer came in. */
  heard(nowMs: AtMs): void {
    this.#pulse.heard(nowMs);
  }

  /** Answers how long the pong took, in milliseconds; undefined where none was owed. */
  ponged(nowMs: AtMs): number | undefined {
    return this.#pulse.ponged(nowMs);
  }

  /** Something was given to the socket for the peer to read. */
  sent(): void {
    this.#keepAlive.sent();
    this.#pulse.sent();
  }

  /** What is to be done about the peer now. */
  judge(wire: Wire, nowMs: AtMs): Verdict {
    if (wire.bufferedBytes > this.#unsentBytesMax) return 'stalled';
    // Its pongs lie unread because we do not read: nothing can be held against it.
    if (!wire.isReading) this.#pulse.excuse(nowMs);
    return this.#pulse.judge(nowMs);
  }

  /** Whether a protocol that wants a word every so often is to get one now; never when `everyMs` is 0. */
  isWordDue(everyMs: number, nowMs: AtMs): boolean {
    return this.#keepAlive.isDue(everyMs, nowMs);
  }
}
