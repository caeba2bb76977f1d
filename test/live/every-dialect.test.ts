import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunReport } from '../../src/cli/calling/report/report.ts';
import { DIALECTS } from '../../src/dialect/registry.ts';
import { writeWav } from '../../src/media/wav.ts';
import { readHello } from '../fakes/hello.ts';
import { House } from './house.ts';

const PROGRAM = resolve(import.meta.dirname, '../../bin/omnivoice.js');
/** What a codec with memory, or another rate on the way, leaves of a voice. */
const SIMILAR_PERCENT = 90;
/** Speech that pauses for longer has ended. */
const LATE_MS_MAX = 40;
const SECRET = Buffer.from('0123456789abcdef0123456789abcdef').toString('base64');

let house: House;
let folder: string;
let audioSocketPort: number;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'omnivoice-every-'));
  // From within the voice, so that a second says enough.
  const { samples } = readHello();
  writeFileSync(join(folder, 'word.wav'), writeWav(samples.subarray(4_000, 12_000), 8_000));
  audioSocketPort = await freePort();
  house = await House.open({ AUDIOSOCKET_PORT: String(audioSocketPort) });
});

afterAll(async () => {
  await house?.close();
  rmSync(folder, { recursive: true });
});

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

/** Calls again where this machine stood still longer than a pause in speech lasts: the echo has a hole. */
async function call(args: readonly string[]): Promise<RunReport> {
  let report = await callOnce(args);
  for (let again = 0; again < 4 && hasStoodStill(report); again++) {
    report = await callOnce(args);
  }
  return report;
}

function hasStoodStill({ audio }: RunReport): boolean {
  return audio.late_frames > 0 || (audio.sent_late_ms?.max ?? 0) > LATE_MS_MAX;
}

async function callOnce(args: readonly string[]): Promise<RunReport> {
  const access = ['--url', house.ready.api_url, '--key', house.key];
  const child = spawn(
    process.execPath,
    [PROGRAM, 'call', join(folder, 'word.wav'), '--json', ...access, ...args],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let [out, err] = ['', ''];
  child.stdout.on('data', (piece: Buffer) => (out += piece.toString()));
  child.stderr.on('data', (piece: Buffer) => (err += piece.toString()));
  await new Promise((done) => child.on('close', done));
  expect(err).toBe('');
  return JSON.parse(out) as RunReport;
}

/** The report, where a call was out of order or its echo not what was said: by bytes, else by sound. */
function troubleOf(report: RunReport): RunReport | null {
  const {
    audio,
    per_call: [only],
    ok,
    events,
  } = report;
  const isInOrder = ok && events?.in_order === true && only?.completed_seen === true;
  const isHungUp = only?.outcome === 'hung_up_by_caller';
  const { similarity_percent: similarity, identical } = audio;
  const isIntact = similarity === null ? identical === true : similarity > SIMILAR_PERCENT;
  return isInOrder && isHungUp && isIntact ? null : report;
}

/** The first format of each dialect is tried by its first test; these are the others that differ in kind. */
const OTHER_LINES: readonly (readonly string[])[] = [
  ['native', '--codec', 'opus'],
  ['telnyx', '--codec', 'g722', '--option', 'outbound_codec=G722'],
  ['telnyx', '--codec', 'pcma'],
  ['telnyx', '--codec', 'opus', '--option', 'outbound_codec=OPUS'],
  ['asterisk', '--codec', 'l16', '--sample-rate', '48000'],
  ['jambonz', '--codec', 'l16', '--sample-rate', '16000', '--option', 'outbound_sample_rate=24000'],
  ['jambonz', '--channels', '2', '--option', 'playback=play_audio'],
  ['mod_audio_stream', '--channels', '2', '--sample-rate', '16000'],
  ['vobiz', '--codec', 'l16', '--option', 'l16_byte_order=little'],
];

const PROOFS: readonly (readonly string[])[] = [
  ['twilio', '--auth-token', 'token'],
  ['plivo', '--auth-token', 'token'],
  ['vobiz', '--auth-token', 'token'],
  ['fonoster', '--signature-secret', 'secret'],
  ['vonage', '--signature-secret', 'secret'],
  ['genesys', '--signature-secret', SECRET, '--api-key', 'key'],
  ['telnyx', '--api-key', 'key'],
  ['signalwire', '--bearer', 'bearer'],
  ['bandwidth', '--basic', 'user:pass:word'],
];

function usualLine(dialect: string): readonly string[] {
  return dialect === 'audiosocket' ? ['--audiosocket', `127.0.0.1:${audioSocketPort}`] : [];
}

describe.concurrent('omnivoice call --as', { timeout: 60_000 }, () => {
  it.each(DIALECTS.map(({ name }) => name))('%s completes a call, with its echo intact', async (name) => {
    const report = await call(['--as', name, ...usualLine(name)]);
    expect(troubleOf(report)).toBeNull();
  });

  it.each(OTHER_LINES)('%s completes one with another line', async (...line) => {
    const report = await call(['--as', ...line]);
    expect(troubleOf(report)).toBeNull();
  });

  it.each(PROOFS)('%s proves itself with %s', async (...line) => {
    const report = await call(['--as', ...line]);
    expect(troubleOf(report)).toBeNull();
  });

  it.each(PROOFS)(
    '%s is refused with another secret than that of %s',
    async (dialect, flag = '', secret = '') => {
      const [name, password] = secret.split(':', 2);
      const verify = {
        '--auth-token': { auth_token: secret },
        '--signature-secret': { signature_secret: secret },
        '--api-key': { api_key: secret },
        '--bearer': { bearer: secret },
        '--basic': { basic: { username: name, password } },
      }[flag];
      const wish = { dialect, agent_id: 'echo', verify };
      const { url } = await house.api<{ url: string }>('POST', '/voice/stream-credentials', wish);
      const forged = flag === '--basic' ? 'user:other' : `AAAA${secret}`;
      const report = await call(['--as', dialect ?? '', '--credential', url, flag, forged]);
      expect(report.per_call[0]).toMatchObject({ outcome: 'failed' });
      expect(report.per_call[0]?.reason).toContain('refused with HTTP 401');
    },
  );
});
