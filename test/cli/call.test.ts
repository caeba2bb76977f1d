import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RunReport } from '../../src/cli/calling/report/report.ts';
import { decodeMulawInto, encodeMulawInto } from '../../src/media/codecs/g711.ts';
import { readWav, writeWav, type WavAudio } from '../../src/media/wav.ts';
import { until } from '../fakes/until.ts';
import { MediaHouse, type HouseWish } from './house/media-house.ts';
import { runCommand } from './run-command.ts';

let house: MediaHouse;
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'omnivoice-call-'));
  const samples = Int16Array.from({ length: 8_000 }, (_, i) => Math.round(8_000 * Math.sin(i / 3)));
  writeFileSync(join(folder, 'half.wav'), writeWav(samples.subarray(0, 4_000), 8_000));
});
afterEach(async () => {
  rmSync(folder, { recursive: true });
  await house.close();
});

async function openHouse(wish: HouseWish = {}): Promise<void> {
  house = await MediaHouse.open(wish);
}

async function call(args: readonly string[], interruptAt?: string) {
  const run = runCommand(['call', ...args], house.url, 'omf_test_x', folder);
  if (interruptAt !== undefined) {
    await until(() => run.out.includes(interruptAt), interruptAt);
    // Twice, as under npm: the terminal tells us, and npm passes on what it was told.
    run.child.kill('SIGINT');
    run.child.kill('SIGINT');
  }
  return { code: await run.code, out: run.out, err: run.err };
}

describe.each(['twilio', 'native'])('omnivoice call --as %s', (dialect) => {
  it('hears its echo bit for bit, records it, and tells the events as they come', async () => {
    await openHouse();
    const { code, out, err } = await call(['half.wav', '--as', dialect, '--record', 'out.wav']);
    expect([code, err]).toEqual([0, '']);
    expect(out).toMatch(
      /voice_detected +caller {2}onset 0 ms .* after the deciding frame, \d+ ms after the first/,
    );
    expect(out).toMatch(/Audio +25 frames sent, 25 heard, the echo is identical/);
    expect(house.requests).toContain('GET /api/v1/events/stream?call_id=call_1');
    const wavOf = (name: string): WavAudio => readWav(readFileSync(join(folder, name))) as WavAudio;
    const [said, heard] = [wavOf('half.wav').samples, wavOf('out.wav').samples];
    const codes = new Uint8Array(said.length);
    encodeMulawInto(said, codes);
    const expected = new Int16Array(said.length);
    decodeMulawInto(codes, codes.length, expected);
    expect(heard).toEqual(expected);
  });

  it('places many calls, each at its own place in the sound, and reports in JSON alone', async () => {
    await openHouse();
    const args = ['half.wav', '--as', dialect, '--count', '5', '--rate', '50', '--offset', '--json'];
    const { code, out, err } = await call(args);
    expect([code, err]).toEqual([0, '']);
    const report = JSON.parse(out) as RunReport;
    expect(report).toMatchObject({ ok: true, calls: 5, completed_calls: 5, failed_calls: 0 });
    expect(report.events).toMatchObject({ count: 15, in_order: true, missing: 0 });
    expect(report.audio).toMatchObject({ sent_frames: 125, received_frames: 125, identical: true });
    expect(new Set(report.per_call.map(({ call_id: id }) => id)).size).toBe(5);
  });
});

describe('omnivoice call', () => {
  it('hangs up at Ctrl-C, and reports', async () => {
    await openHouse();
    const { code, out } = await call(['half.wav', '--repeat'], 'connected in');
    expect(code).toBe(0);
    expect(out).toContain('completed after');
  });

  it('fails where a call is refused, and says why', async () => {
    await openHouse({ refusal: 401 });
    const { code, out } = await call(['half.wav', '--quiet']);
    expect(code).toBe(1);
    expect(out).toContain('refused with HTTP 401: spent token');
  });

  it('goes on without events where the key may not read them', async () => {
    await openHouse({ hasEvents: false });
    const { code, out } = await call(['half.wav', '--quiet']);
    expect(code).toBe(0);
    expect(out).toContain('not followed: the key lacks events:read');
  });

  it('places calls at a static URL, and finds their events', async () => {
    await openHouse();
    const args = ['half.wav', '--credential', `${house.mediaUrl}/twilio/secret`, '--agent', 'echo', '--json'];
    const { code, out } = await call(args);
    expect(code).toBe(0);
    const report = JSON.parse(out) as RunReport;
    expect(report.per_call[0]).toMatchObject({ completed_seen: true, audio: { identical: true } });
    expect(house.requests.filter((request) => request.includes('sessions'))).toEqual([]);
  });

  it('makes the line as bad as it is told to, the same way for the same seed', async () => {
    await openHouse();
    const lost: number[] = [];
    for (const _ of [1, 2]) {
      const args = ['half.wav', '--as', 'native', '--loss', '30', '--seed', '7', '--json'];
      const report = JSON.parse((await call(args)).out) as RunReport;
      expect(report.audio.identical).toBeNull();
      lost.push(report.audio.lost_on_purpose_frames);
    }
    expect(lost[0]).toBeGreaterThan(0);
    expect(lost[1]).toBe(lost[0]);
  });

  it('says in one line that nobody is there, and how to change that', async () => {
    await openHouse();
    const { code, err } = await call(['half.wav', '--url', 'http://127.0.0.1:1']);
    expect(code).toBe(1);
    expect(err).toBe(
      'omnivoice: no Omnivoice answers at http://127.0.0.1:1: start one with "npm start", or give its --url\n',
    );
  });

  it('refuses what does not go together as wrong usage', async () => {
    await openHouse();
    const { code, err } = await call(['half.wav', '--loss', '5']);
    expect(code).toBe(2);
    expect(err).toMatch(/^omnivoice: --loss needs .*\n$/);
  });
});
