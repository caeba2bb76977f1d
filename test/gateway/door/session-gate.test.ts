import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { mintSessionToken } from '../../../src/base/session-token.ts';
import { openSessionGate } from '../../../src/gateway/door/session-gate.ts';
import { openTokenLedger } from '../../../src/gateway/token-ledger.ts';
import { FakeClock } from '../../fakes/clock.ts';
import { openDoor, sessionClaims } from '../../fakes/gateway-house.ts';
import { ask, UPGRADE_HEADERS, visit } from '../../fakes/gateway-visitors.ts';
import { until } from '../../fakes/until.ts';

it('lets a token in once over all nodes of a host, and again where its start failed', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'omnivoice-gate-'));
  const clock = new FakeClock();
  const secrets = [Buffer.from('a secret of the host')];
  const ledgers = [openTokenLedger({ directory, clock }), openTokenLedger({ directory, clock })];
  const gates = ledgers.map((ledger) => openSessionGate({ secrets, clock, ledger }));
  const doors = await Promise.all(gates.map((sessions) => openDoor({ sessions })));
  const path = `/media/native/${await mintSessionToken(sessionClaims('t1'), secrets, clock.unixMs())}`;

  const failed = await visit(`${doors[0]!.url}${path}`);
  failed.say('no start at all');
  expect((await failed.closed()).code).toBe(4400);

  const visitor = await visit(`${doors[0]!.url}${path}`);
  visitor.say({ type: 'start', format: { codec: 'pcmu', rate: 8000 } });
  await until(() => doors[0]!.arrivals.legs.length === 1, 'the leg');
  for (const { gateway } of doors) {
    expect((await ask(gateway.ownPort, path, { headers: UPGRADE_HEADERS })).status).toBe(401);
  }

  await Promise.all(doors.map((door) => door.gateway.close()));
  for (const ledger of ledgers) ledger.close();
  rmSync(directory, { recursive: true });
});
