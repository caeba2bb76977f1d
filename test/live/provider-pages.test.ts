import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeWav } from '../../src/media/wav.ts';
import { readHello } from '../fakes/hello.ts';
import { pageAt, ROOT } from '../pages.ts';
import { freeRun, House } from './house.ts';

/** A command of a page, as it stands there. */
interface PageCommand {
  readonly page: string;
  readonly line: string;
}

interface Outcome {
  readonly code: number | string | null | undefined;
  readonly output: string;
}

interface Fresh {
  readonly url: string;
  readonly credential: string;
  readonly answer_url: string;
}

const FOLDER = 'docs/providers';

/** The commands of every shell block: a line that ends in a backslash, or within quotes, goes on. */
function commandsOf(page: string): readonly PageCommand[] {
  const blocks = [...pageAt(page).matchAll(/^```sh\n([^]*?)^```/gm)].map(([, block = '']) => block);
  const commands: PageCommand[] = [];
  for (const block of blocks) {
    let line = '';
    for (const part of block.split('\n')) {
      line += line === '' ? part : `\n${part}`;
      const isOpen = line.endsWith('\\') || line.replaceAll(/[^']/g, '').length % 2 === 1;
      if (isOpen) continue;
      if (line.trim() !== '') commands.push({ page, line });
      line = '';
    }
  }
  return commands;
}

const COMMANDS = readdirSync(join(ROOT, FOLDER))
  .filter((name) => name.endsWith('.md'))
  .flatMap((name) => commandsOf(`${FOLDER}/${name}`));
const CALLS = COMMANDS.filter(({ line }) => line.startsWith('npx omnivoice '));
const REQUESTS = COMMANDS.filter(({ line }) => line.startsWith('curl '));

describe('what the pages of the providers tell to type', () => {
  const folder = mkdtempSync(join(tmpdir(), 'omnivoice-pages-'));
  let house: House;
  let env: NodeJS.ProcessEnv;
  let twilio: Fresh;
  /** Calls that say all of the sample, as they name no file: begun before the others, which they outlast. */
  const begun = new Map<PageCommand, Promise<Outcome>>();

  beforeAll(async () => {
    // One of the pages asks for a session by UUID, which needs this door.
    house = await House.open({ AUDIOSOCKET_PORT: String(await freeRun(1)) });
    // A second from within the voice, under its name: what it proves of a line, all of it would not prove better.
    mkdirSync(join(folder, 'samples'));
    writeFileSync(
      join(folder, 'samples/hello.wav'),
      writeWav(readHello().samples.subarray(4_000, 12_000), 8_000),
    );
    // `npx omnivoice` is this checkout, as it is for who has installed it.
    const npx = join(folder, 'npx');
    writeFileSync(npx, `#!/bin/sh\nshift\nexec "${process.execPath}" "${ROOT}/bin/omnivoice.js" "$@"\n`);
    chmodSync(npx, 0o755);
    const wish = { dialect: 'telnyx', agent_id: 'echo', verify: { api_key: 'a secret of yours' } };
    const telnyx = await house.api<Fresh>('POST', '/voice/stream-credentials', wish);
    twilio = await house.api<Fresh>('POST', '/voice/stream-credentials', {
      dialect: 'twilio',
      agent_id: 'echo',
    });
    const atHouse = (url: string): string => url.replace(/^http:\/\/[^/]+/, house.ready.api_url);
    env = {
      ...process.env,
      PATH: `${folder}${delimiter}${process.env['PATH'] ?? ''}`,
      OMNIVOICE_API_KEY: house.key,
      OMNIVOICE_PUBLIC_URL: house.ready.api_url,
      ANSWER_URL: atHouse(twilio.answer_url),
      AUTH_TOKEN: 'auth token of yours',
      TOKEN: 'a secret of yours',
      URL: telnyx.url,
    };
    for (const call of CALLS.filter(({ line }) => !line.includes('samples/'))) begun.set(call, run(call));
  }, 60_000);

  afterAll(async () => {
    await house?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Runs a command as it stands, but for the ports and the secrets of this house. */
  function run({ line }: PageCommand): Promise<Outcome> {
    const mine = line
      .replaceAll('http://127.0.0.1:8080', house.ready.api_url)
      .replaceAll('ws://127.0.0.1:8081', house.ready.media_url)
      .replaceAll('<credential>', twilio.credential);
    return new Promise((resolve) => {
      execFile('bash', ['-c', mine], { cwd: folder, env, timeout: 60_000 }, (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : error.code, output: `${stdout}${stderr}` });
      });
    });
  }

  it('is found', () => {
    expect([CALLS.length > 15, REQUESTS.length > 15]).toEqual([true, true]);
    // What is neither is another program's.
    const others = COMMANDS.filter((command) => !CALLS.includes(command) && !REQUESTS.includes(command));
    expect(others.filter(({ line }) => /\bomnivoice\b|\bcurl\b/.test(line))).toEqual([]);
  });

  it.each(REQUESTS)('is answered as it stands: $page (%#)', async (command) => {
    const { code, output } = await run(command);
    expect([code, output]).toEqual([0, expect.stringMatching(/^\{"success":true|<Response>/)]);
  });

  it.concurrent.each(CALLS)(
    'is a call that is heard again: $page: $line',
    async (command) => {
      const { code, output } = await (begun.get(command) ?? run(command));
      expect([code, output]).toEqual([0, expect.stringMatching(/echo/)]);
    },
    60_000,
  );
});
