import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';

/** Where figures come from: without it they mean little. */
export interface MachineFacts {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryMb: number;
  readonly kernel: string;
  readonly node: string;
  readonly commit: string | null;
}

/** The core of whoever is measured, and the core of everybody else. */
export const MEASURED_CORE = 0;
export const OTHER_CORE = 1;

export function machineFacts(): MachineFacts {
  const cores = cpus();
  return {
    cpu: cores[0]?.model ?? 'unknown',
    cores: cores.length,
    memoryMb: Math.round(totalmem() / 2 ** 20),
    kernel: release(),
    node: process.version,
    commit: answerOf('git', ['rev-parse', '--short', 'HEAD']),
  };
}

/** Binds a process, with all its threads, to one core. False where it cannot be done: figures then say so. */
export function pin(pid: number, core: number): boolean {
  if (cpus().length < 2) return false;
  return answerOf('taskset', ['-a', '-p', '-c', String(core), String(pid)]) !== null;
}

/** CPU seconds a process has used, all threads, user and system; 0 when it is gone. */
export function cpuSecondsOf(pid: number): number {
  const fields = statFieldsOf(pid);
  // proc(5): utime and stime are fields 14 and 15; what follows the name in parentheses begins with field 3.
  return fields === undefined ? 0 : (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** Seconds the first thread of a process was ready to run while its core ran others; 0 where nobody counts. */
export function waitedSecondsOf(pid: number): number {
  try {
    // Documentation/scheduler/sched-stats.rst of Linux: time on the CPU, time waiting for it, time slices.
    const [, waitedNs = '0'] = readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ');
    return Number(waitedNs) / 1e9;
  } catch {
    // Gone, or a kernel without them.
    return 0;
  }
}

export function parentOf(pid: number): number {
  return Number(statFieldsOf(pid)?.[1] ?? 0);
}

/**
 * Ends all processes that a process started, and all they started, each before its own: who is asked first
 * starts nobody again.
 */
export function killDescendants(pid: number): void {
  for (const child of childrenOf(pid)) {
    const grandchildren = childrenOf(child);
    killNow(child);
    for (const grandchild of grandchildren) {
      killDescendants(grandchild);
      killNow(grandchild);
    }
  }
}

function childrenOf(pid: number): readonly number[] {
  const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return all.map(Number).filter((other) => parentOf(other) === pid);
}

function killNow(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Gone between being listed and being killed.
  }
}

/** Resident memory of a process, in MB. */
export function residentMbOf(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kib ?? Number.NaN) / 1024;
}

/** Seconds each core was busy since the machine started, and what the hypervisor gave to others instead. */
export interface CoreTimes {
  readonly busySeconds: readonly number[];
  readonly stolenSeconds: readonly number[];
}

export function coreTimes(): CoreTimes {
  const lines = readFileSync('/proc/stat', 'utf8').split('\n');
  const cores = lines.filter((line) => /^cpu\d/.test(line)).map((line) => line.split(/\s+/).map(Number));
  return {
    // user, nice, system, irq, softirq: all but idle, iowait, steal, and guests, which are in user already.
    busySeconds: cores.map(([, ...t]) => (t[0]! + t[1]! + t[2]! + t[5]! + t[6]!) / TICKS_PER_SECOND),
    stolenSeconds: cores.map(([, ...t]) => t[7]! / TICKS_PER_SECOND),
  };
}

const TICKS_PER_SECOND = Number(answerOf('getconf', ['CLK_TCK']) ?? 100);

function statFieldsOf(pid: number): string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    // Gone: it uses nothing more.
    return undefined;
  }
}

function answerOf(command: string, args: readonly string[]): string | null {
  try {
    return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    // No such command here, or not allowed: the caller says what is missing.
    return null;
  }
}
