import type { TokenUses } from '../token-ledger.ts';

/** Nonces one node remembers at a time; beyond it nobody is let in by a proof that has one. */
const NONCES_MAX = 100_000;

/**
 * Proofs that are good for one upgrade. This node remembers a nonce for as long as its proof could hold; the
 * ledger of the host keeps it from the siblings, and over a restart.
 */
export class Nonces {
  readonly stats = { remembered: 0, replayed: 0, refusedFull: 0 };
  readonly #tokens: Pick<TokenUses, 'take'>;
  readonly #noncesMax: number;
  readonly #expiries = new Map<string, number>();

  constructor(tokens: Pick<TokenUses, 'take'>, noncesMax = NONCES_MAX) {
    this.#tokens = tokens;
    this.#noncesMax = noncesMax;
  }

  /** False where it was seen before, or where nobody can say. */
  take(nonce: string, expiresAtUnixMs: number, nowUnixMs: number): boolean {
    if (this.#isKnown(nonce, nowUnixMs)) {
      this.stats.replayed++;
      return false;
    }
    if (this.#expiries.size >= this.#noncesMax) this.#forgetExpired(nowUnixMs);
    if (this.#expiries.size >= this.#noncesMax) {
      this.stats.refusedFull++;
      return false;
    }
    const outcome = this.#tokens.take(`nonce ${nonce}`);
    if (outcome === 'used') this.stats.replayed++;
    if (outcome !== 'taken') return false;
    this.#expiries.delete(nonce);
    this.#expiries.set(nonce, expiresAtUnixMs);
    this.stats.remembered = this.#expiries.size;
    return true;
  }

  #isKnown(nonce: string, nowUnixMs: number): boolean {
    const expiresAtUnixMs = this.#expiries.get(nonce);
    return expiresAtUnixMs !== undefined && expiresAtUnixMs >= nowUnixMs;
  }

  #forgetExpired(nowUnixMs: number): void {
    for (const [nonce, expiresAtUnixMs] of this.#expiries) {
      if (expiresAtUnixMs < nowUnixMs) this.#expiries.delete(nonce);
    }
  }
}
