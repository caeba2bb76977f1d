import { connect, createServer, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { portOf } from '../../../src/gateway/door/more-doors.ts';
import { makeCertificate } from '../../fakes/gateway-certificate.ts';
import { openDoor, type Door } from '../../fakes/gateway-house.ts';
import { ask, callAsTwilio } from '../../fakes/gateway-visitors.ts';
import { until } from '../../fakes/until.ts';

const CROWD = 48;

const sockets: Socket[] = [];
const doors: Door[] = [];

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await Promise.all(doors.splice(0).map((door) => door.gateway.close()));
});

async function open(...overrides: Parameters<typeof openDoor>): Promise<Door> {
  const door = await openDoor(...overrides);
  doors.push(door);
  return door;
}

/** In how many turns of the loop a crowd that stands at the door is let in. */
async function turnsFor({ gateway }: Door): Promise<number> {
  for (let i = 0; i < CROWD; i++) sockets.push(connect(gateway.ownPort, '127.0.0.1'));
  let turns = 0;
  while (gateway.halfOpenConnections < CROWD) {
    await new Promise(setImmediate);
    if (gateway.halfOpenConnections > 0) turns++;
    expect(turns).toBeLessThan(10_000);
  }
  return turns;
}

describe('a crowd at a port of a node', () => {
  it('is let in several at a time: a turn of the loop may be long', async () => {
    expect(await turnsFor(await open())).toBeLessThan(CROWD / 2);
  });

  it('speaks the protocol through each of its doors', async () => {
    const { url, arrivals } = await open();
    const calls = Array.from({ length: CROWD }, () => callAsTwilio(url));
    await Promise.all(calls);
    await until(() => arrivals.legs.length >= CROWD);
    expect(arrivals.legs).toHaveLength(CROWD);
  });

  it('finds a certificate behind each of them', async () => {
    const tls = makeCertificate('one.test');
    const { gateway } = await open({ tls });
    let greeted = 0;
    for (let i = 0; i < CROWD; i++) {
      const options = { port: gateway.ownPort, host: '127.0.0.1', rejectUnauthorized: false };
      sockets.push(connectTls(options, () => greeted++));
    }
    await until(() => greeted >= CROWD);
    expect(greeted).toBe(CROWD);
  });

  it('finds none of them open once the node listens no more', async () => {
    const { gateway } = await open();
    gateway.stopListening();
    const refused = Array.from({ length: CROWD }, () =>
      ask(gateway.ownPort, '/healthz').catch(() => 'refused'),
    );
    expect(new Set(await Promise.all(refused))).toEqual(new Set(['refused']));
  });
});

it('a port that somebody else has is not shared with him', async () => {
  const stranger = createServer();
  await new Promise<void>((resolve) => void stranger.listen(0, '127.0.0.1', resolve));
  const ports = { host: '127.0.0.1', shared: null, own: portOf(stranger) };
  await expect(openDoor({ ports })).rejects.toThrow('EADDRINUSE');
  stranger.close();
});
