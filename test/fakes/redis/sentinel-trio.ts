import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, isAnswering } from './server.ts';

const NAME = 'omnivoice';
const SENTINELS = 3;
/** Of the three, two must find the master down, for one second. */
const QUORUM = 2;
const DOWN_AFTER_MS = 1_000;

/** A master, a replica of it, and three sentinels that put the replica in its place: all from one program. */
export class SentinelTrio {
  readonly #folder = mkdtempSync(join(tmpdir(), 'omnivoice-sentinel-'));
  readonly #processes: ChildProcess[] = [];
  #master: ChildProcess | undefined;
  #ports: readonly number[] = [];

  static async open(): Promise<SentinelTrio> {
    const trio = new SentinelTrio();
    await trio.#start();
    return trio;
  }

  get url(): string {
    return `redis+sentinel://${this.#ports.map((port) => `127.0.0.1:${port}`).join(',')}/${NAME}`;
  }

  /** As kill -9. */
  async killMaster(): Promise<void> {
    if (this.#master === undefined) return;
    const ended = once(this.#master, 'exit');
    this.#master.kill('SIGKILL');
    await ended;
  }

  async close(): Promise<void> {
    for (const process of this.#processes) {
      if (process.exitCode !== null || process.signalCode !== null) continue;
      const ended = once(process, 'exit');
      process.kill('SIGKILL');
      await ended;
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #start(): Promise<void> {
    const master = await freePort();
    this.#master = await this.#run(master, serverFlags(master));
    const replica = await freePort();
    await this.#run(replica, [...serverFlags(replica), '--replicaof', '127.0.0.1', String(master)]);
    const ports: number[] = [];
    for (let i = 0; i < SENTINELS; i++) {
      const port = await freePort();
      // A sentinel writes down in its file what it learns.
      const file = join(this.#folder, `sentinel-${i}.conf`);
      writeFileSync(
        file,
        [
          `sentinel monitor ${NAME} 127.0.0.1 ${master} ${QUORUM}`,
          `sentinel down-after-milliseconds ${NAME} ${DOWN_AFTER_MS}`,
          `sentinel failover-timeout ${NAME} 5000`,
        ].join('\n'),
      );
      await this.#run(port, [file, '--sentinel', '--port', String(port), '--bind', '127.0.0.1']);
      ports.push(port);
    }
    this.#ports = ports;
  }

  async #run(port: number, flags: readonly string[]): Promise<ChildProcess> {
    const process = spawn('redis-server', [...flags, '--dir', this.#folder], { stdio: 'ignore' });
    this.#processes.push(process);
    while (!(await isAnswering(port))) {
      if (process.exitCode !== null) throw new Error(`redis-server ended: ${process.exitCode}`);
    }
    return process;
  }
}

function serverFlags(port: number): string[] {
  const nothingKept = ['--save', '', '--appendonly', 'no'];
  return ['--port', String(port), '--bind', '127.0.0.1', ...nothingKept, '--repl-diskless-sync-delay', '0'];
}
