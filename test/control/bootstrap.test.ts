import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { newApiKey } from '../../src/api/api-key.ts';
import { sha256Hex } from '../../src/base/secret.ts';
import { bootstrapKeys } from '../../src/control/bootstrap.ts';
import { FakePorts } from '../fakes/api-ports.ts';
import { FakeClock } from '../fakes/clock.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'omnivoice-keys-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function start(ports: FakePorts): Promise<string | undefined> {
  const cliKeyFile = join(folder, 'cli-key');
  return bootstrapKeys({ keys: ports.keys, clock: new FakeClock(), apiKey: undefined, cliKeyFile });
}

const cliSecret = (): string => readFileSync(join(folder, 'cli-key'), 'utf8').trim();

describe('the key of the command line', () => {
  it('is made once, for its owner alone, and may do what commands and examples do', async () => {
    const ports = new FakePorts();
    await start(ports);
    const secret = cliSecret();
    expect(statSync(join(folder, 'cli-key')).mode & 0o777).toBe(0o600);
    expect((await ports.keys.byHash(sha256Hex(secret)))?.scopes).toEqual(
      expect.arrayContaining(['calls:read', 'keys:manage', 'agents:write', 'ops']),
    );
    await start(ports);
    expect(cliSecret()).toBe(secret);
  });

  it('that an earlier version made may do what commands have learnt since', async () => {
    const ports = new FakePorts();
    const wish = { workspaceId: 'ws_default', name: 'command line of this machine', scopes: ['calls:read'] };
    const { key, secret } = newApiKey(wish, new FakeClock());
    await ports.keys.create(key);
    writeFileSync(join(folder, 'cli-key'), `${secret}\n`);
    await start(ports);
    expect(cliSecret()).toBe(secret);
    expect((await ports.keys.byHash(sha256Hex(secret)))?.scopes).toContain('ops');
  });
});
