import type { AtMs, Cancel, Clock } from '../../base/clock.ts';

/** A whole endpoint that asked to be left alone for a while (Retry-After). */
export class EndpointPause {
  readonly #ports: { readonly clock: Clock; readonly stats: { pauses: number } };
  readonly #onOver: () => void;
  #running: { readonly untilAtMs: AtMs; readonly cancel: Cancel } | undefined;

  constructor(ports: { readonly clock: Clock; readonly stats: { pauses: number } }, onOver: () => void) {
    this.#ports = ports;
    this.#onOver = onOver;
  }

  get isOn(): boolean {
    return this.#running !== undefined;
  }

  /** Pauses until `pauseMs` from now at least; 0 changes nothing. */
  extend(pauseMs: number): void {
    if (pauseMs <= 0) return;
    const { clock, stats } = this.#ports;
    const untilAtMs = clock.nowMs() + pauseMs;
    if (this.#running !== undefined && this.#running.untilAtMs >= untilAtMs) return;
    stats.pauses++;
    this.cancel();
    const over = (): void => {
      this.#running = undefined;
      this.#onOver();
    };
    this.#running = { untilAtMs, cancel: clock.after(pauseMs, over) };
  }

  cancel(): void {
    this.#running?.cancel();
    this.#running = undefined;
  }
}
