import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { MIGRATIONS } from '../../src/store/migrations/migrate.ts';
import { queried } from '../fakes/postgres/databases.ts';
import { freshDatabase, Opened, pause, untilFound } from './cluster-scene.ts';
import { freeRun } from './house.ts';

const PROGRAM = resolve(import.meta.dirname, '../../bin/omnivoice.js');
const LONG = process.env['OMNIVOICE_TEST_LONG'] !== undefined;
const PROCESSES = 20;
const API_KEY = `omf_live_${'k'.repeat(24)}`;

const opened = new Opened();

afterEach(() => opened.close());

class ControlProcess {
  readonly port: number;
  readonly said: string[] = [];
  readonly #process: ChildProcess;
  readonly #dataDir = mkdtempSync(join(tmpdir(), 'omnivoice-fleet-'));

  constructor(port: number, shared: NodeJS.ProcessEnv) {
    this.port = port;
    const own = { OMNIVOICE_DATA_DIR: this.#dataDir, OMNIVOICE_PORT: String(port) };
    const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('OMNIVOICE_'));
    const env = { ...Object.fromEntries(inherited), ...shared, ...own };
    this.#process = spawn(process.execPath, [PROGRAM, 'control'], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#process.stdout?.on('data', (text: Buffer) => this.said.push(text.toString()));
    this.#process.stderr?.on('data', (text: Buffer) => this.said.push(text.toString()));
  }

  /** Null while it runs. */
  get exitCode(): number | null {
    return this.#process.exitCode;
  }

  async get(path: string): Promise<{ readonly status: number; readonly body: unknown }> {
    try {
      const headers = { authorization: `Bearer ${API_KEY}` };
      const answer = await fetch(`http://127.0.0.1:${this.port}${path}`, { headers });
      return { status: answer.status, body: await answer.json() };
    } catch {
      // Not listening yet.
      return { status: 0, body: null };
    }
  }

  async close(): Promise<void> {
    if (this.exitCode === null && this.#process.signalCode === null) {
      const left = once(this.#process, 'exit');
      this.#process.kill('SIGKILL');
      await left;
    }
    rmSync(this.#dataDir, { recursive: true, force: true });
  }
}

it.runIf(LONG)(
  `${PROCESSES} control processes that start at once on an empty database all serve, from one schema`,
  { timeout: 300_000 },
  async () => {
    const url = await freshDatabase(opened, 'template0');
    const shared = {
      OMNIVOICE_DATABASE_URL: url,
      OMNIVOICE_API_KEY: API_KEY,
      OMNIVOICE_SIGNING_SECRET: randomBytes(32).toString('hex'),
      OMNIVOICE_ENCRYPTION_KEYS: `test:${randomBytes(32).toString('base64')}`,
    };
    const firstPort = await freeRun(PROCESSES);
    const startedAtMs = performance.now();
    const fleet = Array.from({ length: PROCESSES }, (_, i) =>
      opened.own(new ControlProcess(firstPort + i, shared)),
    );
    await untilFound(
      'all to serve',
      async () => {
        const answers = await Promise.all(fleet.map((control) => control.get('/healthz')));
        const broken = fleet.filter(({ exitCode }) => exitCode !== null);
        if (broken.length > 0) throw new Error(broken.map(({ said }) => said.join('')).join('\n'));
        return answers.map(({ status }) => status);
      },
      (statuses) => Array.isArray(statuses) && statuses.every((status) => status === 200),
      120_000,
    );
    console.log(`${PROCESSES} at once: all serve after ${Math.round(performance.now() - startedAtMs)} ms`);
    const steps = await queried(url, 'select version::int4 from schema_migrations order by version');
    expect(steps).toEqual(MIGRATIONS.map(({ version }) => ({ version })));
    const keys = await queried(url, 'select count(*)::int4 as n from api_keys');
    // The one that all were given, and that of each host's own command line.
    expect(keys).toEqual([{ n: 1 + PROCESSES }]);
    for (const control of fleet) {
      await untilFound(
        'the key to open every door',
        async () => {
          // Not too often: a key has its rate.
          await pause(200);
          return (await control.get('/api/v1/webhooks')).status;
        },
        (status) => status === 200,
      );
    }
  },
);
