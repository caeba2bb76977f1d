import type { AtMs } from '../../base/clock.ts';
import { AGAIN_MS, PROVIDER_AGAIN_MS, type MoveTimes } from './next-move.ts';

/** A socket here whose call is at another node. */
export interface LeavingLine {
  /** Tells the owner of its call that this node leaves; false where it has none just now. */
  leave(mayRedirect: boolean): boolean;
}

interface Told {
  readonly atMs: AtMs;
  readonly redirectAtMs: AtMs | undefined;
}

/**
 * Sockets of this node whose calls are at other nodes, when it leaves: the owners are told, one line at a
 * time, and call their clients home. They are told again, as lines of the node's own calls are.
 */
export class LeavingLines {
  readonly counts = { told: 0, toldAgain: 0 };
  readonly #told = new WeakMap<LeavingLine, Told>();

  /** Tells the owner of the first line whose turn it is; false where it is nobody's. */
  tellNext(lines: Iterable<LeavingLine>, times: MoveTimes): boolean {
    for (const line of lines) if (this.#tell(line, times)) return true;
    return false;
  }

  #tell(line: LeavingLine, { nowMs, providersFromAtMs }: MoveTimes): boolean {
    const told = this.#told.get(line);
    if (told !== undefined && nowMs - told.atMs < AGAIN_MS) return false;
    const isRedirectDue = nowMs - (told?.redirectAtMs ?? -Infinity) >= PROVIDER_AGAIN_MS;
    const mayRedirect = nowMs >= providersFromAtMs && isRedirectDue;
    if (!line.leave(mayRedirect)) return false;
    if (told === undefined) this.counts.told++;
    else this.counts.toldAgain++;
    this.#told.set(line, { atMs: nowMs, redirectAtMs: mayRedirect ? nowMs : told?.redirectAtMs });
    return true;
  }
}
