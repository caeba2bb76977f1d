import { createHash } from 'node:crypto';
import type { AtMs, Clock } from '../../base/clock.ts';
import { messageOf } from '../../base/errors.ts';
import type { Endpoint } from '../outbox.ts';
import type { Authorization, Authorizer } from '../wire/authorizer.ts';
import type { IssuedToken, OAuth2, TokenRequest } from './token-request.ts';

interface Held {
  readonly value: string;
  /** From here on a new one is asked for. */
  readonly refreshAtMs: AtMs;
  readonly expiresAtMs: AtMs;
}

interface Slot {
  token: Held | null;
  /** The last refusal, believed until then. */
  failure: { readonly detail: string; readonly untilAtMs: AtMs } | null;
  asking: Promise<Authorization> | null;
}

const LEAD_MS_MIN = 30_000;
const LEAD_RATIO = 0.1;
const NEGATIVE_MS = 5_000;
const SLOTS_MAX = 1_000;

/**
 * Access tokens for endpoints that want OAuth2, one for all that ask the same issuer for the same: however
 * many deliveries want it at once, it is asked for once (delivery.md §3.9).
 */
export class OAuthTokens implements Authorizer {
  readonly stats = { requests: 0, failures: 0, refused: 0, evicted: 0 };
  readonly #request: TokenRequest;
  readonly #clock: Clock;
  readonly #slots = new Map<string, Slot>();

  constructor(request: TokenRequest, clock: Clock) {
    this.#request = request;
    this.#clock = clock;
  }

  async authorizationFor({ auth }: Endpoint): Promise<Authorization> {
    if (auth?.kind !== 'oauth2') return { failure: 'this endpoint wants no token' };
    const slot = this.#slotOf(auth);
    const nowMs = this.#clock.nowMs();
    if (slot.token !== null && nowMs < slot.token.refreshAtMs) return bearer(slot.token);
    if (slot.failure !== null && nowMs < slot.failure.untilAtMs) return this.#fallBack(slot);
    slot.asking ??= this.#ask(auth, slot).finally(() => (slot.asking = null));
    return slot.asking;
  }

  refused({ auth }: Endpoint, value: string): void {
    if (auth?.kind !== 'oauth2') return;
    const slot = this.#slotOf(auth);
    // Many are refused together; only the first of them speaks of the token we hold.
    if (slot.token === null || bearer(slot.token).value !== value) return;
    this.stats.refused++;
    slot.token = null;
  }

  async #ask(auth: OAuth2, slot: Slot): Promise<Authorization> {
    this.stats.requests++;
    try {
      slot.token = this.#held(await this.#request(auth));
      slot.failure = null;
      return bearer(slot.token);
    } catch (error) {
      this.stats.failures++;
      slot.failure = { detail: messageOf(error), untilAtMs: this.#clock.nowMs() + NEGATIVE_MS };
      return this.#fallBack(slot);
    }
  }

  /** A token that was to be renewed but still lives is better than none. */
  #fallBack(slot: Slot): Authorization {
    if (slot.token !== null && this.#clock.nowMs() < slot.token.expiresAtMs) return bearer(slot.token);
    return { failure: slot.failure?.detail ?? 'no token' };
  }

  #held({ value, ttlMs }: IssuedToken): Held {
    const nowMs = this.#clock.nowMs();
    // Of a token that lives for seconds half is used; else it would be asked for with each delivery.
    const leadMs = Math.min(Math.max(LEAD_MS_MIN, ttlMs * LEAD_RATIO), ttlMs / 2);
    return { value, refreshAtMs: nowMs + ttlMs - leadMs, expiresAtMs: nowMs + ttlMs };
  }

  #slotOf(auth: OAuth2): Slot {
    const { tokenUrl, clientId, clientSecret, scope, audience, clientAuth } = auth;
    const proof = createHash('sha256').update(clientSecret).digest('base64');
    const key = JSON.stringify([tokenUrl, clientId, scope, audience, clientAuth, proof]);
    const slot = this.#slots.get(key) ?? { token: null, failure: null, asking: null };
    // Entered anew, so that the first of the map is the one used longest ago.
    this.#slots.delete(key);
    this.#slots.set(key, slot);
    if (this.#slots.size > SLOTS_MAX) {
      const [oldest = ''] = this.#slots.keys();
      this.#slots.delete(oldest);
      this.stats.evicted++;
    }
    return slot;
  }
}

function bearer({ value }: { readonly value: string }): { readonly value: string } {
  return { value: `Bearer ${value}` };
}
