import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { runDirOf } from '../../src/config/data-dir.ts';

interface House {
  readonly process: ChildProcessByStdio<null, Readable, Readable>;
  readonly output: () => { readonly out: string; readonly err: string };
  readonly exit: Promise<number | null>;
}

let dataDir: string;
let runDir: string;
let houses: House[] = [];
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'omnivoice-serve-'));
  runDir = runDirOf(dataDir);
  houses = [];
});
afterEach(async () => {
  for (const house of houses) house.process.kill('SIGKILL');
  await Promise.all(houses.map(({ exit }) => exit));
  // Who was left behind by a failed test is ours to end.
  for (const life of lives().filter(isOurs)) process.kill(life.pid, 'SIGKILL');
  for (const folder of [dataDir, runDir]) rmSync(folder, { recursive: true, force: true });
});

function openHouse(env: Record<string, string> = {}): House {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'house/serve.ts')], {
    env: {
      PATH: process.env['PATH'],
      OMNIVOICE_DATA_DIR: dataDir,
      OMNIVOICE_PORT: '0',
      OMNIVOICE_MEDIA_PORT: '0',
      OMNIVOICE_MEDIA_NODES: '2',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [out, err] = ['', ''];
  child.stdout.on('data', (data) => (out += String(data)));
  child.stderr.on('data', (data) => (err += String(data)));
  const exit = once(child, 'close').then(([code]) => code as number | null);
  const house = { process: child, output: () => ({ out, err }), exit };
  houses.push(house);
  return house;
}

interface Life {
  readonly name: string;
  readonly pid: number;
  readonly what: string;
}

function lives(): Life[] {
  let text = '';
  try {
    text = readFileSync(join(dataDir, 'lives'), 'utf8');
  } catch {
    // Nobody has lived yet.
  }
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split(' '))
    .map(([name, pid, what]) => ({ name: name!, pid: Number(pid), what: what! }));
}

function isAlive({ pid }: Life): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    // No such process: dead is the answer.
    return false;
  }
}

// The id of a process that is gone may be another's by now.
function isOurs({ pid }: Life): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('house/child.ts');
  } catch {
    // No such process: nobody's.
    return false;
  }
}

function livesOf(name: string): Life[] {
  return lives().filter((life) => life.name === name && life.what === 'started');
}

async function untilReady(house: House): Promise<Record<string, unknown>> {
  await vi.waitFor(() => expect(house.output().out).toContain('\n'), { timeout: 15_000 });
  return JSON.parse(house.output().out) as Record<string, unknown>;
}

async function until(what: string, count: number): Promise<void> {
  const told = (): number => lives().filter((life) => life.what === what).length;
  await vi.waitFor(() => expect(told()).toBe(count), { timeout: 10_000 });
}

describe('serve', () => {
  it('starts everybody on free ports, says so once, and leaves in order at SIGTERM', async () => {
    const house = openHouse();
    const ready = await untilReady(house);
    expect(ready).toMatchObject({ event: 'ready', media_nodes: 2, api_key: 'omf_live_made_just_now' });
    expect(ready['api_url']).toMatch(/^http:\/\/127\.0\.0\.1:\d{4,5}$/);
    expect(ready['media_url']).not.toBe(ready['api_url']);
    expect(
      lives()
        .map(({ name }) => name)
        .sort(),
    ).toEqual(['control', 'node-0', 'node-1']);
    house.process.kill('SIGHUP');
    await until('reloaded', 3);
    house.process.kill('SIGTERM');
    expect(await house.exit).toBe(0);
    const drained = lives().filter(({ what }) => what === 'drained');
    expect(drained.map(({ name }) => name)).toHaveLength(3);
    expect(drained.at(-1)!.name).toBe('control');
    expect(existsSync(runDir)).toBe(false);
  });

  it('replaces a node that is killed or stopped, and a control process, and leaves the others alone', async () => {
    const house = openHouse({ OMNIVOICE_WATCHDOG_MS: '1000' });
    await untilReady(house);
    process.kill(livesOf('node-0')[0]!.pid, 'SIGKILL');
    process.kill(livesOf('control')[0]!.pid, 'SIGKILL');
    await vi.waitFor(
      () => expect([livesOf('node-0'), livesOf('control')].map(({ length }) => length)).toEqual([2, 2]),
      {
        timeout: 10_000,
      },
    );
    process.kill(livesOf('node-0')[1]!.pid, 'SIGSTOP');
    await vi.waitFor(() => expect(livesOf('node-0')).toHaveLength(3), { timeout: 15_000 });
    expect(isAlive(livesOf('node-0')[1]!)).toBe(false);
    expect(livesOf('node-1')).toHaveLength(1);
  });

  it('is missed by its children when it is killed', async () => {
    const house = openHouse();
    await untilReady(house);
    house.process.kill('SIGKILL');
    await until('orphaned', 3);
    await vi.waitFor(() => expect(lives().filter(isAlive)).toEqual([]), { timeout: 10_000 });
  });

  it('has its data dir for itself', async () => {
    const house = openHouse();
    await untilReady(house);
    const second = openHouse();
    expect(await second.exit).toBe(1);
    expect(second.output().err).toContain('is in use by another "omnivoice serve"');
    expect(lives()).toHaveLength(3);
  });

  it('does not begin where its recordings have no place', async () => {
    const place = join(dataDir, 'recordings');
    writeFileSync(place, 'a file');
    const house = openHouse({ OMNIVOICE_RECORDINGS_DIR: place });
    expect(await house.exit).toBe(1);
    expect(house.output().err).toContain(`${place} cannot be made`);
    expect(lives()).toEqual([]);
  });

  it('does not share its ports with a stranger, and names every one', async () => {
    const stranger = createServer();
    const isShared = process.platform === 'linux';
    stranger.listen({ port: 0, host: '127.0.0.1', reusePort: isShared });
    await once(stranger, 'listening');
    const address = stranger.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const house = openHouse({ OMNIVOICE_MEDIA_PORT: String(port - 1) });
    expect(await house.exit).toBe(1);
    expect(house.output().err).toContain(
      `OMNIVOICE_MEDIA_PORT: 127.0.0.1:${port} is taken by another program: stop it, or choose another with --media-port`,
    );
    expect(lives()).toEqual([]);
    stranger.close();
  });

  it('fails where a child fails at the first start, with its code', async () => {
    const house = openHouse({ FAKE_FAILS: 'node-1' });
    expect(await house.exit).toBe(2);
    expect(house.output().out).toBe('');
  });
});
