import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { textTable } from '../../src/cli/text-table.ts';
import { openTestApi, type TestApi } from '../api/open-test-api.ts';
import { runCommand } from './run-command.ts';

let house: TestApi;
beforeEach(async () => {
  house = await openTestApi();
  await house.api.listen();
});
afterEach(() => house.api.close());

async function keys(...args: readonly string[]) {
  const run = runCommand(['keys', ...args], `http://127.0.0.1:${house.api.port}`, house.key());
  return { code: await run.code, out: run.out, err: run.err };
}

describe('omnivoice keys', () => {
  it('makes, shows, rotates and revokes', async () => {
    const made = await keys(
      'create',
      'crm',
      '--scopes',
      'calls:read, events:read',
      '--expires',
      '2099-01-31',
    );
    expect(made).toMatchObject({ code: 0, err: '' });
    expect(made.out).toMatch(
      /^omf_live_\S+\n\nkey_\w+ "crm", until 2099-01-31T00:00:00.000Z: calls:read events:read\n/,
    );
    const [id] = /key_\w+/.exec(made.out)!;
    const list = await keys('list');
    expect(list.out).toMatch(new RegExp(`^ID +NAME +KEY +MODE[^]*${id} +crm +omf_live_….... +live`));
    expect(list.out).not.toContain(/omf_live_\S+/.exec(made.out)![0]);
    const rotated = await keys('rotate', id);
    expect(rotated.out).toContain(`The old key ${id} is good for another 24 hours.`);
    expect(await keys('revoke', id)).toEqual({ code: 0, out: `${id} is revoked\n`, err: '' });
    expect(await keys('revoke', id)).toMatchObject({ code: 1, out: '' });
  });

  it('answers in JSON where it is asked to', async () => {
    const test = await keys('create', 'try', '--test', '--json');
    expect(JSON.parse(test.out)).toMatchObject({ name: 'try', test_mode: true });
    await keys('create', 'crm');
    const list = JSON.parse((await keys('list', '--json')).out) as { name: string }[];
    expect(list.map(({ name }) => name)).toContain('crm');
  });

  it.each([
    [['create']],
    [['create', 'x', '--expires', 'soon']],
    [['create', 'x', '--scopes', 'everything']],
    [['melt']],
  ])('refuses %j as wrong usage', async (args) => {
    const { code, out, err } = await keys(...args);
    expect([code, out]).toEqual([2, '']);
    expect(err).not.toBe('');
  });
});

describe('a table', () => {
  it('has columns as wide as what is in them', () => {
    expect(
      textTable(
        ['ID', 'NAME'],
        [
          ['1', 'a'],
          ['1234', ''],
        ],
      ),
    ).toBe('ID    NAME\n1     a\n1234\n');
  });
});
