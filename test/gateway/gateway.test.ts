import { createServer } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { refuse } from '../../src/base/errors.ts';
import { portOf } from '../../src/gateway/door/more-doors.ts';
import { makeCertificate } from '../fakes/gateway-certificate.ts';
import { openDoor, type Door } from '../fakes/gateway-house.ts';
import { ask, callAsTwilio, faultOf, visit } from '../fakes/gateway-visitors.ts';
import { until } from '../fakes/until.ts';

const doors: Door[] = [];

async function open(...overrides: Parameters<typeof openDoor>): Promise<Door> {
  const door = await openDoor(...overrides);
  doors.push(door);
  return door;
}

afterEach(async () => {
  await Promise.all(doors.splice(0).map((door) => door.gateway.close()));
});

const SHARED = { host: '127.0.0.1', shared: 0, own: 0 };

async function isListening(port: number): Promise<boolean> {
  return ask(port, '/healthz').then(
    () => true,
    () => false,
  );
}

describe('the pages of a media port', () => {
  it('say that the node is alive, ready, and how it fares', async () => {
    const { gateway } = await open({ ports: SHARED });
    for (const port of [gateway.sharedPort!, gateway.ownPort]) {
      expect((await ask(port, '/healthz')).status).toBe(200);
      expect((await ask(port, '/readyz')).status).toBe(200);
      expect((await ask(port, '/healthz', { method: 'HEAD' })).body).toBe('');
    }
    const figures = await ask(gateway.ownPort, '/metrics');
    expect([figures.status, figures.body]).toEqual([200, 'omnivoice_legs 0\n']);
    expect((await ask(gateway.sharedPort!, '/metrics')).status).toBe(404);
  });

  it('say that it is not ready while no new leg is taken', async () => {
    const { gateway, arrivals } = await open();
    arrivals.refusal = refuse('draining', 'leaving');
    const answer = await ask(gateway.ownPort, '/readyz');
    expect([answer.status, answer.headers['retry-after']]).toEqual([503, '1']);
    expect((await ask(gateway.ownPort, '/healthz')).status).toBe(200);
  });

  it('are read and nothing else, and there are no others', async () => {
    const { gateway } = await open();
    const answer = await ask(gateway.ownPort, '/healthz', { method: 'POST' });
    expect([answer.status, answer.headers['allow']]).toEqual([405, 'GET, HEAD']);
    expect(faultOf(await ask(gateway.ownPort, '/admin'))).toBe('not_found');
  });

  it('answer with a fault of ours when the figures cannot be had', async () => {
    const { gateway, failures } = await open({ metrics: () => Promise.reject(new Error('no figures')) });
    expect((await ask(gateway.ownPort, '/metrics')).status).toBe(500);
    expect(failures).toEqual(['request: Error: no figures']);
  });
});

describe('the shared port', () => {
  it('is shared by the nodes of a host', async () => {
    const first = await open({ ports: SHARED });
    const second = await open({ ports: { ...SHARED, shared: first.gateway.sharedPort } });
    expect(second.gateway.sharedPort).toBe(first.gateway.sharedPort);
  });

  it('is given up at once, while calls and the own port stay, and taken again', async () => {
    const { gateway, arrivals } = await open({ ports: SHARED });
    const caller = await callAsTwilio(`ws://127.0.0.1:${gateway.sharedPort}`);
    await until(() => arrivals.legs.length === 1, 'the leg');
    gateway.closeShared();
    expect(await isListening(gateway.sharedPort!)).toBe(false);
    expect(await isListening(gateway.ownPort)).toBe(true);
    caller.say({ event: 'mark', mark: { name: 'still here' }, streamSid: 'MZ1' });
    await until(() => arrivals.legs[0]!.messages.length === 1, 'a message after the port was closed');
    await gateway.reopenShared();
    expect(await isListening(gateway.sharedPort!)).toBe(true);
    expect(caller.closing).toBeUndefined();
  });

  it('taken by a stranger is an error of the start, and nothing stays open', async () => {
    const stranger = createServer();
    await new Promise<void>((resolve) => void stranger.listen(0, '127.0.0.1', resolve));
    const ports = { ...SHARED, shared: portOf(stranger) };
    await expect(open({ ports })).rejects.toThrow('EADDRINUSE');
    stranger.close();
  });
});

describe('closing the door', () => {
  it('tells everybody to come back elsewhere, and ends', async () => {
    const { gateway, arrivals, url } = await open();
    const caller = await callAsTwilio(url);
    await until(() => arrivals.legs.length === 1, 'the leg');
    await gateway.close();
    expect(await caller.closed()).toEqual({ code: 1012, reason: 'draining' });
    expect(arrivals.legs[0]!.losses).toEqual([{ type: 'broken', fault: 'draining' }]);
    expect(await isListening(gateway.ownPort)).toBe(false);
    expect([gateway.connections, gateway.halfOpenConnections]).toEqual([0, 0]);
  });

  it('does not wait for peers that do not answer', async () => {
    const { gateway, arrivals, url } = await open({ limits: { closeGraceMs: 100 } });
    const caller = await callAsTwilio(url);
    await until(() => arrivals.legs.length === 1, 'the leg');
    caller.socket.pause();
    await gateway.close();
    expect(gateway.connections).toBe(0);
    caller.leave();
  });
});

describe('TLS', () => {
  it('carries calls, and a renewed certificate is used by the next', async () => {
    const [first, second] = [makeCertificate('first.test'), makeCertificate('second.test')];
    const { gateway, arrivals } = await open({ tls: first, ports: SHARED });
    expect(await subjectAt(gateway.ownPort)).toBe('first.test');
    const url = `wss://127.0.0.1:${gateway.ownPort}/media/twilio/sc_secret`;
    const caller = await visit(url, [], { rejectUnauthorized: false });
    caller.say('{"event":"start","start":{"streamSid":"MZ1"}}');
    await until(() => arrivals.legs.length === 1, 'the leg');
    const { socket } = arrivals.legs[0]!.arrival;
    expect(socket.sendAudio(Buffer.from('{"event":"media"}'), false)).toBe(true);
    await until(() => caller.heard.length === 1, 'audio');
    gateway.reloadTls(second);
    expect(await subjectAt(gateway.ownPort)).toBe('second.test');
    gateway.closeShared();
    await gateway.reopenShared();
    expect(await subjectAt(gateway.sharedPort!)).toBe('second.test');
    caller.leave();
    await until(() => gateway.halfOpenConnections === 0 && gateway.connections === 0, 'an empty house');
  });
});

it('cannot be opened on a port that is taken', async () => {
  const { gateway } = await open();
  await expect(open({ ports: { host: '127.0.0.1', shared: null, own: gateway.ownPort } })).rejects.toThrow(
    'EADDRINUSE',
  );
});

async function subjectAt(port: number): Promise<string> {
  const socket = connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false });
  try {
    await new Promise((resolve, reject) => {
      socket.once('secureConnect', resolve);
      socket.once('error', reject);
    });
    return String(socket.getPeerCertificate().subject.CN);
  } finally {
    socket.destroy();
  }
}
