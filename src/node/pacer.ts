import type { AtMs, Cancel, Clock } from '../base/clock.ts';
import { Metronome } from '../media/metronome.ts';

/** Work of many legs is spread over the 20 ms, never done in one burst. */
const PHASES = 4;

/** A leg with something to pace: asked for exactly one frame a turn. */
export interface Tickable {
  tick(nowMs: AtMs): void;
}

/**
 * Drives the node's metronome with one timer, set to the absolute instant of the next step: a late tick does
 * not make
 * all later ones late (`setInterval` loses 10 ms a second, figures.md §6). It stands still while nobody
 * needs a clock.
 */
export class NodePacer {
  readonly stats = { failedTicks: 0 };
  readonly #clock: Clock;
  readonly #observeLagMs: (lagMs: number) => void;
  readonly #onFailure: (error: unknown) => void;
  readonly #metronome: Metronome;
  readonly #seats = new Map<Tickable, number>();
  readonly #phases = Array.from({ length: PHASES }, () => new Set<Tickable>());
  #cancel: Cancel | undefined;

  constructor(options: {
    clock: Clock;
    observeLagMs: (lagMs: number) => void;
    onFailure: (error: unknown) => void;
  }) {
    this.#clock = options.clock;
    this.#observeLagMs = options.observeLagMs;
    this.#onFailure = options.onFailure;
    this.#metronome = new Metronome(options.clock.nowMs(), PHASES);
  }

  get metronomeStats(): Readonly<Metronome['stats']> {
    return this.#metronome.stats;
  }

  add(tickable: Tickable): void {
    if (this.#seats.has(tickable)) return;
    // Whatever fell due while nobody was there is nobody's.
    if (this.#seats.size === 0) this.#metronome.skipTo(this.#clock.nowMs());
    const phase = this.#metronome.join();
    this.#seats.set(tickable, phase);
    this.#phases[phase]!.add(tickable);
    this.#cancel ??= this.#schedule();
  }

  remove(tickable: Tickable): void {
    const phase = this.#seats.get(tickable);
    if (phase === undefined) return;
    this.#seats.delete(tickable);
    this.#phases[phase]!.delete(tickable);
    this.#metronome.leave(phase);
  }

  close(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #schedule(): Cancel {
    return this.#clock.after(this.#metronome.nextAtMs - this.#clock.nowMs(), this.#run);
  }

  readonly #run = (): void => {
    const nowMs = this.#clock.nowMs();
    this.#observeLagMs(Math.max(0, nowMs - this.#metronome.nextAtMs));
    for (let left = this.#metronome.due(nowMs); left > 0; left--) {
      for (const tickable of this.#phases[this.#metronome.nextPhase()]!) this.#tick(tickable, nowMs);
    }
    this.#cancel = this.#seats.size > 0 ? this.#schedule() : undefined;
  };

  #tick(tickable: Tickable, nowMs: AtMs): void {
    try {
      tickable.tick(nowMs);
    } catch (error) {
      // A broken promise of ours ends one leg's pacing, never the tick of the others.
      this.stats.failedTicks++;
      this.remove(tickable);
      this.#onFailure(error);
    }
  }
}
