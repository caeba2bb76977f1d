import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SETTING_KEYS, envNameOf } from '../src/config/settings.ts';

const PROGRAM = join(import.meta.dirname, '../bin/omnivoice.js');

function run(
  args: readonly string[],
  env: Record<string, string> = {},
): { code: number | null; out: string; err: string } {
  const options = { env: { PATH: process.env['PATH'], ...env }, encoding: 'utf8' as const, timeout: 15_000 };
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, ...args], options);
  return { code: status, out: stdout, err: stderr };
}

describe('omnivoice', () => {
  it('lists its commands, each with help and an example', () => {
    const { code, out } = run(['--help']);
    expect(code).toBe(0);
    const commands = [...out.matchAll(/^ {2}([a-z-]+) +\S/gm)].map((match) => match[1]!);
    const named = commands.filter((name) => !['help', 'omnivoice'].includes(name) && !name.startsWith('-'));
    expect(named).toEqual(expect.arrayContaining(['serve', 'control', 'node']));
    for (const name of named) {
      const help = run([name, '--help']);
      expect([name, help.code, help.err]).toEqual([name, 0, '']);
      expect(help.out).toMatch(/^Examples?:\n\s+\$ omnivoice/m);
    }
  });

  it('lists all settings in the help of serve', () => {
    const { out } = run(['serve', '--help']);
    expect(SETTING_KEYS.map(envNameOf).filter((name) => !out.includes(name))).toEqual([]);
  });

  it('serves where no command is named, and stops at once with all mistakes and exit code 2', () => {
    const env = { OMNIVOICE_SMTP_URL: 'redis://x', OMNIVOICE_PORT: 'x' };
    const { code, out, err } = run(['--prot', '9000', '--host'], env);
    expect([code, out]).toEqual([2, '']);
    expect(err.split('\n').slice(0, 5)).toEqual([
      'omnivoice: 4 mistakes in the settings',
      '  --prot is not a flag; did you mean --port?',
      '  OMNIVOICE_SMTP_URL is not a setting',
      '  --host has no value',
      '  OMNIVOICE_PORT "x" is not a whole number in the range 0 to 65535',
    ]);
  });

  it.each([[['nonsense']], [['node', '--index', 'one']], [['serve', 'out-of-place']]])(
    'refuses %j as wrong usage',
    (args) => {
      const { code, err } = run(args);
      expect(code).toBe(2);
      expect(err).not.toBe('');
    },
  );

  it('says its version', () => {
    expect(run(['--version'])).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) as string,
    });
  });
});
