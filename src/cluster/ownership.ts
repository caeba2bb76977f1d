import { randomRatio, type AtMs, type Cancel, type Clock } from '../base/clock.ts';
import type { Closeable } from '../base/lifetime.ts';
import { KIB } from '../base/units.ts';
import { PendingEnds } from './pending-ends.ts';
import type { CallSave, Claim, ClaimWish, Registry, Saved } from './registry.ts';
import { BEAT_MS, CLAIM_NEW_MS, SAVE_AGAIN_WITHIN_MS, SAVE_COALESCED_MS, SAVE_EVERY_MS } from './timing.ts';

/** A snapshot larger than this is not saved: the call goes on, and cannot be taken over as it is. */
export const SNAPSHOT_BYTES_MAX = 64 * KIB;
const SNAPSHOT_BYTES_WARNED = 8 * KIB;
/** Of a call that no registry knows yet; every token of a registry is greater. */
const UNRECORDED_TOKEN = 1;

export interface OwnershipOptions {
  readonly clock: Pick<Clock, 'nowMs' | 'after' | 'randomBytes'>;
  readonly registry: Pick<Registry, 'claim' | 'save' | 'find' | 'end'>;
  readonly incarnation: string;
  /** Whether this node's own beats are not accepted: then it claims nothing. */
  readonly isIsolated: () => boolean;
  /** What another node needs to go on with the call; undefined where it is not here any more. */
  readonly snapshotOf: (callId: string) => Omit<CallSave, 'callId' | 'token'> | undefined;
  /** Another node owns the call, or it ended: whatever speaks for it here must stop. */
  readonly onFenced: (callId: string) => void;
  /** A new call is recorded: from now on its events carry this token. */
  readonly onRecorded?: (callId: string, token: number) => void;
}

interface Owned {
  token: number;
  /** The registry has answered that it is ours. */
  isRecorded: boolean;
  isSaving: boolean;
  isChanged: boolean;
  askedAtMs: AtMs;
  cancel: Cancel;
}

/**
 * The calls a node owns: claimed, saved and ended in the registry, and let go when a greater token is there.
 * Audio never waits for it. How many there can be is limited by the legs the node admits.
 */
export class Ownership implements Closeable {
  readonly counts = {
    takeovers: 0,
    fenced: 0,
    saves: 0,
    unavailable: 0,
    unrecorded: 0,
    snapshotsLarge: 0,
    snapshotsTooLarge: 0,
  };
  readonly #options: OwnershipOptions;
  readonly #owned = new Map<string, Owned>();
  readonly #ends: PendingEnds;

  constructor(options: OwnershipOptions) {
    this.#options = options;
    this.#ends = new PendingEnds(options);
  }

  get ownedCalls(): number {
    return this.#owned.size;
  }

  /** Ends that wait for the registry, and those given up because there were too many. */
  get ends(): { readonly waiting: number; readonly dropped: number } {
    return this.#ends;
  }

  /** The fencing token of the call, to be told with its events; undefined where the call is not owned. */
  tokenOf(callId: string): number | undefined {
    return this.#owned.get(callId)?.token;
  }

  /**
   * A call begins here. Resolves within 150 ms, claimed or not: nobody else can know it, so it is taken all
   * the same and claimed when the registry answers.
   */
  async begin(callId: string): Promise<void> {
    const owned = this.#adopt(callId, UNRECORDED_TOKEN, false);
    const asked = this.#tell(callId, owned);
    let cancel: Cancel = () => {};
    const late = new Promise<void>((resolve) => {
      cancel = this.#options.clock.after(CLAIM_NEW_MS, resolve);
    });
    await Promise.race([asked, late]);
    cancel();
    if (!owned.isRecorded) this.counts.unrecorded++;
  }

  /** Wants a call of another node. From `claimed` on it is owned here, and its snapshot is in the answer. */
  async take(wish: ClaimWish): Promise<Claim> {
    if (this.#options.isIsolated()) return { result: 'unavailable' };
    const claim = await this.#options.registry.claim(this.#options.incarnation, wish);
    if (claim.result === 'unavailable') this.counts.unavailable++;
    if (claim.result !== 'claimed') return claim;
    this.#drop(wish.callId);
    const owned = this.#adopt(wish.callId, claim.token, true);
    this.#saveIn(wish.callId, owned, SAVE_COALESCED_MS);
    if (claim.previousOwner !== this.#options.incarnation) this.counts.takeovers++;
    return claim;
  }

  /** The call has an event, or its state changed: saved now, or with others 50 ms after the last save. */
  changed(callId: string): void {
    const owned = this.#owned.get(callId);
    if (owned === undefined) return;
    owned.isChanged = true;
    if (owned.isSaving) return;
    this.#saveIn(callId, owned, owned.askedAtMs + SAVE_COALESCED_MS - this.#options.clock.nowMs());
  }

  /** The node may claim now: calls that began before are told at once. */
  recordAll(): void {
    for (const [callId, owned] of this.#owned) {
      if (!owned.isRecorded && !owned.isSaving) this.#saveIn(callId, owned, 0);
    }
  }

  /** The registry is new, or back: all calls are told again, spread over a second. */
  saveAll(): void {
    for (const [callId, owned] of this.#owned) {
      if (!owned.isSaving) this.#saveIn(callId, owned, this.#jitterMs(SAVE_AGAIN_WITHIN_MS));
    }
  }

  /** The call ended here. Told to the registry until it has heard. */
  end(callId: string): void {
    const owned = this.#drop(callId);
    if (owned !== undefined) this.#ends.add({ callId, token: owned.isRecorded ? owned.token : undefined });
  }

  /** The call goes on elsewhere: another node has claimed it with this one's consent. */
  release(callId: string): void {
    this.#drop(callId);
  }

  close(): void {
    for (const { cancel } of this.#owned.values()) cancel();
    this.#owned.clear();
    this.#ends.close();
  }

  #adopt(callId: string, token: number, isRecorded: boolean): Owned {
    const askedAtMs = this.#options.clock.nowMs();
    const state = { isSaving: false, isChanged: false, askedAtMs };
    const owned: Owned = { token, isRecorded, ...state, cancel: () => {} };
    this.#owned.set(callId, owned);
    return owned;
  }

  #drop(callId: string): Owned | undefined {
    const owned = this.#owned.get(callId);
    owned?.cancel();
    this.#owned.delete(callId);
    return owned;
  }

  #saveIn(callId: string, owned: Owned, delayMs: number): void {
    owned.cancel();
    owned.cancel = this.#options.clock.after(delayMs, () => void this.#tell(callId, owned));
  }

  /** One turn of a call: claimed where it is not yet, then saved; the next turn follows from the answer. */
  async #tell(callId: string, owned: Owned): Promise<void> {
    if (owned.isSaving) return;
    owned.isChanged = false;
    const wasRecorded = owned.isRecorded;
    const saved = wasRecorded ? await this.#save(callId, owned) : await this.#record(callId, owned);
    if (this.#owned.get(callId) !== owned) return;
    if (saved === 'fenced' || saved === 'ended') return this.#fenced(callId);
    if (saved === 'unavailable') {
      this.counts.unavailable++;
      return this.#saveIn(callId, owned, BEAT_MS / 2 + this.#jitterMs(BEAT_MS));
    }
    // A record with nothing in it is a call that nobody could go on with.
    if (!wasRecorded) return this.#saveIn(callId, owned, 0);
    this.#saveIn(callId, owned, owned.isChanged ? SAVE_COALESCED_MS : SAVE_EVERY_MS);
  }

  async #record(callId: string, owned: Owned): Promise<Saved> {
    const { registry, incarnation, isIsolated } = this.#options;
    if (isIsolated()) return 'unavailable';
    owned.isSaving = true;
    const wish = { callId, reason: 'new', expectedOwner: null, tokenFloor: owned.token } as const;
    const claim = await registry.claim(incarnation, wish);
    owned.isSaving = false;
    if (claim.result === 'unavailable') return 'unavailable';
    if (claim.result !== 'claimed') return 'fenced';
    owned.token = claim.token;
    owned.isRecorded = true;
    this.#options.onRecorded?.(callId, claim.token);
    // There is a record, and nothing in it yet.
    owned.isChanged = true;
    return 'saved';
  }

  async #save(callId: string, owned: Owned): Promise<Saved> {
    const { registry, incarnation, snapshotOf, clock } = this.#options;
    const state = snapshotOf(callId);
    if (state === undefined) return 'saved';
    const snapshotBytes = Buffer.byteLength(state.snapshot);
    if (snapshotBytes > SNAPSHOT_BYTES_WARNED) this.counts.snapshotsLarge++;
    owned.isSaving = true;
    owned.askedAtMs = clock.nowMs();
    const { token } = owned;
    const isTooLarge = snapshotBytes > SNAPSHOT_BYTES_MAX;
    const saved = isTooLarge
      ? await this.#look(callId, token)
      : await registry.save(incarnation, { callId, token, ...state });
    owned.isSaving = false;
    if (isTooLarge) this.counts.snapshotsTooLarge++;
    else if (saved === 'saved') this.counts.saves++;
    return saved;
  }

  /** What cannot be saved must hear of a greater token all the same. */
  async #look(callId: string, token: number): Promise<Saved> {
    const found = await this.#options.registry.find(callId);
    if (found === 'unavailable' || found === 'unknown') return found === 'unknown' ? 'saved' : found;
    if (found.state === 'ended') return 'ended';
    return found.token > token ? 'fenced' : 'saved';
  }

  #fenced(callId: string): void {
    this.#drop(callId);
    this.counts.fenced++;
    this.#options.onFenced(callId);
  }

  #jitterMs(withinMs: number): number {
    return randomRatio(this.#options.clock) * withinMs;
  }
}
