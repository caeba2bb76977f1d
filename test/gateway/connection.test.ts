import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { InvariantError, refuse, VoiceError } from '../../src/base/errors.ts';
import { openDoor, sessionClaims, type Door, type FakeLeg } from '../fakes/gateway-house.ts';
import { callAsTwilio, TWILIO_MEDIA, visit, type Visitor } from '../fakes/gateway-visitors.ts';
import { until } from '../fakes/until.ts';

let door: Door;
beforeEach(async () => {
  door = await openDoor();
});
afterEach(() => door.gateway.close());

async function call(): Promise<{ caller: Visitor; leg: FakeLeg }> {
  const legs = door.arrivals.legs.length;
  const caller = await callAsTwilio(door.url);
  await until(() => door.arrivals.legs.length > legs, 'the leg');
  return { caller, leg: door.arrivals.legs[legs]! };
}

const NATIVE_START = { type: 'start', format: { codec: 'pcmu', rate: 8000 } };

describe('a connection', () => {
  it('becomes a leg with the protocol of its start, and of the credential it came with', async () => {
    const { leg } = await call();
    const { caller, dialect, started, receivedAtMs } = leg.arrival;
    expect(dialect.name).toBe('twilio');
    expect(started.providerCallId).toBe('CA1');
    expect(caller).toMatchObject({
      workspaceId: 'ws_default',
      agentId: 'echo',
      role: 'caller',
      callId: null,
    });
    expect(receivedAtMs).toBe(door.clock.nowMs());
    expect(door.gateway.stats.legsStarted).toBe(1);
  });

  it('becomes a leg of the session its token was made for', async () => {
    const visitor = await visit(`${door.url}/media/native`, ['omnivoice.v1', await door.mintSession('t1')]);
    visitor.say(NATIVE_START);
    await until(() => door.arrivals.legs.length === 1, 'the leg');
    const { tokenId: _tokenId, region: _region, ...caller } = sessionClaims('t1');
    expect(door.arrivals.legs[0]!.arrival.caller).toEqual(caller);
    expect(door.sessions.used).toEqual(new Set(['t1']));
  });

  it('hands every message on, with the time it was received', async () => {
    const { caller, leg } = await call();
    caller.say(TWILIO_MEDIA);
    await until(() => leg.messages.length === 1, 'the message');
    door.clock.advance(20);
    caller.say(Buffer.from([1, 2, 3]));
    await until(() => leg.messages.length === 2, 'the second message');
    const nowMs = door.clock.nowMs();
    expect(leg.messages[0]).toEqual({
      text: JSON.stringify(TWILIO_MEDIA),
      isBinary: false,
      nowMs: nowMs - 20,
    });
    expect(leg.messages[1]).toEqual({ text: '\x01\x02\x03', isBinary: true, nowMs });
  });

  it('carries audio and control messages out, as text or binary', async () => {
    const { caller, leg } = await call();
    const { socket } = leg.arrival;
    expect(socket.sendAudio(Buffer.from('audio'), false)).toBe(true);
    socket.send({ bytes: Buffer.from('mark'), isBinary: true });
    await until(() => caller.heard.length === 2, 'what was sent');
    expect(caller.heard).toEqual(['audio', 'mark']);
    expect(socket.bufferedBytes).toBe(0);
  });

  it('tells the leg once how the peer closed', async () => {
    const { caller, leg } = await call();
    caller.socket.close(1000);
    await until(() => leg.losses.length > 0, 'the loss');
    expect(leg.losses).toEqual([{ type: 'closed', closeCode: 1000 }]);
    const { caller: second, leg: other } = await call();
    second.socket.terminate();
    await until(() => other.losses.length > 0, 'the second loss');
    expect(other.losses).toEqual([{ type: 'closed', closeCode: 1006 }]);
    expect(door.gateway.connections).toBe(0);
  });

  it('closes as its leg says, hears nothing after that, and tells it when the socket is gone', async () => {
    const { caller, leg } = await call();
    leg.onReceive = () => {
      leg.arrival.socket.close(1000, 'agent_hangup');
      leg.arrival.socket.send({ bytes: Buffer.from('too late'), isBinary: false });
      expect(leg.arrival.socket.sendAudio(Buffer.from('too late'), false)).toBe(false);
    };
    for (let i = 0; i < 5; i++) caller.say(TWILIO_MEDIA);
    expect(await caller.closed()).toEqual({ code: 1000, reason: 'agent_hangup' });
    expect(caller.heard).toEqual([]);
    expect(leg.messages).toHaveLength(1);
    await until(() => leg.losses.length > 0, 'the end of the socket');
    expect(leg.losses).toEqual([{ type: 'closed', closeCode: 1000 }]);
  });

  it('may be closed by its leg while that is being made', async () => {
    door.arrivals.onArrive = (leg) => {
      leg.arrival.socket.close(4404, 'call_not_found');
      return undefined;
    };
    const { caller, leg } = await call();
    expect(await caller.closed()).toEqual({ code: 4404, reason: 'call_not_found' });
    await until(() => leg.losses.length > 0, 'the end of the socket');
  });

  it('is refused by its fault where no leg can be made, and its token may be tried again', async () => {
    door.arrivals.onArrive = () => refuse('overloaded', 'full');
    const visitor = await visit(`${door.url}/media/native/${await door.mintSession('t1')}`);
    visitor.say(NATIVE_START);
    expect(await visitor.closed()).toEqual({ code: 4503, reason: 'overloaded' });
    expect(visitor.heard.join('')).toContain('overloaded');
    expect(door.sessions.used.size).toBe(0);
  });

  it('is told to try again where the use of its token cannot be recorded', async () => {
    door.sessions.isDiskFull = true;
    const visitor = await visit(`${door.url}/media/native/${await door.mintSession('t1')}`);
    visitor.say(NATIVE_START);
    expect(await visitor.closed()).toEqual({ code: 4503, reason: 'unavailable' });
    expect(door.arrivals.legs).toEqual([]);
  });
});

describe('a broken promise of ours', () => {
  it('ends the one connection it concerns', async () => {
    const { caller, leg } = await call();
    const { caller: neighbour, leg: other } = await call();
    leg.onReceive = () => {
      throw new InvariantError('frames are whole');
    };
    caller.say(TWILIO_MEDIA);
    expect(await caller.closed()).toEqual({ code: 1011, reason: 'internal' });
    expect(leg.losses).toEqual([{ type: 'broken', fault: 'internal' }]);
    expect(door.gateway.stats.invariantFailures).toBe(1);
    expect(door.failures).toEqual(['receive: frames are whole: InvariantError: frames are whole']);
    neighbour.say(TWILIO_MEDIA);
    await until(() => other.messages.length === 1, 'the neighbour');
    expect(neighbour.closing).toBeUndefined();
  });

  it('while a leg is made gives its token back', async () => {
    door.arrivals.onArrive = () => {
      throw new Error('no slots');
    };
    const visitor = await visit(`${door.url}/media/native/${await door.mintSession('t1')}`);
    visitor.say(NATIVE_START);
    expect((await visitor.closed()).code).toBe(1011);
    expect(door.sessions.used.size).toBe(0);
  });

  it('while a leg is told of its loss stays inside', async () => {
    const { caller, leg } = await call();
    leg.lost = () => {
      throw new Error('lost badly');
    };
    caller.leave();
    await until(() => door.gateway.stats.invariantFailures === 1, 'the failure');
    expect(door.gateway.connections).toBe(0);
  });

  it('is no broken promise when it is an operation that failed by name', async () => {
    const { caller, leg } = await call();
    leg.onReceive = () => {
      throw new VoiceError('unavailable', 'the owner did not answer');
    };
    caller.say(TWILIO_MEDIA);
    expect(await caller.closed()).toEqual({ code: 4503, reason: 'unavailable' });
    expect(door.gateway.stats.invariantFailures).toBe(0);
  });
});

describe('a resumed connection', () => {
  const CLAIMS = {
    callId: 'call_1',
    legId: 'leg_1',
    dialect: 'native',
    format: 'pcmu/8000',
    generation: 1,
    region: 'local',
    fence: null,
    expiresAtUnixMs: Date.UTC(2026, 10, 20, 13),
  };

  it('is given to whoever holds its call, by the word the token opened the door with', async () => {
    const { tokenId: _tokenId, region: _region, ...caller } = sessionClaims('none');
    const resumes = { resume: () => Promise.resolve({ caller, arrive: arrivals.arrive.bind(arrivals) }) };
    const { arrivals } = door;
    const other = await openDoor({ resumes });
    const token = other.resumeTokens.mint(CLAIMS);
    const visitor = await visit(`${other.url}/media/native/r/${token}`, ['omnivoice.v1']);
    visitor.say({ ...NATIVE_START, type: 'resume', token });
    await until(() => arrivals.legs.length === 1, 'the resumed leg');
    const stranger = await visit(`${other.url}/media/native/r/${token}`, ['omnivoice.v1']);
    const second = other.resumeTokens.mint({ ...CLAIMS, legId: 'leg_2' });
    stranger.say({ ...NATIVE_START, type: 'resume', token: second });
    expect(await stranger.closed()).toEqual({ code: 4404, reason: 'call_not_found' });
    await other.gateway.close();
  });
});
