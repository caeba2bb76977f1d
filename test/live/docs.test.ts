import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Envelope } from '../../src/events/envelope.ts';
import { codeBlock, pageAt, ROOT, sayings } from '../pages.ts';
import { House, until } from './house.ts';
import { place } from './placed-caller.ts';

describe('what the pages promise of a running house', () => {
  const folder = mkdtempSync(join(tmpdir(), 'omnivoice-docs-'));
  const children: ChildProcess[] = [];
  let house: House;
  let clientOutput = '';
  let receiverOutput = '';
  let told: Envelope[] = [];

  /** Runs a code block as its reader would: saved in a file, beside the samples and the data of the house. */
  function run(
    fileName: string,
    code: string,
    args: readonly string[],
    env: NodeJS.ProcessEnv = {},
  ): ChildProcess {
    writeFileSync(join(folder, fileName), code);
    const child = spawn(process.execPath, [fileName, ...args], {
      cwd: folder,
      env: { ...process.env, ...env },
    });
    children.push(child);
    return child;
  }

  beforeAll(async () => {
    house = await House.open();
    symlinkSync(join(ROOT, 'samples'), join(folder, 'samples'));
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    symlinkSync(house.dataDir, join(folder, 'data'));
    await receive(codeBlock('docs/hooks.md', 'receiver.mjs'));
    const client = run(
      'echo-client.mjs',
      codeBlock('docs/providers/native.md', 'echo-client.mjs'),
      [house.ready.api_url],
      {
        OMNIVOICE_API_KEY: undefined,
      },
    );
    for (const stream of [client.stdout, client.stderr])
      stream?.on('data', (text) => (clientOutput += String(text)));
    await new Promise((resolve) => client.once('exit', resolve));
    await until('the last hook', () => receiverOutput.includes('call_completed'));
    told = await house.api<Envelope[]>('GET', '/events?limit=200');
  }, 60_000);

  afterAll(async () => {
    for (const child of children) child.kill();
    await house?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function receive(code: string): Promise<void> {
    const port = await freePort();
    const wish = { url: `http://127.0.0.1:${port}/hooks`, events: ['*'] };
    const { secret } = await house.api<{ secret: string }>('POST', '/webhooks', wish);
    // Told of the secret as on the page; the port of the page may be somebody's here.
    const receiver = run('receiver.mjs', code.replace('9000', String(port)), [], { WEBHOOK_SECRET: secret });
    for (const stream of [receiver.stdout, receiver.stderr])
      stream?.on('data', (text) => (receiverOutput += String(text)));
  }

  it('holds for the client of the native page, down to what it prints', () => {
    const shown = /What it prints:\n\n```console\n([^]*?)```/.exec(pageAt('docs/providers/native.md'))?.[1];
    const sameCall = (text: string | undefined): string | undefined =>
      text?.replaceAll(/call_[0-9A-Z]{26}/g, 'call_…');
    expect(sameCall(clientOutput)).toBe(sameCall(shown));
  });

  it('holds for the receiver of the hooks page', () => {
    const numbers = receiverOutput
      .trim()
      .split('\n')
      .map((line) => Number(line.split(' ')[0]));
    expect(numbers).toEqual(told.map(({ sequence }) => sequence));
  });

  it('holds for the backend of the agents page', async () => {
    const port = await freePort();
    run('backend.mjs', codeBlock('docs/agents.md', 'backend.mjs').replace('9100', String(port)), []);
    const backends = [{ dialect: 'native', url: `ws://127.0.0.1:${port}` }];
    const { id } = await house.api<{ id: string }>('POST', '/agents', { name: 'Parrot', backends });
    await listening(port);
    expect(await house.api('POST', `/agents/${id}/test`)).toMatchObject({ ok: true });
  }, 30_000);

  it('holds for the member of the queues page, who has the caller in the end', async () => {
    const env = { API: house.ready.api_url, KEY: house.key };
    const member = run('member.mjs', codeBlock('docs/queues.md', 'member.mjs'), [], env);
    let memberOutput = '';
    member.stdout?.on('data', (text) => (memberOutput += String(text)));
    await until('the member to be ready', () => memberOutput.includes("state: 'ready'"));
    const caller = await place(house, { agent_id: 'echo' });
    let callId = '';
    await until('the call to be listed', async () => {
      const [call] = await house.api<{ id: string }[]>('GET', '/calls?state=active');
      callId = call?.id ?? '';
      return callId !== '';
    });
    const target = { type: 'queue', to: 'sales' };
    await house.api('POST', `/calls/${callId}/handover`, { target });
    await until('the success', () => receiverOutput.includes(`transfer_success ${callId}`));
    expect(memberOutput).toContain("type: 'accepted'");
    if (caller.type === 'in') caller.socket.close();
  }, 30_000);

  it('holds for the own fields of every event that a plain call tells', () => {
    const text = pageAt('docs/events.md');
    const head = ['call_id', 'state', 'direction', 'from', 'to', 'agent_id', 'conversation_id', 'lead_id'];
    head.push('contact_id', 'metadata', 'started_at');
    const types = [...new Set(told.map(({ type }) => type))];
    expect(types.length).toBeGreaterThan(5);
    for (const type of types) {
      const example = new RegExp(`^## \`${type}\`\n[^]*?\`\`\`json\n([^]*?)\`\`\``, 'm').exec(text)?.[1];
      const { data } = told.find((envelope) => envelope.type === type)!;
      const own = Object.keys(data).filter((field) => !head.includes(field));
      // `dialect` and the like of `call_started` are its own; `node` too.
      expect([type, Object.keys(JSON.parse(example ?? '{}') as object)]).toEqual([type, own]);
    }
  });

  it('holds for every metric', async () => {
    const exposition = await (await fetch(`${house.ready.api_url}/metrics`)).text();
    const metrics = new Set([...exposition.matchAll(/^# TYPE (\S+)/gm)].map((match) => match[1]));
    // What has a colon before it is a series recorded from others: the rules have a test of their own.
    const named = sayings(/(?<!:)\bomnivoice_[a-z_]+/g);
    expect(named.length).toBeGreaterThan(20);
    const unknown = named.filter(
      ({ said: [name] }) => !metrics.has(name) && !metrics.has(name.replace(/_(?:bucket|sum|count)$/, '')),
    );
    expect(unknown.map(({ page, said }) => `${page}: ${said[0]}`)).toEqual([]);
  });

  it('holds for every address of the API', async () => {
    const openapi = (await (await fetch(`${house.ready.api_url}/api/v1/openapi.json`)).json()) as {
      paths: object;
    };
    const paths = Object.keys(openapi.paths).map((path) => path.replace('/api/v1', ''));
    const named = sayings(/`(?:GET|POST|PATCH|DELETE) (?:\/api\/v1)?(\/[\w/{}.-]+)/g).map(
      ({ page, said }) => ({ page, path: said[1]! }),
    );
    expect(named.length).toBeGreaterThan(10);
    // Pages of operators, a schema and the door of inbound hooks, which OpenAPI does not list.
    const plain = [
      '/healthz',
      '/readyz',
      '/metrics',
      '/docs',
      '/openapi.json',
      '/in/{id}/{token}',
      '/schemas/post-call.json',
    ];
    const unknown = named.filter(({ path }) => !paths.includes(path) && !plain.includes(path));
    expect(unknown.map(({ page, path }) => `${page}: ${path}`)).toEqual([]);
  });
});

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

/** Resolved once somebody listens there. */
async function listening(port: number): Promise<void> {
  for (;;) {
    const socket = connect(port, '127.0.0.1');
    const isOpen = await new Promise((resolve) => {
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    });
    socket.destroy();
    if (isOpen === true) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
