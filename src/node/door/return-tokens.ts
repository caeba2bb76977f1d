import type { Clock } from '../../base/clock.ts';
import type { Call } from '../../call/call.ts';
import { FIRST_GENERATION } from '../../call/parties/roster.ts';
import type { ResumeTokens } from '../../gateway/resume-token.ts';
import type { Leg } from '../../leg/leg.ts';

/** A resume token outlives the window by five minutes (cluster.md §2.6). */
const GRACE_MS = 300_000;

export interface ReturnTokensOptions {
  readonly clock: Pick<Clock, 'unixMs'>;
  readonly resumeTokens: Pick<ResumeTokens, 'mint'>;
  readonly resumeWindowMs: number;
  readonly region: string;
}

/** The tokens by which legs of this node come back to their calls, here or elsewhere. */
export class ReturnTokens {
  readonly #options: ReturnTokensOptions;

  constructor(options: ReturnTokensOptions) {
    this.#options = options;
  }

  /** For the leg's connection as it is now; a leg that is not in its call yet connects for the first time. */
  mintFor(leg: Leg, call: Call): string {
    const { clock, resumeTokens, resumeWindowMs, region } = this.#options;
    return resumeTokens.mint({
      callId: call.id,
      legId: leg.id,
      dialect: leg.dialectName,
      format: leg.codecName,
      generation: call.roster.find(leg.id)?.generation ?? FIRST_GENERATION,
      region,
      fence: call.fence,
      expiresAtUnixMs: clock.unixMs() + resumeWindowMs + GRACE_MS,
    });
  }
}
