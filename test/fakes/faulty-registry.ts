import type { Clock } from '../../src/base/clock.ts';
import type { NodeRecord } from '../../src/cluster/node-record.ts';
import type {
  BeatAnswer,
  CallSave,
  Claim,
  ClaimWish,
  Found,
  Registry,
  Saved,
} from '../../src/cluster/registry.ts';

/** `mute` runs what it is told and answers nothing; `late` runs it only after the asker gave up. */
export type RegistryFault = 'none' | 'down' | 'slow' | 'mute' | 'late' | 'read_only';

const ROUND_TRIP_MS = 1;
const SLOW_MS = 120;
const LATE_MS = 2_000;
/** As the commands of the real one. */
const TIMEOUT_MS = 300;

/** One node's way to a registry, with faults: what is asked arrives, is answered, or is not. */
export class FaultyRegistry implements Registry {
  fault: RegistryFault = 'none';
  /** Asked for the registry each time: another one may stand in its place, with nothing in it. */
  readonly #registry: () => Registry;
  readonly #clock: Pick<Clock, 'after'>;

  constructor(registry: Registry | (() => Registry), clock: Pick<Clock, 'after'>) {
    this.#registry = typeof registry === 'function' ? registry : () => registry;
    this.#clock = clock;
  }

  beat(node: NodeRecord): Promise<BeatAnswer | undefined> {
    return this.#ask<BeatAnswer | undefined>((registry) => registry.beat(node), undefined, 'writes');
  }

  async leave(incarnation: string): Promise<void> {
    await this.#ask<unknown>((registry) => registry.leave(incarnation), undefined, 'writes');
  }

  nodes(): ReturnType<Registry['nodes']> {
    return this.#ask<readonly NodeRecord[] | undefined>((registry) => registry.nodes(), undefined, 'reads');
  }

  find(callId: string): Promise<Found> {
    return this.#ask<Found>((registry) => registry.find(callId), 'unavailable', 'reads');
  }

  findAlias(alias: string): ReturnType<Registry['findAlias']> {
    return this.#ask((registry) => registry.findAlias(alias), 'unavailable', 'reads');
  }

  claim(incarnation: string, wish: ClaimWish): Promise<Claim> {
    const none = { result: 'unavailable' } as const;
    return this.#ask<Claim>((registry) => registry.claim(incarnation, wish), none, 'writes');
  }

  save(incarnation: string, saved: CallSave): Promise<Saved> {
    return this.#ask<Saved>((registry) => registry.save(incarnation, saved), 'unavailable', 'writes');
  }

  end(incarnation: string, callId: string, token: number): Promise<Saved> {
    return this.#ask<Saved>((registry) => registry.end(incarnation, callId, token), 'unavailable', 'writes');
  }

  orphans(): ReturnType<Registry['orphans']> {
    return this.#ask((registry) => registry.orphans(), [], 'reads');
  }

  close(): void {}

  #ask<T>(run: (registry: Registry) => Promise<T>, none: T, kind: 'reads' | 'writes'): Promise<T> {
    const { fault } = this;
    const isRefused = fault === 'down' || (fault === 'read_only' && kind === 'writes');
    if (isRefused) return this.#after(ROUND_TRIP_MS, async () => none);
    if (fault === 'mute' || fault === 'late') {
      const runsInMs = fault === 'mute' ? ROUND_TRIP_MS : LATE_MS;
      void this.#after(runsInMs, () => run(this.#registry()));
      return this.#after(TIMEOUT_MS, async () => none);
    }
    return this.#after(fault === 'slow' ? SLOW_MS : ROUND_TRIP_MS, () => run(this.#registry()));
  }

  #after<T>(delayMs: number, answer: () => Promise<T>): Promise<T> {
    return new Promise((resolve) => {
      this.#clock.after(delayMs, () => void answer().then(resolve));
    });
  }
}
