import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { mintSessionToken } from '../../src/base/session-token.ts';
import { openDoor, sessionClaims } from '../fakes/gateway-house.ts';
import { openScene, type Scene } from '../fakes/gateway-scene.ts';
import {
  ask,
  callAsTwilio,
  clientFrame,
  faultOf,
  TWILIO_CONNECTED,
  TWILIO_MEDIA,
  TWILIO_START,
  UPGRADE_HEADERS,
  visit,
  type RawVisitor,
  type Visitor,
} from '../fakes/gateway-visitors.ts';
import { until } from '../fakes/until.ts';

// The rows of docs/bad-input.md that the gateway answers. Beside each of them another call goes on undisturbed.

const NATIVE_START = { type: 'start', format: { codec: 'pcmu', rate: 8000 } };

let scene: Scene;
beforeEach(async () => {
  scene = await openScene({ closeGraceMs: 300 });
});
afterEach(() => scene.end());

/** The close frame a raw visitor heard last: two bytes of code, then the reason. */
function closeFrameOf(visitor: RawVisitor): { code: number; reason: string } {
  const at = visitor.heard.lastIndexOf(0x88);
  const length = visitor.heard[at + 1]!;
  const payload = visitor.heard.subarray(at + 2, at + 2 + length);
  return { code: payload.readUInt16BE(0), reason: payload.subarray(2).toString() };
}

describe('messages that are not the protocol', () => {
  it.each([
    ['what is not JSON', 'hello', 'not_json', 4400],
    ['JSON that is no object', '[1,2]', 'not_json', 4400],
    ['an empty message', '', 'not_json', 4400],
    ['binary where text belongs', Buffer.from([1, 2, 3]), 'unsupported_format', 1003],
    ['audio before the start', TWILIO_MEDIA, 'protocol_violation', 4400],
    ['a stop before the start', { event: 'stop' }, 'protocol_violation', 4400],
    ['a start without its ids', { event: 'start', start: {} }, 'protocol_violation', 4400],
  ])('%s closes the connection', async (_name, message, reason, code) => {
    const visitor = await scene.twilio();
    visitor.say(message);
    expect(await visitor.closed()).toEqual({ code, reason });
    const { stats } = scene.door.gateway;
    expect(stats.closedByFault[reason as 'not_json']).toBe(1);
    expect(stats.protocolViolations).toBe(1);
    expect(stats.legsStarted).toBe(1);
  });

  it('unknown events before the start are passed over, as providers add some without notice', async () => {
    const visitor = await scene.twilio();
    visitor.say({ event: 'weather', rain: true });
    visitor.say(TWILIO_CONNECTED);
    visitor.say(TWILIO_START);
    await until(() => scene.door.arrivals.legs.length === 2, 'the leg');
    expect(scene.door.gateway.stats.protocolViolations).toBe(0);
  });

  it('in native are named in its own words before the close', async () => {
    const visitor = await visit(`${scene.door.url}/media/native/${await scene.door.mintSession('t1')}`);
    visitor.say({ type: 'command', id: '1', name: 'hang_up' });
    expect(await visitor.closed()).toEqual({ code: 4400, reason: 'protocol_violation' });
    expect(JSON.parse(visitor.heard[0]!)).toMatchObject({ type: 'error', fault: 'protocol_violation' });
  });

  it('a hang-up before the start is an ordinary end', async () => {
    const visitor = await visit(`${scene.door.url}/media/native/${await scene.door.mintSession('t1')}`);
    visitor.say({ type: 'bye' });
    expect(await visitor.closed()).toEqual({ code: 1000, reason: 'normal' });
    expect(scene.door.sessions.used.size).toBe(0);
  });
});

describe('messages that are too large or too many', () => {
  it('1 MB in one frame is refused by its header', async () => {
    const { caller, leg } = await scene.call();
    caller.say(Buffer.alloc(1_000_000));
    expect(await caller.closed()).toEqual({ code: 1009, reason: 'frame_too_large' });
    await until(() => leg.losses.length > 0, 'the leg to be told');
    expect(leg.losses).toEqual([{ type: 'broken', fault: 'frame_too_large' }]);
    expect(leg.messages).toEqual([]);
    expect(scene.door.gateway.stats.oversizedMessages).toBe(1);
  });

  it('64 KiB is let through, a byte more is not', async () => {
    const { caller, leg } = await scene.call();
    caller.say(Buffer.alloc(65_536));
    await until(() => leg.messages.length === 1, 'the largest message');
    caller.say(Buffer.alloc(65_537));
    expect((await caller.closed()).code).toBe(1009);
  });

  it('more than 64 KiB in small fragments is refused as well', async () => {
    const visitor = await scene.rawCall();
    for (let i = 0; i < 5; i++) visitor.say(clientFrame(i === 0 ? 2 : 0, Buffer.alloc(16_000), false));
    await visitor.ended();
    expect(closeFrameOf(visitor)).toEqual({ code: 1009, reason: 'frame_too_large' });
  });

  it('a message in too many fragments is refused', async () => {
    const visitor = await scene.rawCall();
    for (let i = 0; i < 300; i++) visitor.say(clientFrame(i === 0 ? 2 : 0, Buffer.alloc(1), false));
    await visitor.ended();
    expect(closeFrameOf(visitor)).toEqual({ code: 1008, reason: 'protocol_violation' });
  });

  it.each([
    ['messages', (visitor: Visitor) => visitor.say(TWILIO_MEDIA)],
    ['pings', (visitor: Visitor) => visitor.socket.ping()],
    ['pongs', (visitor: Visitor) => visitor.socket.pong()],
  ])('10 000 %s at once are too many', async (_name, say) => {
    const { caller, leg } = await scene.call();
    for (let i = 0; i < 10_000; i++) say(caller);
    expect(await caller.closed()).toEqual({ code: 4429, reason: 'too_many_messages' });
    expect(leg.losses).toEqual([{ type: 'broken', fault: 'too_many_messages' }]);
    expect(leg.messages.length).toBeLessThanOrEqual(500);
    expect(scene.door.gateway.stats.rateLimited).toBe(1);
  });
});

describe('frames that are no WebSocket', () => {
  it.each([
    ['an unmasked frame', Buffer.from([0x81, 0x02, 0x7b, 0x7d]), 1002],
    ['an unknown opcode', clientFrame(3, Buffer.from('{}')), 1002],
    ['a reserved bit', Buffer.from([0xc1, 0x80, 0, 0, 0, 0]), 1002],
    ['a continuation of nothing', clientFrame(0, Buffer.from('{}')), 1002],
    ['a ping of 126 bytes', clientFrame(9, Buffer.alloc(126)), 1002],
    ['text that is not UTF-8', clientFrame(1, Buffer.from([0xff, 0xfe])), 1007],
  ])('%s closes the connection', async (_name, bytes, code) => {
    const visitor = await scene.rawCall();
    visitor.say(bytes);
    await visitor.ended();
    expect(closeFrameOf(visitor)).toEqual({ code, reason: 'protocol_violation' });
    expect(scene.door.gateway.stats.closedByFault.protocol_violation).toBe(1);
  });

  it('noise never disturbs anything else', async () => {
    const runs = process.env['OMNIVOICE_TEST_LONG'] ? 1_000 : 10;
    const seed = randomBytes(32);
    console.log(`noise from ${seed.toString('hex')}`);
    for (let run = 0; run < runs; run++) {
      const visitor = await scene.rawCall();
      visitor.say(noise(seed, run));
      visitor.socket.end();
      await visitor.ended();
    }
    await until(() => scene.door.gateway.connections === 1, 'only the neighbour to be left');
    expect(scene.door.gateway.stats.legsStarted).toBe(runs + 1);
  });
});

describe('tokens that do not hold', () => {
  it('are refused before the upgrade when they are foreign or expired', async () => {
    const nowUnixMs = scene.door.clock.unixMs();
    const foreign = await mintSessionToken(sessionClaims('t1'), [Buffer.from('elsewhere')], nowUnixMs);
    const expired = await scene.door.mintSession('t2', nowUnixMs - 301_000);
    for (const token of [foreign, expired]) {
      const answer = await ask(scene.door.gateway.ownPort, `/media/native/${token}`, {
        headers: UPGRADE_HEADERS,
      });
      expect([answer.status, faultOf(answer)]).toEqual([401, 'unauthenticated']);
    }
    expect(scene.door.gateway.stats.refusedByFault.unauthenticated).toBe(2);
  });

  it('are refused before the upgrade when they were used', async () => {
    const path = `/media/native/${await scene.door.mintSession('t1')}`;
    const visitor = await visit(`${scene.door.url}${path}`);
    visitor.say(NATIVE_START);
    await until(() => scene.door.arrivals.legs.length === 2, 'the leg');
    const answer = await ask(scene.door.gateway.ownPort, path, { headers: UPGRADE_HEADERS });
    expect([answer.status, faultOf(answer)]).toEqual([401, 'unauthenticated']);
  });

  it('are refused at the start when they were used since the upgrade', async () => {
    const url = `${scene.door.url}/media/native/${await scene.door.mintSession('t1')}`;
    const [first, second] = [await visit(url), await visit(url)];
    first.say(NATIVE_START);
    await until(() => scene.door.arrivals.legs.length === 2, 'the leg');
    second.say(NATIVE_START);
    expect(await second.closed()).toEqual({ code: 4401, reason: 'unauthenticated' });
    expect(scene.door.arrivals.legs).toHaveLength(2);
    expect(scene.door.gateway.stats.closedByFault.unauthenticated).toBe(1);
  });
});

describe('requests that are no HTTP', () => {
  it('are answered 400, and 431 when their headers are too large', async () => {
    const [babbler, hoarder] = [scene.stranger(), scene.stranger()];
    babbler.say('\x16\x03\x01 hello\r\n\r\n');
    await babbler.ended();
    expect(babbler.heard.toString()).toContain('400 Bad Request');
    hoarder.say(`GET / HTTP/1.1\r\nX-Large: ${'x'.repeat(20_000)}\r\n\r\n`);
    await hoarder.ended();
    expect(hoarder.heard.toString()).toContain('431 Request Header Fields Too Large');
  });
});

it('more connections than a node takes are refused before the upgrade', async () => {
  const small = await openDoor({ limits: { connectionsMax: 1 } });
  const caller = await callAsTwilio(small.url);
  await until(() => small.gateway.connections === 1, 'the connection');
  const answer = await ask(small.gateway.ownPort, '/media/twilio/sc_secret', { headers: UPGRADE_HEADERS });
  expect([answer.status, faultOf(answer)]).toEqual([503, 'overloaded']);
  caller.leave();
  await small.gateway.close();
});

/** Bytes of one run, the same for the same seed: some begin like a frame, so that more than its head is read. */
function noise(seed: Buffer, run: number): Buffer {
  const bytes = Buffer.alloc(64 + ((run * 37) % 2_000));
  let state = seed.readUInt32BE((run * 4) % 28) + run;
  for (let i = 0; i < bytes.length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[i] = state >>> 24;
  }
  return run % 2 === 0 ? bytes : Buffer.concat([clientFrame(1, Buffer.from('{"event":')), bytes]);
}
