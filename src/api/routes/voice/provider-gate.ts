import type { FastifyRequest } from 'fastify';
import type { Clock } from '../../../base/clock.ts';
import { VoiceError } from '../../../base/errors.ts';
import { sha256Hex } from '../../../base/secret.ts';
import type { StreamCredential } from '../../../events/commands.ts';
import { isWebhookProven, nonceOf } from '../../../providers/answers/proof.ts';
import type { Webhook } from '../../../providers/answers/webhook.ts';
import { countedAs, isAllowed } from '../../door/addresses.ts';
import { FailureGuard } from '../../door/rate-limits.ts';
import { BoundedMap, TokenBucket } from '../../door/token-bucket.ts';
import type { CredentialStore } from '../../ports.ts';

/** A provider's account with this many calls a second has more than one credential. */
const REQUESTS_PER_MINUTE = 6_000;
const MINUTE_MS = 60_000;
const BUCKETS_MAX = 10_000;
/** Plivo's signatures tell no time: as many are remembered as there is room for. */
const NONCES_MAX = 100_000;

/** What providers asked and told, and what was refused. */
export function newProviderStats() {
  return {
    connected: 0,
    hungUp: 0,
    givenUp: 0,
    ended: 0,
    streamsLost: 0,
    answersTold: 0,
    progress: 0,
    unknownStatus: 0,
    hangUpFailed: 0,
    restartFailed: 0,
    wrongCredential: 0,
    turnedAway: 0,
    wrongProof: 0,
    replayed: 0,
    rateLimited: 0,
    tooLarge: 0,
    bucketsForgotten: 0,
    noncesForgotten: 0,
  };
}

export type ProviderStats = ReturnType<typeof newProviderStats>;

export interface ProviderGateParts {
  readonly credentials: Pick<CredentialStore, 'bySecret'>;
  readonly clock: Pick<Clock, 'nowMs' | 'unixMs'>;
  readonly stats: ProviderStats;
}

/** The gate before what providers ask over HTTP: the credential in the path, and then what they sign. */
export class ProviderGate {
  readonly #parts: ProviderGateParts;
  readonly #guard: FailureGuard;
  /** SHA-256 of what a signature is good for once. */
  readonly #nonces = new BoundedMap<true>(NONCES_MAX);
  readonly #rates = new BoundedMap<TokenBucket>(BUCKETS_MAX);

  constructor(parts: ProviderGateParts) {
    this.#parts = parts;
    this.#guard = new FailureGuard(parts.clock);
  }

  /** The credential in the path. Throws `not_found` for an unknown one, whatever else is wrong. */
  async admit(dialect: string, secret: string, address: string): Promise<StreamCredential> {
    const { credentials } = this.#parts;
    const credential = await this.find(address, async () => {
      const found = await credentials.bySecret(sha256Hex(secret));
      return found?.dialect === dialect ? found : undefined;
    });
    return this.#paced(credential);
  }

  /** What is known by a secret of the address. Throws `not_found` where nothing is. */
  async find<T>(address: string, look: () => Promise<T | undefined>): Promise<T> {
    const { stats } = this.#parts;
    const counted = countedAs(address);
    if (this.#guard.waitMs(counted) > 0) {
      stats.turnedAway++;
      throw new VoiceError('rate_limited', 'too many unknown credentials from this address');
    }
    const found = await look();
    if (found !== undefined) return found;
    stats.wrongCredential++;
    this.#guard.failed(counted);
    throw new VoiceError('not_found', 'there is nothing at this address');
  }

  /**
   * Throws `permission_denied` unless the request shows what its credential demands, and for the first time.
   */
  requireProven(credential: StreamCredential, webhook: Webhook, { ip }: FastifyRequest): void {
    const { dialect, verify } = credential;
    if (verify === undefined) return;
    const isNear = isAllowed(ip, verify.ip_allow ?? []);
    if (isWebhookProven(dialect, webhook, verify, this.#parts.clock.unixMs()) && isNear) {
      return this.#requireNew(credential, nonceOf(dialect, webhook, verify));
    }
    this.#parts.stats.wrongProof++;
    throw new VoiceError('permission_denied', 'the request does not prove that it is the provider’s');
  }

  #requireNew({ workspaceId, dialect }: StreamCredential, nonce: string | undefined): void {
    if (nonce === undefined) return;
    const { stats } = this.#parts;
    const key = sha256Hex(JSON.stringify([workspaceId, dialect, nonce]));
    if (this.#nonces.has(key)) {
      stats.replayed++;
      throw new VoiceError('permission_denied', 'the request was made before');
    }
    this.#nonces.set(key, true);
    stats.noncesForgotten = this.#nonces.stats.forgotten;
  }

  #paced(credential: StreamCredential): StreamCredential {
    const { clock, stats } = this.#parts;
    const nowMs = clock.nowMs();
    const bucket =
      this.#rates.get(credential.id) ??
      this.#rates.set(
        credential.id,
        new TokenBucket(REQUESTS_PER_MINUTE, REQUESTS_PER_MINUTE / MINUTE_MS, nowMs),
      );
    stats.bucketsForgotten = this.#rates.stats.forgotten;
    if (bucket.take(nowMs)) return credential;
    stats.rateLimited++;
    throw new VoiceError('rate_limited', `a credential takes ${REQUESTS_PER_MINUTE} requests a minute`);
  }
}
