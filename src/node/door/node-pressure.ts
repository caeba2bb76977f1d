import { totalmem } from 'node:os';
import { performance } from 'node:perf_hooks';
import { MIB } from '../../base/units.ts';
import type { Settings } from '../../config/settings.ts';
import type { LoopDelay } from '../../telemetry/loop-delay.ts';
import type { NodeCondition } from '../admission.ts';
import { LoopPressure } from '../loop-pressure.ts';

/** Of the machine's memory, for its media nodes. */
const MEMORY_RATIO = 0.8;
/** However small the machine: a node by itself takes a fifth of it. */
const MEMORY_MIN_BYTES = 512 * MIB;

export type PressureSettings = Pick<
  Settings,
  'nodeCapLegs' | 'loopDelayMaxMs' | 'loopBusyMaxRatio' | 'nodeMemoryMaxBytes' | 'mediaNodes'
>;

/** What a process knows of its own effort, since it was last asked. */
export interface Effort {
  readonly loopDelayP99Ms: number;
  /** Share of the time its event loop worked. */
  readonly loopBusyRatio: number;
  readonly residentBytes: number;
}

/** How much a node has to carry, looked at about once a second. */
export class NodePressure {
  readonly #delay: LoopPressure;
  readonly #busy: LoopPressure;
  readonly #memoryMaxBytes: number;
  #residentBytes = 0;

  constructor(settings: PressureSettings, machineBytes = memoryOfMachine()) {
    const { nodeCapLegs, loopDelayMaxMs, loopBusyMaxRatio } = settings;
    this.#delay = new LoopPressure(nodeCapLegs, loopDelayMaxMs);
    this.#busy = new LoopPressure(nodeCapLegs, loopBusyMaxRatio);
    this.#memoryMaxBytes = memoryMaxBytesOf(settings, machineBytes);
  }

  get loopDelayP99Ms(): number {
    return this.#delay.reading;
  }

  get isLate(): boolean {
    return this.#delay.isBad || this.#busy.isBad;
  }

  get condition(): Pick<NodeCondition, 'capLegsByDelay' | 'capLegsByBusy' | 'isMemoryNearFull'> {
    return {
      capLegsByDelay: this.#delay.capLegs,
      capLegsByBusy: this.#busy.capLegs,
      isMemoryNearFull: this.#memoryMaxBytes > 0 && this.#residentBytes > this.#memoryMaxBytes,
    };
  }

  look({ loopDelayP99Ms, loopBusyRatio, residentBytes }: Effort, legs: number): void {
    this.#delay.look(loopDelayP99Ms, legs);
    this.#busy.look(loopBusyRatio, legs);
    this.#residentBytes = residentBytes;
  }
}

/** Reads this process' effort; each reader is one of its own. */
export function openEffort(loopDelay: Pick<LoopDelay, 'read'>): () => Effort {
  let before = performance.eventLoopUtilization();
  return () => {
    const now = performance.eventLoopUtilization();
    const { utilization: loopBusyRatio } = performance.eventLoopUtilization(now, before);
    before = now;
    const residentBytes = process.memoryUsage.rss();
    return { loopDelayP99Ms: loopDelay.read().p99Ms, loopBusyRatio, residentBytes };
  };
}

function memoryMaxBytesOf(
  { nodeMemoryMaxBytes, mediaNodes }: PressureSettings,
  machineBytes: number,
): number {
  return nodeMemoryMaxBytes ?? Math.max(MEMORY_MIN_BYTES, (MEMORY_RATIO * machineBytes) / mediaNodes);
}

// A container without a limit of its own names one larger than any machine.
function memoryOfMachine(): number {
  const limitBytes = process.constrainedMemory();
  return limitBytes > 0 ? Math.min(limitBytes, totalmem()) : totalmem();
}
