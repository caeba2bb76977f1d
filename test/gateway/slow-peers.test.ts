import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openScene, type Scene } from '../fakes/gateway-scene.ts';
import {
  ask,
  faultOf,
  TWILIO_CONNECTED,
  TWILIO_MEDIA,
  TWILIO_START,
  UPGRADE_HEADERS,
  type Visitor,
} from '../fakes/gateway-visitors.ts';
import { until } from '../fakes/until.ts';

// The rows of docs/bad-input.md about peers that take too long or do not read.

const LIMITS = { upgradeMsMax: 300, halfOpenMax: 12, closeGraceMs: 300, handshakesPerAddressMax: 6 };

let scene: Scene;
beforeEach(async () => {
  scene = await openScene(LIMITS);
});
afterEach(() => scene.end());

describe('peers that take too long', () => {
  it('to say anything after the upgrade are closed after five seconds', async () => {
    const visitor = await scene.twilio();
    await until(() => scene.door.gateway.connections === 2, 'the connection');
    scene.door.clock.advance(4_999);
    expect(scene.door.gateway.stats.handshakeTimeouts).toBe(0);
    scene.door.clock.advance(251);
    expect(await visitor.closed()).toEqual({ code: 4400, reason: 'handshake_timeout' });
    expect(scene.door.gateway.stats.handshakeTimeouts).toBe(1);
  });

  it('between their first word and their start are closed as well', async () => {
    const visitor = await scene.twilio();
    await until(() => scene.door.gateway.connections === 2, 'the connection');
    scene.door.clock.advance(4_000);
    const messages = scene.door.gateway.stats.messagesTotal;
    visitor.say(TWILIO_CONNECTED);
    await until(() => scene.door.gateway.stats.messagesTotal > messages, 'the first word');
    scene.door.clock.advance(4_900);
    visitor.say({ event: 'weather' });
    await until(() => scene.door.gateway.stats.messagesTotal > messages + 1, 'the second word');
    expect(visitor.closing).toBeUndefined();
    scene.door.clock.advance(400);
    expect(await visitor.closed()).toEqual({ code: 4400, reason: 'handshake_timeout' });
  });

  it('over their request headers (slowloris) are answered 408', async () => {
    const visitor = scene.stranger();
    visitor.say('GET /media/twilio/sc_secret HTTP/1.1\r\nHost: media.example.com\r\nX-Slow: ');
    await visitor.ended();
    expect(visitor.heard.toString()).toContain('408 Request Timeout');
    expect(visitor.heard.toString()).toContain('handshake_timeout');
    expect(scene.door.gateway.stats.upgradeTimeouts).toBe(1);
  });

  it('to send a single byte are ended as well, and there are never too many of them', async () => {
    const silent = Array.from({ length: 20 }, () => scene.stranger());
    await until(() => scene.door.gateway.stats.halfOpenRefused === 8, 'the surplus to be refused');
    expect(scene.door.gateway.halfOpenConnections).toBe(12);
    await Promise.all(silent.map((visitor) => visitor.ended()));
    expect(scene.door.gateway.stats.upgradeTimeouts).toBe(12);
    expect((await ask(scene.door.gateway.ownPort, '/healthz')).status).toBe(200);
  });

  it('to say their start, from one address, are limited in number', async () => {
    const waiting = await Promise.all(Array.from({ length: 6 }, () => scene.twilio()));
    const refused = await ask(scene.door.gateway.ownPort, '/media/twilio/sc_secret', {
      headers: UPGRADE_HEADERS,
    });
    expect([refused.status, faultOf(refused), refused.headers['retry-after']]).toEqual([
      429,
      'rate_limited',
      '1',
    ]);
    waiting[0]!.say(TWILIO_START);
    await until(() => scene.door.arrivals.legs.length === 2, 'one of them to start');
    await scene.call();
    for (const visitor of waiting) visitor.leave();
  });

  it('and answer no ping nor say anything are given up after fifteen seconds', async () => {
    const { caller, leg } = await scene.call();
    caller.socket.pause();
    for (let i = 0; i < 60; i++) {
      const heard = scene.neighbour.leg.messages.length;
      scene.neighbour.caller.say(TWILIO_MEDIA);
      await until(() => scene.neighbour.leg.messages.length > heard, 'the neighbour');
      scene.door.clock.advance(250);
    }
    await until(() => leg.losses.length > 0, 'the loss');
    expect(leg.losses).toEqual([{ type: 'closed', closeCode: 1006 }]);
    expect(scene.door.gateway.stats.pingTimeouts).toBe(1);
    caller.leave();
  });
});

describe('readers that are slow', () => {
  it('lose audio, never more than what waits in the kernel', async () => {
    const { caller, leg } = await scene.call();
    caller.socket.pause();
    const { socket } = leg.arrival;
    const frame = Buffer.alloc(16_384);
    let sent = 0;
    while (socket.sendAudio(frame, true)) expect(++sent).toBeLessThan(10_000);
    for (let i = 0; i < 100; i++) socket.sendAudio(frame, true);
    expect(socket.bufferedBytes).toBeLessThanOrEqual(frame.length + 10);
    expect(scene.door.gateway.stats.droppedAudioFrames).toBe(101);
    expect(caller.closing).toBeUndefined();
    caller.socket.resume();
    await until(() => socket.bufferedBytes === 0, 'the reader to catch up');
    expect(socket.sendAudio(frame, true)).toBe(true);
  });

  it('of control messages are closed when 64 KiB wait for them', async () => {
    const { caller, leg } = await scene.call();
    caller.socket.pause();
    const message = { bytes: Buffer.alloc(4_096, 0x20), isBinary: false };
    let sent = 0;
    while (leg.losses.length === 0) {
      leg.arrival.socket.send(message);
      if (++sent % 64 === 0) await new Promise((resolve) => setImmediate(resolve));
      expect(sent).toBeLessThan(100_000);
    }
    expect(leg.losses).toEqual([{ type: 'broken', fault: 'peer_stalled' }]);
    expect(leg.arrival.socket.bufferedBytes).toBeLessThan(65_536 + 2 * 4_106);
    expect(scene.door.gateway.stats.wedgedSockets).toBe(1);
    await until(() => scene.door.gateway.connections === 1, 'the end of the wedged socket');
    caller.leave();
  });

  it('are found out by what waits for them, also when nothing more is sent', async () => {
    const { caller, leg } = await scene.call();
    caller.socket.pause();
    expect(leg.arrival.socket.sendAudio(Buffer.alloc(32_000_000), true)).toBe(true);
    expect(leg.arrival.socket.bufferedBytes).toBeGreaterThan(65_536);
    scene.door.clock.advance(250);
    expect(leg.losses).toEqual([{ type: 'broken', fault: 'peer_stalled' }]);
    caller.leave();
  });

  it('are found out by their pongs while the kernel still takes what we send', async () => {
    const { caller, leg } = await scene.call();
    let pings = 0;
    caller.socket.on('ping', () => pings++);
    scene.door.clock.advance(250);
    await until(() => pings === 1, 'the first ping');
    // Frames keep their order: once this one is answered, the pong before it has arrived.
    await pongOf(caller);
    caller.socket.pause();
    for (let i = 0; i < 44 && leg.losses.length === 0; i++) {
      leg.arrival.socket.sendAudio(Buffer.from('{}'), false);
      scene.door.clock.advance(250);
    }
    expect(leg.losses).toEqual([{ type: 'broken', fault: 'peer_stalled' }]);
    expect(scene.door.gateway.stats.wedgedSockets).toBe(1);
    caller.leave();
  });
});

async function pongOf(visitor: Visitor): Promise<void> {
  let isAnswered = false;
  visitor.socket.ping();
  visitor.socket.once('pong', () => (isAnswered = true));
  await until(() => isAnswered, 'a pong');
}
