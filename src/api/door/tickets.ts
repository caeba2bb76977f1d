import type { AtMs, Clock } from '../../base/clock.ts';
import { VoiceError } from '../../base/errors.ts';
import { sha256Hex } from '../../base/secret.ts';
import type { ApiKey } from '../ports.ts';

const TICKET_TTL_MS = 60_000;
const TICKETS_MAX = 10_000;

interface Ticket {
  readonly secretHash: string;
  readonly expiresAtMs: AtMs;
}

/** Single-use tickets for browsers, which cannot send headers with an EventSource or a WebSocket. */
export class Tickets {
  readonly stats = { issued: 0, used: 0, refused: 0 };
  readonly #clock: Clock;
  readonly #tickets = new Map<string, Ticket>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  issue(key: ApiKey): { readonly ticket: string; readonly expiresUnixMs: number } {
    this.#dropExpired();
    if (this.#tickets.size >= TICKETS_MAX) throw new VoiceError('overloaded', 'too many open tickets');
    const ticket = `omt_${this.#clock.randomBytes(32).toString('base64url')}`;
    const expiresAtMs = this.#clock.nowMs() + TICKET_TTL_MS;
    this.#tickets.set(sha256Hex(ticket), { secretHash: key.secretHash, expiresAtMs });
    this.stats.issued++;
    return { ticket, expiresUnixMs: this.#clock.unixMs() + TICKET_TTL_MS };
  }

  /** The hash of the key the ticket was made with; the ticket is gone afterwards. */
  redeem(ticket: string): string | undefined {
    const name = sha256Hex(ticket);
    const found = this.#tickets.get(name);
    this.#tickets.delete(name);
    if (found === undefined || found.expiresAtMs <= this.#clock.nowMs()) {
      this.stats.refused++;
      return undefined;
    }
    this.stats.used++;
    return found.secretHash;
  }

  // All live equally long, so the Map's order of insertion is the order in which they expire.
  #dropExpired(): void {
    for (const [name, { expiresAtMs }] of this.#tickets) {
      if (expiresAtMs > this.#clock.nowMs()) return;
      this.#tickets.delete(name);
    }
  }
}
