import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readWav } from '../../src/media/wav.ts';
import { runCommand } from './run-command.ts';

const SAMPLE = join(import.meta.dirname, '../../samples/hello.wav');
const directory = mkdtempSync(join(tmpdir(), 'analyse-'));
afterAll(() => rmSync(directory, { recursive: true }));

async function run(...args: string[]) {
  const command = runCommand(['analyse', ...args], 'http://127.0.0.1:9', 'no key is needed');
  return { code: await command.code, out: command.out, err: command.err };
}

describe('omnivoice analyse', () => {
  it('says what was heard, and writes what was played, sample by sample', async () => {
    const played = join(directory, 'played.wav');
    const { code, out } = await run(SAMPLE, '--json', '--frames', '--out', played);
    expect(code).toBe(0);
    const { events, frames } = JSON.parse(out) as { events: { type: string }[]; frames: string };
    expect(events[0]?.type).toBe('voice_detected');
    const [before, after] = [readWav(readFileSync(SAMPLE)), readWav(readFileSync(played))];
    if (!('samples' in before) || !('samples' in after)) throw new Error('no sound');
    expect(frames).toHaveLength(after.samples.length / 160);
    expect(after.samples).toEqual(before.samples.subarray(0, after.samples.length));
  });

  it('hears otherwise when it is told to', async () => {
    const { out } = await run(SAMPLE, '--json', '--vad-level-min-dbfs', '-1');
    expect((JSON.parse(out) as { events: unknown[] }).events).toEqual([]);
  });

  it('fails with one sentence for a file that is none, and for a flag that is none', async () => {
    const file = join(directory, 'bad.wav');
    writeFileSync(file, 'no sound');
    const bad = await run(file);
    expect([bad.code, bad.out]).toEqual([1, '']);
    expect(bad.err).toMatch(/^omnivoice: no sound can be read from .*bad\.wav: .+\n$/);
    expect((await run(SAMPLE, '--vad-start-ms', 'soon')).code).toBe(2);
  });
});
