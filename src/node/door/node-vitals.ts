import { statfs } from 'node:fs/promises';
import type { Settings } from '../../config/settings.ts';
import type { NodeStatus } from '../../link/messages.ts';
import type { Spool } from '../../link/spool/spool.ts';
import type { LoopDelay } from '../../telemetry/loop-delay.ts';
import type { NodeCondition } from '../admission.ts';
import { NodePressure, openEffort, type PressureSettings } from './node-pressure.ts';

export interface NodeVitalsOptions {
  readonly settings: PressureSettings &
    Pick<Settings, 'acceptWhenIsolated' | 'diskFreeMinRatio' | 'redisUrl'>;
  readonly spoolDir: string;
  readonly spool: Pick<Spool, 'bytes' | 'isNearLimit'>;
  readonly loopDelay: Pick<LoopDelay, 'read'>;
  readonly legs: () => number;
  readonly calls: () => number;
  readonly isDraining: () => boolean;
  /** The registry does not answer. */
  readonly isIsolated: () => boolean;
}

/** What a node knows of itself: how much it carries, and whether there is room for more. */
export class NodeVitals {
  readonly #options: NodeVitalsOptions;
  readonly #pressure: NodePressure;
  readonly #effort: ReturnType<typeof openEffort>;
  #isDiskNearFull = false;

  constructor(options: NodeVitalsOptions) {
    this.#options = options;
    this.#pressure = new NodePressure(options.settings);
    this.#effort = openEffort(options.loopDelay);
  }

  /** It shares calls with other hosts, and does not hear of them. */
  get isCutOff(): boolean {
    return this.#options.settings.redisUrl !== undefined && this.#options.isIsolated();
  }

  get condition(): NodeCondition {
    const { settings, spool, legs, isDraining } = this.#options;
    return {
      isDraining: isDraining(),
      legs: legs(),
      capLegs: settings.nodeCapLegs,
      ...this.#pressure.condition,
      isSpoolNearLimit: spool.isNearLimit,
      isDiskNearFull: this.#isDiskNearFull,
      isShutOff: this.isCutOff && settings.acceptWhenIsolated === 'false',
    };
  }

  /** What control and peers are told; `phase`: whether its door is open yet. */
  statusIn(phase: 'starting' | 'serving'): NodeStatus {
    const { settings, spool, legs, calls, isDraining } = this.#options;
    const well = phase === 'serving' && this.#pressure.isLate ? 'degraded' : phase;
    return {
      state: isDraining() ? 'draining' : well,
      legs: legs(),
      calls: calls(),
      capLegs: settings.nodeCapLegs,
      loopDelayP99Ms: this.#pressure.loopDelayP99Ms,
      spoolBytes: spool.bytes,
    };
  }

  /** Measures the process anew, about once a second: how busy it was since the last look. */
  look(): void {
    this.#pressure.look(this.#effort(), this.#options.legs());
  }

  /** Rejects where the disk cannot be read: it is believed to be as it was. */
  async lookAtDisk(): Promise<void> {
    const { settings, spoolDir } = this.#options;
    const { bavail, blocks } = await statfs(spoolDir);
    this.#isDiskNearFull = blocks > 0 && bavail / blocks < settings.diskFreeMinRatio;
  }
}
