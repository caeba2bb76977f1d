import type { AtMs } from '../../src/base/clock.ts';

/** Why a caller looked for another line. */
export type BreakCause = 'closed' | 'silent' | 'sent_away';

/** One line lost, and the one that took its place. */
export interface LineBreak {
  readonly cause: BreakCause;
  readonly noticedAtMs: AtMs;
  /** When the line that was let in was dialled; null while none was. */
  dialledAtMs: AtMs | null;
  /** When it was in its call again: told so, or where nobody tells, the first echo on it. */
  backAtMs: AtMs | null;
  /** Lines tried in vain before. */
  refusedLines: number;
}

/** Refusals are kept for the report, the first few of a caller. */
const REFUSALS_MAX = 4;

/** What becomes of a caller's lines. */
export class LineBreaks {
  readonly refusals: string[] = [];
  readonly #breaks: LineBreak[] = [];

  begin(cause: BreakCause, nowMs: AtMs): LineBreak {
    const one = { cause, noticedAtMs: nowMs, dialledAtMs: null, backAtMs: null, refusedLines: 0 };
    this.#breaks.push(one);
    return one;
  }

  refuse(one: LineBreak, why: string): void {
    one.refusedLines++;
    if (this.refusals.length < REFUSALS_MAX) this.refusals.push(why);
  }

  /** The first one since then. */
  since(atMs: AtMs): LineBreak | undefined {
    return this.#breaks.find(({ noticedAtMs }) => noticedAtMs >= atMs);
  }
}
