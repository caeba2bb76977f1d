import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { until as holds } from '../fakes/until.ts';

const PROGRAM = resolve(import.meta.dirname, '../../bin/omnivoice.js');
/** A second where the machine is quiet. Where it is not, children fall silent as they start, and are replaced. */
const READY_WITHIN_MS = 60_000;
/** Load, receivers and house share a machine with whatever else it does: who is late for that is not to be replaced. */
const UNJUDGED = {
  OMNIVOICE_WATCHDOG_MS: '0',
  OMNIVOICE_LOOP_DELAY_MAX_MS: '0',
  OMNIVOICE_LOOP_BUSY_MAX_RATIO: '0',
};
/** Signals closer than 300 ms to each other are one. */
const HURRY_EVERY_MS = 350;

interface ReadyLine {
  readonly event: 'ready';
  readonly api_url: string;
  readonly media_url: string;
  readonly api_key: string;
  readonly ready_ms: number;
}

/** A line of the log that tells of a child. */
interface ChildLine {
  readonly child: string;
  readonly child_pid: number;
}

/** The whole house as its users run it: real processes, ports and files in a folder of its own. */
export class House {
  readonly ready: ReadyLine;
  readonly dataDir: string;
  readonly #process: ChildProcess;
  readonly #pids: Map<string, number>;
  readonly #log: string[];

  private constructor(parts: {
    ready: ReadyLine;
    dataDir: string;
    process: ChildProcess;
    pids: Map<string, number>;
    log: string[];
  }) {
    this.ready = parts.ready;
    this.dataDir = parts.dataDir;
    this.#process = parts.process;
    this.#pids = parts.pids;
    this.#log = parts.log;
  }

  /** Starts it and waits until it is ready. `settings` are environment variables without their prefix. */
  static async open(settings: { readonly [name: string]: string } = {}): Promise<House> {
    const dataDir = settings['DATA_DIR'] ?? mkdtempSync(join(tmpdir(), 'omnivoice-house-'));
    const env: NodeJS.ProcessEnv = {
      ...withoutTestWords(process.env),
      OMNIVOICE_DATA_DIR: dataDir,
      OMNIVOICE_PORT: '0',
      OMNIVOICE_MEDIA_PORT: String(await freeRun(4)),
      OMNIVOICE_MEDIA_NODES: '1',
      OMNIVOICE_RESUME_WINDOW_MS: '0',
      ...UNJUDGED,
    };
    for (const [name, value] of Object.entries(settings)) env[`OMNIVOICE_${name}`] = value;
    const child = spawn(process.execPath, [PROGRAM, 'serve', '--json'], { env, stdio: 'pipe' });
    const pids = new Map<string, number>();
    const log: string[] = [];
    const ready = Promise.withResolvers<ReadyLine>();
    createInterface({ input: child.stdout }).on('line', (line) => {
      log.push(line);
      const said = JSON.parse(line) as Partial<ReadyLine & ChildLine>;
      if (said.child !== undefined && said.child_pid !== undefined) pids.set(said.child, said.child_pid);
      if (said.event === 'ready') ready.resolve(said as ReadyLine);
    });
    createInterface({ input: child.stderr }).on('line', (line) => log.push(line));
    child.on('exit', (code) => ready.reject(new Error(`serve left with ${code}\n${log.join('\n')}`)));
    const late = setTimeout(() => ready.reject(new Error(`not ready\n${log.join('\n')}`)), READY_WITHIN_MS);
    try {
      return new House({ ready: await ready.promise, dataDir, process: child, pids, log });
    } catch (error) {
      // Its children follow it; left alone, it would start them again and again beside the next test.
      child.kill('SIGTERM');
      child.kill('SIGTERM');
      throw error;
    } finally {
      clearTimeout(late);
    }
  }

  get key(): string {
    return readFileSync(join(this.dataDir, 'cli-key'), 'utf8').trim();
  }

  get logged(): readonly string[] {
    return this.#log;
  }

  /** The pid of `control`, `node-0`, …: of its present life. */
  pidOf(child: string): number {
    const pid = this.#pids.get(child);
    if (pid === undefined) throw new Error(`no child is called ${child}`);
    return pid;
  }

  /** As when the machine runs out of memory: only the first process goes. */
  killSupervisor(): void {
    this.#process.kill('SIGKILL');
  }

  /** As a service manager stops it, once; resolves to its exit code when it has left in its own time. */
  async leave(): Promise<number | null> {
    const left = new Promise<number | null>((resolve) => this.#process.once('exit', resolve));
    this.#process.kill('SIGTERM');
    return left;
  }

  /** As when the machine loses its power: all of it at once. */
  killHost(): void {
    this.killSupervisor();
    for (const pid of this.#pids.values()) process.kill(pid, 'SIGKILL');
  }

  async api<T>(method: string, path: string, body?: object, key = this.key): Promise<T> {
    const response = await this.fetch(method, path, body, key);
    const answer = (await response.json()) as { success: boolean; data: T };
    if (!answer.success) throw new Error(`${method} ${path}: ${JSON.stringify(answer)}`);
    return answer.data;
  }

  fetch(method: string, path: string, body?: object, key = this.key): Promise<Response> {
    return fetch(`${this.ready.api_url}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }

  /** Ends it as an operator does, twice where the first is not enough, and leaves nothing behind. */
  async close(): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      const left = new Promise<void>((resolve) => this.#process.once('exit', () => resolve()));
      this.#process.kill('SIGTERM');
      const hurry = setInterval(() => this.#process.kill('SIGTERM'), HURRY_EVERY_MS);
      const kill = setTimeout(() => this.#process.kill('SIGKILL'), 8_000);
      await left;
      clearInterval(hurry);
      clearTimeout(kill);
    }
    rmSync(this.dataDir, { recursive: true, force: true });
  }
}

/** What is said to tests is no setting of a house. */
function withoutTestWords(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('OMNIVOICE_TEST_')));
}

/** The first of `count` ports in a row that are free now: nodes take those after the media port. */
export async function freeRun(count: number): Promise<number> {
  for (let attempt = 0; attempt < 50; attempt++) {
    const first = 20_000 + Math.floor((process.hrtime()[1] / 7) % 20_000);
    const free = await Promise.all(Array.from({ length: count }, (_, i) => isFree(first + i)));
    if (free.every(Boolean)) return first;
  }
  throw new Error('no run of free ports');
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/** Waits for something to come true, by the name of what is waited for. */
export function until(
  what: string,
  isSo: () => boolean | Promise<boolean>,
  withinMs?: number,
): Promise<void> {
  return holds(isSo, what, withinMs);
}
