import type { AtMs } from '../../base/clock.ts';

const ORDERS_PER_SECOND = 50;
const SPACING_MS = 1000 / ORDERS_PER_SECOND;
/** Orders may wait so long for their turn: two hundred of an account at most. */
const WAIT_MS_MAX = 4000;
const ACCOUNTS_MAX = 1000;

/**
 * When the next request to an account may go: fifty a second, each a random while after the one before, so
 * that many calls that are moved at once do not arrive in step.
 */
export class AccountPace {
  readonly stats = { forgottenAccounts: 0 };
  /** The earliest turn that nobody has, by account; accounts used longest ago first. */
  readonly #nextAtMs = new Map<string, AtMs>();

  /** How long to wait, or undefined where too many wait already. `ratio` is of the dice, 0 to 1. */
  turnOf(account: string, nowMs: AtMs, ratio: number): number | undefined {
    const turnAtMs = Math.max(nowMs, this.#nextAtMs.get(account) ?? 0);
    if (turnAtMs - nowMs > WAIT_MS_MAX) return undefined;
    // Re-entered at the end, so that the first of the map is the one used longest ago.
    this.#nextAtMs.delete(account);
    this.#nextAtMs.set(account, turnAtMs + SPACING_MS * (0.5 + ratio));
    this.#forgetOldest();
    return turnAtMs - nowMs;
  }

  #forgetOldest(): void {
    if (this.#nextAtMs.size <= ACCOUNTS_MAX) return;
    for (const oldest of this.#nextAtMs.keys()) {
      this.#nextAtMs.delete(oldest);
      this.stats.forgottenAccounts++;
      return;
    }
  }
}
