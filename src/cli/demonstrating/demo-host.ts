import type { Clock } from '../../base/clock.ts';
import { VoiceError } from '../../base/errors.ts';
import { parseObject } from '../../base/json.ts';
import { DemoProcess } from './demo-process.ts';

const READY_WITHIN_MS = 60_000;

export interface HostWish {
  /** What it runs: `bin/omnivoice.js`. */
  readonly program: string;
  /** Without `OMNIVOICE_`. */
  readonly settings: { readonly [name: string]: string };
  readonly env: { readonly [name: string]: string };
  readonly clock: Pick<Clock, 'after'>;
}

/** One host: `omnivoice serve` as anybody runs it, and the processes it keeps. */
export class DemoHost {
  readonly #process: DemoProcess;
  /** By their names, `control`, `node-0`, …: of their present lives. */
  readonly #pids = new Map<string, number>();
  readonly #ready = Promise.withResolvers<void>();

  constructor({ program, settings, env, clock }: HostWish) {
    const own = Object.entries(settings).map(([name, value]) => [`OMNIVOICE_${name}`, value]);
    this.#process = new DemoProcess({
      program: process.execPath,
      args: [program, 'serve', '--json'],
      env: { ...env, ...(Object.fromEntries(own) as { readonly [name: string]: string }) },
      clock,
      onLine: (line) => this.#hear(line),
      onLeft: () => this.#ready.reject(this.#notReady()),
    });
    const late = clock.after(READY_WITHIN_MS, () => this.#ready.reject(this.#notReady()));
    // Whoever waits for it is told; nobody may.
    this.#ready.promise.then(late, late);
  }

  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  /** One process of it, as the machine's memory runs out. */
  killChild(name: string): void {
    killPid(this.#pids.get(name));
  }

  /** All of it, as the power goes: first who would start the others again. */
  kill(): void {
    this.#process.kill();
    this.#killChildren();
  }

  async close(): Promise<void> {
    await this.#process.close();
    // Who leaves by itself takes the others along.
    if (this.#process.wasKilled) this.#killChildren();
  }

  #killChildren(): void {
    for (const pid of this.#pids.values()) killPid(pid);
  }

  #hear(line: string): void {
    const said = parseObject(line);
    const { child, child_pid: pid, event } = said ?? {};
    if (typeof child === 'string' && typeof pid === 'number') this.#pids.set(child, pid);
    if (event === 'ready') this.#ready.resolve();
  }

  #notReady(): VoiceError {
    return new VoiceError('unavailable', `a host did not come up:\n${this.#process.lastWords}`);
  }
}

function killPid(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Gone already.
  }
}
