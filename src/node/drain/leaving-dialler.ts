import type { Clock } from '../../base/clock.ts';
import type { AgentDialler } from '../../call/agent-dialler.ts';

export interface LeavingDiallerOptions {
  readonly dialler: AgentDialler;
  readonly clock: Pick<Clock, 'after' | 'nowMs'>;
  readonly isLeaving: () => boolean;
}

/** Dials somebody new for a call, unless the node leaves: the call is about to go, and they would stay. */
export class LeavingDialler implements AgentDialler {
  readonly counts = { refused: 0 };
  readonly #options: LeavingDiallerOptions;

  constructor(options: LeavingDiallerOptions) {
    this.#options = options;
  }

  dial(...[backend, call, listener]: Parameters<AgentDialler['dial']>): ReturnType<AgentDialler['dial']> {
    const { dialler, clock, isLeaving } = this.#options;
    if (!isLeaving()) return dialler.dial(backend, call, listener);
    this.counts.refused++;
    const failure = { error: 'draining', detail: 'this node is leaving' };
    return { cancel: clock.after(0, () => listener.failed(failure, clock.nowMs())) };
  }
}
