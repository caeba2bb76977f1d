import type { AtMs } from '../../../base/clock.ts';
import type { RunCall, RunObserver } from '../call-run.ts';
import type { Envelope } from '../../../events/envelope.ts';
import type { SeenEvent } from '../events/event-watch.ts';
import { eventLine } from './event-line.ts';

/** So many calls can be followed by eye. */
const NARRATED_CALLS_MAX = 8;

export interface NarrationOptions {
  readonly count: number;
  readonly print: (line: string) => void;
  readonly nowMs: () => AtMs;
}

/** Tells a run as it goes: every event of a few calls, the count of many. */
export class Narration implements RunObserver {
  readonly #options: NarrationOptions;
  readonly #connectedAtMs = new Map<RunCall, AtMs>();
  #up = 0;
  #over = 0;
  #failed = 0;
  #lastProgress = '';

  constructor(options: NarrationOptions) {
    this.#options = options;
  }

  get isOfMany(): boolean {
    return this.#options.count > NARRATED_CALLS_MAX;
  }

  connected(call: RunCall, connectMs: number): void {
    this.#up++;
    const { nowMs } = this.#options;
    this.#connectedAtMs.set(call, nowMs());
    if (this.isOfMany) return;
    const id = call.callId === null ? '' : `${call.callId} `;
    this.#tell(call, `${id}connected in ${connectMs.toFixed(1)} ms`);
  }

  event(call: RunCall, event: SeenEvent, { data }: Envelope): void {
    if (this.isOfMany) return;
    this.#tell(call, eventLine(event, data, event.atMs - (this.#connectedAtMs.get(call) ?? event.atMs)));
  }

  over(call: RunCall): void {
    this.#over++;
    if (this.#connectedAtMs.has(call)) this.#up--;
    const { outcome } = call;
    if (outcome?.type !== 'failed') return;
    this.#failed++;
    if (!this.isOfMany) this.#tell(call, `failed: ${outcome.detail}`);
  }

  /** Where the run stands, if that has changed: for many calls, about once a second. */
  progress(): void {
    if (!this.isOfMany) return;
    const failed = this.#failed === 0 ? '' : `, ${this.#failed} failed`;
    const line = `${this.#up} of ${this.#options.count} calls up, ${this.#over} over${failed}`;
    if (line !== this.#lastProgress) this.#options.print(line);
    this.#lastProgress = line;
  }

  #tell(call: RunCall, line: string): void {
    const { count, print } = this.#options;
    print(count === 1 ? line : `#${call.index + 1} ${line}`);
  }
}
