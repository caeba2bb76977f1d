import { Webhook } from 'standardwebhooks';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openTestApi, type TestApi } from '../api/open-test-api.ts';
import { runCommand, type CommandRun } from './run-command.ts';

let house: TestApi;
let runs: CommandRun[];
beforeEach(async () => {
  house = await openTestApi();
  await house.api.listen();
  runs = [];
});
afterEach(async () => {
  for (const { child } of runs) child.kill('SIGKILL');
  await house.api.close();
});

const DEADLINE = { timeout: 10_000, interval: 10 };
const SECRET = `whsec_${Buffer.alloc(24, 7).toString('base64')}`;

function listen(...args: readonly string[]): CommandRun {
  const run = runCommand(['listen', ...args], `http://127.0.0.1:${house.api.port}`, house.key());
  runs.push(run);
  return run;
}

async function endpoints(): Promise<
  readonly { readonly id: string; readonly url: string; readonly events: string[] }[]
> {
  const response = await fetch(`http://127.0.0.1:${house.api.port}/api/v1/webhooks`, {
    headers: { authorization: `Bearer ${house.key()}` },
  });
  return ((await response.json()) as { data: { id: string; url: string; events: string[] }[] }).data;
}

async function deliver(url: string, sequence: number, secret = SECRET): Promise<number> {
  const now = new Date();
  const event = {
    id: `evt_${sequence}`,
    type: 'leg_connected',
    created_at: now.toISOString(),
    resource: { type: 'call', id: 'call_1' },
    sequence,
  };
  const body = JSON.stringify(event);
  const headers = {
    'webhook-id': event.id,
    'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
    'webhook-signature': new Webhook(secret).sign(event.id, now, body),
  };
  return (await fetch(url, { method: 'POST', headers, body })).status;
}

async function registered(): Promise<string> {
  await expect.poll(async () => (await endpoints()).length, DEADLINE).toBe(1);
  return (await endpoints())[0]!.url;
}

describe('omnivoice listen', () => {
  it('registers itself, prints what is delivered, and is gone without a trace after Ctrl-C', async () => {
    const run = listen('--secret', SECRET, '--events', '*');
    const url = await registered();
    await expect.poll(() => run.out, DEADLINE).toContain(`Listening on ${url}`);
    expect(await deliver(url, 1)).toBe(200);
    expect(await deliver(url, 3)).toBe(200);
    expect(await deliver(url, 3)).toBe(200);
    expect(await deliver(url, 4, `whsec_${Buffer.alloc(24, 8).toString('base64')}`)).toBe(401);
    run.child.kill('SIGINT');
    expect([await run.code, run.err]).toEqual([0, '']);
    expect(run.out).toMatch(/leg_connected +call_1 #1 +attempt 1 +\d+ ms\n/);
    expect(run.out).toContain('GAP: 1 missing before it');
    expect(run.out).toContain('attempt 2');
    expect(run.out).toContain('DUPLICATE');
    expect(run.out).toContain('NOT VERIFIED (wrong signature)');
    expect(run.out).toContain('2 events in 3 deliveries: 1 twice, 1 missing, 1 not verified');
    expect(await endpoints()).toEqual([]);
  });

  it('prints JSON lines alone where it is asked to', async () => {
    const run = listen('--secret', SECRET, '--json', '--fail-rate', '1', '--events', 'call.*,leg_connected');
    const url = await registered();
    expect((await endpoints())[0]!.events).toEqual(['call.*', 'leg_connected']);
    expect(await deliver(url, 1)).toBe(503);
    await expect.poll(() => run.out, DEADLINE).toContain('\n');
    run.child.kill('SIGTERM');
    expect(await run.code).toBe(0);
    const lines = run.out.trim().split('\n');
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0]!)).toMatchObject({
      sequence: 1,
      verified: true,
      status: 503,
      refused_on_purpose: true,
    });
  });

  it('takes up the endpoint it was killed on, and leaves it where it is told to', async () => {
    const first = listen('--secret', SECRET, '--keep');
    const url = await registered();
    await expect.poll(() => first.out, DEADLINE).toContain('Listening');
    first.child.kill('SIGKILL');
    await first.code;
    const { port } = new URL(url);
    const second = listen('--secret', SECRET, '--keep', '--port', port);
    await expect.poll(() => second.out, DEADLINE).toContain('taken up');
    expect(await deliver(url, 1)).toBe(200);
    second.child.kill('SIGINT');
    await second.code;
    expect(await endpoints()).toHaveLength(1);
    const third = listen('--port', port);
    expect(await third.code).toBe(1);
    expect(third.err).toMatch(
      /^omnivoice: whk_\w+ already delivers to .*: give its --secret, or another --port\n$/,
    );
  });

  it.each([
    [['--fail-rate', '2'], 2],
    [['--events', 'a,,b'], 2],
    [['--events', 'no_such_event'], 2],
    [['--secret', 'short'], 2],
  ])('refuses %j', async (args, code) => {
    const run = listen(...args);
    expect(await run.code).toBe(code);
    expect(run.err).not.toBe('');
    expect(await endpoints()).toEqual([]);
  });
});
