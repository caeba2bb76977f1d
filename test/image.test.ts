import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, delimiter, dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '..');
const INSTALL_MS_MAX = 120_000;
const HEALTHY_WITHIN_MS = 60_000;
const LEAVES_WITHIN_MS = 10_000;

interface Instruction {
  readonly name: string;
  readonly rest: string;
}

const instructions = readInstructions(readFileSync(join(ROOT, 'Dockerfile'), 'utf8'));
const folder = mkdtempSync(join(tmpdir(), 'omnivoice-image-'));
const dataDir = join(folder, 'data');
// The image's own PATH has the node of its base; here that is the one that runs this test.
const env: NodeJS.ProcessEnv = {
  PATH: `${dirname(process.execPath)}${delimiter}${process.env['PATH']}`,
  HOME: folder,
  npm_config_cache: join(folder, 'npm-cache'),
  ...proxyVariables(),
};
let running: ChildProcess | undefined;
let log = '';

function readInstructions(dockerfile: string): readonly Instruction[] {
  const text = dockerfile.replaceAll(/^\s*#.*\n/gm, '').replaceAll(/\\\n\s*/g, '');
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  return lines.map((line) => {
    const [, name = '', rest = ''] = /^([A-Z]+)\s+(.*)$/.exec(line) ?? [];
    return { name, rest };
  });
}

function restOf(name: string): string {
  const found = instructions.findLast((instruction) => instruction.name === name);
  expect(found, `the Dockerfile has ${name}`).toBeDefined();
  return found!.rest;
}

function argumentsOf(rest: string): readonly string[] {
  return JSON.parse(rest.slice(rest.indexOf('['))) as string[];
}

/** Places and people that only the image has, as they are called here. */
function here(command: string): string {
  const owner = `${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}`;
  return command.replaceAll('/var/lib/omnivoice', dataDir).replaceAll('node:node', owner);
}

// The way to the npm registry is the machine's own.
function proxyVariables(): NodeJS.ProcessEnv {
  const wanted = /^(?:(?:https?|no)_proxy|npm_config_registry|node_extra_ca_certs|ssl_cert_file)$/i;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => wanted.test(name)));
}

function build(): void {
  for (const { name, rest } of instructions) {
    if (name === 'ENV')
      for (const [, key = '', value = ''] of rest.matchAll(/(\w+)=(\S+)/g)) env[key] = here(value);
    if (name === 'COPY') copy(rest.split(/\s+/));
    if (name !== 'RUN') continue;
    const options = { cwd: folder, env, encoding: 'utf8' as const, timeout: INSTALL_MS_MAX };
    const { status, stdout, stderr } = spawnSync('/bin/sh', ['-c', here(rest)], options);
    expect(status, `${rest}\n${stdout}${stderr}`).toBe(0);
  }
}

function copy(words: readonly string[]): void {
  const target = join(folder, words.at(-1)!);
  for (const source of words.slice(0, -1)) {
    const isInto = words.at(-1)!.endsWith('/');
    cpSync(join(ROOT, source), isInto ? join(target, basename(source)) : target, { recursive: true });
  }
}

/** The first of three free ports in a row: the API, the media nodes together, and one by itself. */
async function freePorts(): Promise<number> {
  for (let first = 30_000 + (process.pid % 20_000); ; first += 3) {
    const free = await Promise.all([first, first + 1, first + 2].map(isFree));
    if (free.every(Boolean)) return first;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

function start(): void {
  const [program = '', ...args] = argumentsOf(restOf('CMD'));
  running = spawn(program, args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
  for (const stream of [running.stdout, running.stderr]) stream?.on('data', (text) => (log += String(text)));
}

function isHealthy(): boolean {
  const [program = '', ...args] = argumentsOf(restOf('HEALTHCHECK'));
  return spawnSync(program, args, { cwd: folder, env, timeout: 5_000 }).status === 0;
}

beforeAll(build, INSTALL_MS_MAX);

afterAll(async () => {
  if (running !== undefined && running.exitCode === null && running.signalCode === null) {
    const gone = new Promise((resolve) => running?.once('exit', resolve));
    // Children of a killed supervisor finish in their own time; three signals leave none behind.
    for (let signals = 0; signals < 3; signals++) {
      running.kill('SIGTERM');
      await new Promise((resolve) => setTimeout(resolve, 400));
    }
    await gone;
  }
  rmSync(folder, { recursive: true, force: true });
});

describe('the image', () => {
  it('is built on the Node that is pinned here', () => {
    const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
      devDependencies: { node: string };
    };
    const [major] = manifest.devDependencies.node.split('.');
    expect(restOf('FROM')).toBe(`node:${major}-slim`);
  });

  it('holds what the context lets through, and nothing of development', () => {
    const installed = readdirSync(join(folder, 'node_modules'));
    expect(installed).toContain('fastify');
    for (const name of ['vitest', 'typescript', 'oxlint', 'node']) expect(installed).not.toContain(name);
    const allowed = readFileSync(join(ROOT, '.dockerignore'), 'utf8').split('\n');
    const copied = instructions
      .filter(({ name }) => name === 'COPY')
      .flatMap(({ rest }) => rest.split(/\s+/).slice(0, -1));
    expect(copied.filter((source) => !allowed.includes(`!${source}`))).toEqual([]);
  });

  it('runs without privileges and keeps its data to itself', () => {
    expect(restOf('USER')).toBe('node');
    expect(restOf('VOLUME')).toBe(restOf('ENV').match(/OMNIVOICE_DATA_DIR=(\S+)/)?.[1]);
  });

  it('becomes healthy, and leaves in good order on the signal it is stopped by', async () => {
    const port = await freePorts();
    Object.assign(env, {
      OMNIVOICE_PORT: String(port),
      OMNIVOICE_MEDIA_PORT: String(port + 1),
      OMNIVOICE_MEDIA_NODES: '1',
    });
    expect(isHealthy()).toBe(false);
    start();
    const startedAtMs = performance.now();
    while (!isHealthy()) {
      if (performance.now() - startedAtMs > HEALTHY_WITHIN_MS) throw new Error(`not healthy\n${log}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    const left = new Promise<number | null>((resolve) => running?.once('exit', resolve));
    const signalledAtMs = performance.now();
    running?.kill(restOf('STOPSIGNAL') as NodeJS.Signals);
    expect([await left, log]).toEqual([0, log]);
    expect(performance.now() - signalledAtMs).toBeLessThan(LEAVES_WITHIN_MS);
  }, 90_000);
});
