import type { CallSave, Claim, ClaimWish, Saved } from '../../../src/cluster/registry.ts';
import { LocalRegistry } from '../../../src/cluster/local-registry.ts';

/** What a registry accepted of whom, watched over all its lives. */
export class Witness {
  readonly broken: string[] = [];
  claims = 0;
  readonly #ownerOf = new Map<string, string>();
  readonly #ended = new Set<string>();
  #tokens = new Map<string, number>();

  /** A registry that lost its data forgot what it gave; owners do not, so a token keeps its one owner. */
  emptied(): void {
    this.#tokens = new Map();
    this.#ended.clear();
  }

  accepted(incarnation: string, callId: string, token: number): void {
    const key = `${callId} ${token}`;
    const owner = this.#ownerOf.get(key) ?? incarnation;
    this.#ownerOf.set(key, owner);
    if (owner !== incarnation) this.broken.push(`${key} is ${owner}'s and ${incarnation}'s`);
    if (token < (this.#tokens.get(callId) ?? 0)) this.broken.push(`${key} is below one before`);
    if (this.#ended.has(callId)) this.broken.push(`${callId} lives after its end`);
    this.#tokens.set(callId, token);
  }

  ended(callId: string): void {
    this.#ended.add(callId);
  }
}

/** A registry under the eyes of a witness. */
export class WatchedRegistry extends LocalRegistry {
  readonly #witness: Witness;

  constructor(clock: ConstructorParameters<typeof LocalRegistry>[0], witness: Witness) {
    super(clock);
    this.#witness = witness;
  }

  override async claim(incarnation: string, wish: ClaimWish): Promise<Claim> {
    const claim = await super.claim(incarnation, wish);
    if (claim.result === 'claimed') {
      this.#witness.claims++;
      this.#witness.accepted(incarnation, wish.callId, claim.token);
    }
    return claim;
  }

  override async save(incarnation: string, saved: CallSave): Promise<Saved> {
    const answer = await super.save(incarnation, saved);
    if (answer === 'saved') this.#witness.accepted(incarnation, saved.callId, saved.token);
    return answer;
  }

  override async end(incarnation: string, callId: string, token: number): Promise<Saved> {
    const answer = await super.end(incarnation, callId, token);
    if (answer === 'saved') this.#witness.ended(callId);
    return answer;
  }
}
