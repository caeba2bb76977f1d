import type { NodeRecord } from './node-record.ts';
import type { RegistryCounts } from './registry-counts.ts';
import type {
  BeatAnswer,
  CallSave,
  Claim,
  ClaimWish,
  Found,
  FoundAlias,
  Orphan,
  Registry,
  Saved,
} from './registry.ts';

/** What of a registry keeps a copy. */
type CopyKeeper = Pick<Registry, 'save' | 'end' | 'nodes' | 'close'>;

interface Copying {
  /** Saved while another save of the call was on its way: only the newest is worth sending. */
  next: CallSave | undefined;
}

/**
 * The registry of a region that tells the neighbouring ones of its calls, too: whoever loses the whole region
 * goes on with them there. Nobody waits for a copy. Where one is refused the call has gone on in that region,
 * and the next save here says so.
 */
export class CopiedRegistry implements Registry {
  readonly copyCounts = { copies: 0, unanswered: 0, overtaken: 0 };
  readonly #home: Registry & { readonly counts: RegistryCounts };
  readonly #keepers: readonly CopyKeeper[];
  /** By keeper, the calls whose copy is on its way: no more than the node owns. */
  readonly #copying: readonly Map<string, Copying>[];
  /** Keepers that are asked whether they are there. */
  readonly #knocking = new Set<number>();
  /** Calls that went on elsewhere, until their owner here has heard. */
  readonly #gone = new Map<string, { readonly answer: Saved; readonly token: number }>();

  constructor(home: Registry & { readonly counts: RegistryCounts }, keepers: readonly CopyKeeper[]) {
    this.#home = home;
    this.#keepers = keepers;
    this.#copying = keepers.map(() => new Map<string, Copying>());
  }

  get counts(): RegistryCounts {
    return this.#home.counts;
  }

  beat(node: NodeRecord): Promise<BeatAnswer | undefined> {
    return this.#home.beat(node);
  }

  leave(incarnation: string): Promise<void> {
    return this.#home.leave(incarnation);
  }

  nodes(): Promise<readonly NodeRecord[] | undefined> {
    return this.#home.nodes();
  }

  find(callId: string): Promise<Found> {
    return this.#home.find(callId);
  }

  findAlias(alias: string): Promise<FoundAlias> {
    return this.#home.findAlias(alias);
  }

  claim(incarnation: string, wish: ClaimWish): Promise<Claim> {
    this.#gone.delete(wish.callId);
    return this.#home.claim(incarnation, wish);
  }

  async save(incarnation: string, saved: CallSave): Promise<Saved> {
    const gone = this.#gone.get(saved.callId);
    this.#gone.delete(saved.callId);
    // What was claimed here again since then is not gone.
    if (gone !== undefined && saved.token <= gone.token) return gone.answer;
    for (const index of this.#keepers.keys()) this.#copy(index, incarnation, saved);
    return this.#home.save(incarnation, saved);
  }

  async end(incarnation: string, callId: string, token: number): Promise<Saved> {
    this.#gone.delete(callId);
    for (const copying of this.#copying) copying.delete(callId);
    // Asked once: where it is not heard, the copy is forgotten in its own time.
    for (const keeper of this.#keepers) void keeper.end(incarnation, callId, token);
    return this.#home.end(incarnation, callId, token);
  }

  orphans(): Promise<readonly Orphan[]> {
    return this.#home.orphans();
  }

  async close(): Promise<void> {
    await this.#home.close();
    for (const keeper of this.#keepers) await keeper.close();
  }

  /** One save of a call at a time goes to each region, however far that is. */
  #copy(index: number, incarnation: string, saved: CallSave): void {
    const copying = this.#copying[index]!;
    const under = copying.get(saved.callId);
    if (under !== undefined) {
      under.next = saved;
      return;
    }
    copying.set(saved.callId, { next: undefined });
    void this.#copyOn(index, incarnation, saved);
  }

  async #copyOn(index: number, incarnation: string, first: CallSave): Promise<void> {
    const copying = this.#copying[index]!;
    let saved: CallSave | undefined = first;
    while (saved !== undefined) {
      const { callId, token } = saved;
      const answer = await this.#keepers[index]!.save(incarnation, saved);
      this.#count(answer);
      if (answer === 'unavailable') this.#knock(index);
      const under = copying.get(callId);
      // It ended here meanwhile.
      if (under === undefined) return;
      saved = under.next;
      under.next = undefined;
      if (answer === 'fenced' || answer === 'ended') this.#gone.set(callId, { answer, token });
      if (saved === undefined) copying.delete(callId);
    }
  }

  /** One that was silent is not asked to save until it has answered something: so its return is seen. */
  #knock(index: number): void {
    if (this.#knocking.has(index)) return;
    this.#knocking.add(index);
    void this.#keepers[index]!.nodes().then(() => this.#knocking.delete(index));
  }

  #count(answer: Saved): void {
    if (answer === 'saved') this.copyCounts.copies++;
    else if (answer === 'unavailable') this.copyCounts.unanswered++;
    else this.copyCounts.overtaken++;
  }
}
