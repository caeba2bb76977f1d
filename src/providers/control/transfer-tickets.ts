import { createHmac } from 'node:crypto';
import type { Clock } from '../../base/clock.ts';
import { parseObject } from '../../base/json.ts';
import { isSameSecret } from '../../base/secret.ts';
import type { DialPlan } from '../answers/answer-plan.ts';

/** A provider fetches a document as soon as it is told to. */
const TICKET_TTL_MS = 60_000;
const TICKET_CHARACTERS_MAX = 4_096;
/** Used tickets that are remembered at a time; beyond it none is taken. */
const USED_MAX = 10_000;

/** What a ticket is good for: the document that sends a call of this provider to a telephone. */
export interface TransferTicket extends DialPlan {
  readonly dialect: string;
}

/**
 * Tickets for the providers that take a document only from a URL: signed, good for a minute, and once. Any
 * host with the same secrets takes them; which were used each knows of itself.
 */
export class TransferTickets {
  readonly stats = { minted: 0, taken: 0, refusedFull: 0 };
  readonly #keys: readonly Buffer[];
  readonly #clock: Pick<Clock, 'unixMs' | 'randomBytes'>;
  readonly #usedUntilUnixMs = new Map<string, number>();

  /** `secrets` are newest first: the newest signs, any of them is believed. */
  constructor(secrets: readonly Uint8Array[], clock: Pick<Clock, 'unixMs' | 'randomBytes'>) {
    // A key of its own, so that no other kind of token is ever a ticket.
    this.#keys = secrets.map((secret) =>
      createHmac('sha256', secret).update('omnivoice transfer ticket').digest(),
    );
    this.#clock = clock;
  }

  mint({ dialect, to, from }: TransferTicket): string {
    const nonce = Buffer.from(this.#clock.randomBytes(9)).toString('base64url');
    const fields = { d: dialect, t: to, f: from, n: nonce, e: this.#clock.unixMs() + TICKET_TTL_MS };
    const body = Buffer.from(JSON.stringify(fields)).toString('base64url');
    this.stats.minted++;
    return `${body}.${macOf(body, this.#keys[0]!)}`;
  }

  /** Undefined for a ticket that is foreign, forged, expired or used. */
  take(ticket: string): TransferTicket | undefined {
    const [body = '', mac = ''] = ticket.length > TICKET_CHARACTERS_MAX ? [] : ticket.split('.');
    if (!this.#keys.some((key) => isSameSecret(mac, macOf(body, key)))) return undefined;
    // Our own signature vouches for the shape: only we mint.
    const { d, t, f, e } = parseObject(Buffer.from(body, 'base64url')) as { [name: string]: unknown };
    const [expiresAtUnixMs, nowUnixMs] = [e as number, this.#clock.unixMs()];
    if (expiresAtUnixMs <= nowUnixMs || this.#usedUntilUnixMs.has(body) || !this.#hasRoom(nowUnixMs)) {
      return undefined;
    }
    this.#usedUntilUnixMs.set(body, expiresAtUnixMs);
    this.stats.taken++;
    return { dialect: d as string, to: t as string, from: f as string | null };
  }

  #hasRoom(nowUnixMs: number): boolean {
    if (this.#usedUntilUnixMs.size < USED_MAX) return true;
    for (const [body, untilUnixMs] of this.#usedUntilUnixMs) {
      if (untilUnixMs <= nowUnixMs) this.#usedUntilUnixMs.delete(body);
    }
    if (this.#usedUntilUnixMs.size < USED_MAX) return true;
    this.stats.refusedFull++;
    return false;
  }
}

function macOf(body: string, key: Buffer): string {
  return createHmac('sha256', key).update(body).digest('base64url');
}
