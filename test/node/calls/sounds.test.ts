import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { writeWav } from '../../../src/media/wav.ts';
import { NodeSounds, type NodeSoundsOptions } from '../../../src/node/calls/sounds.ts';

const directory = mkdtempSync(join(tmpdir(), 'sounds-'));
const ramp = Int16Array.from({ length: 8000 }, (_, i) => i - 4000);
let server: Server;
let url: string;
let served = 0;
let answer: (response: ServerResponse) => void = () => {};
const opened: NodeSounds[] = [];

beforeAll(async () => {
  server = createServer((_, response) => {
    served++;
    answer(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hello.wav`;
  writeFileSync(join(directory, 'ramp.wav'), writeWav(ramp, 8000));
  writeFileSync(join(directory, 'noise.bin'), Buffer.from('no sound at all'));
});
afterEach(async () => {
  for (const sounds of opened.splice(0)) await sounds.close();
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  rmSync(directory, { recursive: true });
});

function open(options: Partial<NodeSoundsOptions> = {}): NodeSounds {
  const sounds = new NodeSounds({ clock: systemClock, egressAllow: ['127.0.0.1'], directory, ...options });
  opened.push(sounds);
  return sounds;
}

const serveWav = (response: ServerResponse): void => void response.end(writeWav(ramp, 8000));

describe('a sound out of a file', () => {
  it('is the file’s samples at its own rate, bit for bit', async () => {
    expect(await open().open('file:ramp.wav', 8000)).toEqual({ sampleRateHz: 8000, samples: ramp });
  });

  it('is as long at another rate', async () => {
    const sound = await open().open('file:ramp.wav', 16_000);
    expect('samples' in sound && sound.samples.length).toBe(16_000);
  });

  it.each(['../secret', '/etc/passwd', '.hidden', 'a/b.wav', '', 'a\0b'])('is never %j', async (name) => {
    expect(await open().open(`file:${name}`, 8000)).toMatchObject({ fault: 'invalid_argument' });
  });

  it.each([
    ['missing.wav', 'failed_precondition'],
    ['noise.bin', 'unsupported_format'],
  ])('%s is refused with %s', async (name, fault) => {
    expect(await open().open(`file:${name}`, 8000)).toMatchObject({ type: 'refusal', fault });
  });

  it('that is too long is not read', async () => {
    const sounds = open({ limits: { fileBytesMax: 1000 } });
    expect(await sounds.open('file:ramp.wav', 8000)).toMatchObject({ fault: 'payload_too_large' });
  });

  it('leads where the operator’s own link leads', async () => {
    symlinkSync(join(directory, 'ramp.wav'), join(directory, 'link.wav'));
    expect(await open().open('file:link.wav', 8000)).toMatchObject({ samples: ramp });
  });
});

describe('a sound out of a URL', () => {
  it('is fetched once and kept for the next who play it', async () => {
    answer = serveWav;
    const sounds = open();
    const before = served;
    const both = [await sounds.open(url, 8000), await sounds.open(url, 8000)];
    for (const sound of both) expect(sound).toEqual({ sampleRateHz: 8000, samples: ramp });
    expect(served - before).toBe(1);
  });

  it('is kept within the memory there is for it', async () => {
    answer = serveWav;
    const sounds = open({ limits: { keptBytesMax: 20_000 } });
    await sounds.open(url, 8000);
    await sounds.open('file:ramp.wav', 8000);
    const before = served;
    await sounds.open(url, 8000);
    expect([served - before, sounds.stats.evicted]).toEqual([1, 2]);
  });

  it.each([
    'http://127.0.0.1:1/a.wav',
    'http://169.254.169.254/latest/meta-data',
    'http://[::1]/a.wav',
    'http://10.0.0.1/a.wav',
  ])('in a private place is not asked for: %s', async (target) => {
    const sound = await open({ egressAllow: [] }).open(target, 8000);
    expect(sound).toMatchObject({ type: 'refusal', fault: 'failed_precondition' });
  });

  it.each(['ftp://a.example/a.wav', 'nonsense', 'http://u:p@a.example/'])('%s is none', async (target) => {
    expect(await open().open(target, 8000)).toMatchObject({ fault: 'invalid_argument' });
  });

  it('that is not there, never comes, or never ends is refused', async () => {
    const sounds = open({ limits: { timeoutMs: 300, fileBytesMax: 100_000 } });
    answer = (response) => void response.writeHead(404).end('no');
    expect(await sounds.open(url, 8000)).toMatchObject({ detail: expect.stringContaining('404') as string });
    answer = (response) => void response.writeHead(302, { location: 'http://169.254.169.254/' }).end();
    expect(await sounds.open(url, 8000)).toMatchObject({ detail: expect.stringContaining('302') as string });
    answer = () => {};
    expect(await sounds.open(url, 8000)).toMatchObject({ fault: 'failed_precondition' });
    answer = (response) => {
      const pour = (): void => {
        if (!response.destroyed) response.write(Buffer.alloc(65_536), pour);
      };
      pour();
    };
    expect(await sounds.open(url, 8000)).toMatchObject({ fault: 'failed_precondition' });
  });

  it('waits for nobody where too many are being opened', async () => {
    answer = () => {};
    const sounds = open({ limits: { timeoutMs: 300, openingMax: 1 } });
    const first = sounds.open(url, 8000);
    expect(await sounds.open('file:ramp.wav', 8000)).toMatchObject({ fault: 'overloaded' });
    await first;
    expect(await sounds.open('file:ramp.wav', 8000)).toMatchObject({ samples: ramp });
  });
});
