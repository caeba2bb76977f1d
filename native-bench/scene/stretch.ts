import { systemClock } from '../../src/base/clock.ts';
import { coreTimes, cpuSecondsOf, MEASURED_CORE, OTHER_CORE, type CoreTimes } from '../machine.ts';

/** What processes and cores did during a stretch of time. */
export interface StretchFigures {
  readonly durationSeconds: number;
  /** The measured process, in percent of a core. */
  readonly cpuPercent: number;
  /** Ours beside it: load, control, receiver, in percent of a core. */
  readonly othersCpuPercent: number;
  /** What ran on each core and was not ours, in percent; null where nothing was bound to a core. */
  readonly foreignCpuPercent: { readonly measuredCore: number; readonly otherCore: number } | null;
  /** What the hypervisor gave to somebody else, in percent of a core, over all cores. */
  readonly stolenPercent: number;
}

/** Measures from its making to its end. */
export class Stretch {
  readonly startedAtMs = systemClock.nowMs();
  readonly #measuredPid: number;
  readonly #otherPids: readonly number[];
  readonly #isPinned: boolean;
  readonly #cores: CoreTimes;
  readonly #measuredSeconds: number;
  readonly #otherSeconds: number;

  constructor(options: { measuredPid: number; otherPids: readonly number[]; isPinned: boolean }) {
    this.#measuredPid = options.measuredPid;
    this.#otherPids = options.otherPids;
    this.#isPinned = options.isPinned;
    this.#cores = coreTimes();
    this.#measuredSeconds = cpuSecondsOf(options.measuredPid);
    this.#otherSeconds = sumOf(options.otherPids);
  }

  end(): StretchFigures {
    const durationSeconds = (systemClock.nowMs() - this.startedAtMs) / 1000;
    const percent = (seconds: number): number => (100 * seconds) / durationSeconds;
    const measured = percent(cpuSecondsOf(this.#measuredPid) - this.#measuredSeconds);
    const others = percent(sumOf(this.#otherPids) - this.#otherSeconds);
    const cores = coreTimes();
    const busy = (core: number): number => percent(cores.busySeconds[core]! - this.#cores.busySeconds[core]!);
    const stolen = cores.stolenSeconds.map((seconds, core) => seconds - this.#cores.stolenSeconds[core]!);
    return {
      durationSeconds,
      cpuPercent: measured,
      othersCpuPercent: others,
      foreignCpuPercent: this.#isPinned
        ? { measuredCore: busy(MEASURED_CORE) - measured, otherCore: busy(OTHER_CORE) - others }
        : null,
      stolenPercent: percent(stolen.reduce((sum, seconds) => sum + seconds, 0)),
    };
  }
}

function sumOf(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + cpuSecondsOf(pid), 0);
}
