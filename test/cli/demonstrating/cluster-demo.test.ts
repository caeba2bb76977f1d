import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { expect, it } from 'vitest';
import { runCommand } from '../run-command.ts';

const folders = (): string[] => readdirSync(tmpdir()).filter((name) => name.startsWith('omnivoice-demo-'));

it('kills a region under two calls, shows that both went on, and leaves nothing behind', async () => {
  const before = folders();
  const run = runCommand(['cluster-demo', '--calls', '2'], '', '');
  const code = await run.code;
  expect(`${run.err}${code}`).toBe('0');
  expect(run.out).toContain('kill -9: every process of region east');
  expect(run.out.match(/^call_\w{26} +\d+ ms +\d+ ms$/gm)).toHaveLength(2);
  expect(run.out).toContain('2 of 2 calls went on in region west');
  expect(folders().filter((name) => !before.includes(name))).toEqual([]);
}, 90_000);
