import { sleep, type Clock } from '../../base/clock.ts';
import { FAULTS, refuse, type Refusal } from '../../base/errors.ts';
import type { Arrival, Arrivals } from '../../gateway/arrivals.ts';
import type { Resumes } from '../../gateway/door/admission.ts';
import type { RelayCounts, RelayedLine } from '../../gateway/relay/relayed-line.ts';
import type { ResumeClaims } from '../../gateway/resume-token.ts';
import type { OwnerLinks } from './owner-links.ts';
import type { TakeoverDesk } from './takeover.ts';

/** A call that cannot be found for so long is looked for by its client. */
const SEARCH_MS_MAX = 3_000;
const SEARCH_AGAIN_MS = 50;

/** Who makes legs here, and who finds where a call is, or brings it. */
export interface Finder {
  readonly here: Arrivals & Resumes;
  readonly bring: TakeoverDesk['bring'];
}

/** A leg whose call is not where it was. */
export interface Mover {
  readonly line: RelayedLine;
  readonly arrival: Arrival;
  readonly claims: ResumeClaims;
  /** Who had its call. */
  readonly owner: string;
  /** Carries it to another owner; false where there is no way to that one. */
  readonly carryTo: (owner: string) => boolean;
}

export interface RelayMovesOptions {
  readonly clock: Clock;
  readonly counts: Pick<RelayCounts, 'followed'>;
  readonly links: Pick<OwnerLinks, 'redialled'>;
}

/**
 * Brings relayed legs to where their call has gone: here, where nobody has it any more, or to whoever has it.
 * Their sockets stay open meanwhile.
 */
export class RelayMoves {
  readonly #options: RelayMovesOptions;

  constructor(options: RelayMovesOptions) {
    this.#options = options;
  }

  /** Resolves when the leg goes on, or was told to come back itself. */
  async follow(mover: Mover, finder: Finder): Promise<void> {
    const { clock, links } = this.#options;
    const { line, owner } = mover;
    const untilMs = clock.nowMs() + SEARCH_MS_MAX;
    // A link may break between two nodes that both live: then the call stays where it is.
    await links.redialled(owner);
    while (line.isSearching) {
      const refusal = await this.#find(mover, finder);
      if (refusal === undefined) return;
      const { closeCode, retryable } = FAULTS[refusal.fault];
      if (!retryable) return line.giveUp(closeCode, refusal.fault);
      if (clock.nowMs() >= untilMs) return line.giveUp();
      await sleep(clock, SEARCH_AGAIN_MS);
    }
  }

  /** Why it cannot go on yet; undefined where it does, or its client has left meanwhile. */
  async #find(mover: Mover, { here, bring }: Finder): Promise<Refusal | undefined> {
    const { counts } = this.#options;
    const { line, claims, arrival, carryTo } = mover;
    const { callId, fence, legId, generation } = claims;
    const connection = { legId, generation };
    const outcome = await bring({ callId, tokenFloor: fence ?? 0, connection });
    if (!line.isSearching) return undefined;
    if (outcome?.type === 'kept') {
      if (!carryTo(outcome.owner)) return refuse('unavailable', 'the owner cannot be reached');
      counts.followed++;
      return undefined;
    }
    if (outcome !== undefined) return outcome;
    const resumption = await here.resume(claims);
    if (resumption === undefined) return refuse('call_not_found', 'the call has ended or never was');
    if ('type' in resumption) return resumption;
    if (!line.isSearching) return undefined;
    const nowMs = this.#options.clock.nowMs();
    const leg = resumption.arrive({ ...arrival, receivedAtMs: nowMs }, nowMs);
    if ('type' in leg) return leg;
    line.goOn(leg);
    counts.followed++;
    return undefined;
  }
}
