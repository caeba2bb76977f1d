import type { CommandResult } from '../events/commands.ts';
import type { NodeRecord } from './node-record.ts';
import { RegistryCounts } from './registry-counts.ts';
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
import { CLAIM_NEW_MS } from './timing.ts';

/** What a node asks the registry that another process of its host keeps. */
export type RegistryQuestion =
  | { readonly do: 'beat'; readonly node: NodeRecord }
  | { readonly do: 'leave'; readonly incarnation: string }
  | { readonly do: 'nodes' }
  | { readonly do: 'find'; readonly call_id: string }
  | { readonly do: 'find_alias'; readonly alias: string }
  | { readonly do: 'claim'; readonly incarnation: string; readonly wish: ClaimWish }
  | { readonly do: 'save'; readonly incarnation: string; readonly saved: CallSave }
  | { readonly do: 'end'; readonly incarnation: string; readonly call_id: string; readonly token: number }
  | { readonly do: 'orphans' };

/** Answers for the registry, at the process that keeps it. */
export function answerFrom(registry: Registry, question: RegistryQuestion): Promise<unknown> {
  switch (question.do) {
    case 'beat':
      return registry.beat(question.node);
    case 'leave':
      return registry.leave(question.incarnation);
    case 'nodes':
      return registry.nodes();
    case 'find':
      return registry.find(question.call_id);
    case 'find_alias':
      return registry.findAlias(question.alias);
    case 'claim':
      return registry.claim(question.incarnation, question.wish);
    case 'save':
      return registry.save(question.incarnation, question.saved);
    case 'end':
      return registry.end(question.incarnation, question.call_id, question.token);
    default:
      return registry.orphans();
  }
}

export interface AskedRegistryOptions {
  /** Puts the question; every failure of the way is an answer that is not `ok`. */
  readonly ask: (question: RegistryQuestion, timeLimitMs: number) => Promise<CommandResult>;
  readonly clock: { nowMs(): number };
}

/** The registry of one host as its nodes see it: they ask the process that keeps it. */
export class AskedRegistry implements Registry {
  readonly counts = new RegistryCounts();
  readonly #options: AskedRegistryOptions;

  constructor(options: AskedRegistryOptions) {
    this.#options = options;
  }

  async beat(node: NodeRecord): Promise<BeatAnswer | undefined> {
    const sentAtMs = this.#options.clock.nowMs();
    const answer = await this.#ask<BeatAnswer | undefined>({ do: 'beat', node }, undefined);
    return answer && { ...answer, roundTripMs: this.#options.clock.nowMs() - sentAtMs };
  }

  async leave(incarnation: string): Promise<void> {
    await this.#ask({ do: 'leave', incarnation }, undefined);
  }

  nodes(): Promise<readonly NodeRecord[] | undefined> {
    return this.#ask<readonly NodeRecord[] | undefined>({ do: 'nodes' }, undefined);
  }

  find(callId: string): Promise<Found> {
    return this.#ask<Found>({ do: 'find', call_id: callId }, 'unavailable');
  }

  findAlias(alias: string): Promise<FoundAlias> {
    return this.#ask<FoundAlias>({ do: 'find_alias', alias }, 'unavailable');
  }

  claim(incarnation: string, wish: ClaimWish): Promise<Claim> {
    return this.#ask<Claim>({ do: 'claim', incarnation, wish }, { result: 'unavailable' });
  }

  save(incarnation: string, saved: CallSave): Promise<Saved> {
    return this.#ask<Saved>({ do: 'save', incarnation, saved }, 'unavailable');
  }

  end(incarnation: string, callId: string, token: number): Promise<Saved> {
    return this.#ask<Saved>({ do: 'end', incarnation, call_id: callId, token }, 'unavailable');
  }

  orphans(): Promise<readonly Orphan[]> {
    return this.#ask<readonly Orphan[]>({ do: 'orphans' }, []);
  }

  close(): void {
    // The way to the other process is somebody else's.
  }

  async #ask<T>(question: RegistryQuestion, otherwise: T): Promise<T> {
    const answer = await this.#options.ask(question, CLAIM_NEW_MS);
    // Both sides are started from one checkout: the answer is what the other one promises.
    if (answer.ok) return answer.value as T;
    this.counts.unanswered++;
    return otherwise;
  }
}
