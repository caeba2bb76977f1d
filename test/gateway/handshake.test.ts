import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { dialectOf } from '../../src/dialect/registry.ts';
import { signTwilioUrl } from '../../src/dialect/twilio/signature.ts';
import type { OddOptions } from '../fakes/odd-dialect.ts';
import { oddDialect } from '../fakes/odd-dialect.ts';
import { openDoor, type Door, type FakeLeg } from '../fakes/gateway-house.ts';
import {
  ask,
  TWILIO_CONNECTED,
  TWILIO_START,
  UPGRADE_HEADERS,
  visit,
  type Visitor,
} from '../fakes/gateway-visitors.ts';
import { until } from '../fakes/until.ts';

let door: Door;
afterEach(() => door.gateway.close());

async function openOdd(options: OddOptions = {}): Promise<Visitor> {
  const odd = oddDialect(options);
  door = await openDoor({ dialects: (name) => (name === 'odd' ? odd : dialectOf(name)) });
  door.addCredential('sc_odd', { dialect: 'odd' });
  return visit(`${door.url}/media/odd/sc_odd`);
}

async function startOdd(options: OddOptions = {}): Promise<{ visitor: Visitor; leg: FakeLeg }> {
  const visitor = await openOdd(options);
  visitor.say({ word: 'start' });
  await until(() => door.arrivals.legs.length === 1, 'the leg');
  return { visitor, leg: door.arrivals.legs[0]! };
}

/** Everything said so far has been read. */
async function heard(messages: number): Promise<void> {
  await until(() => door.gateway.stats.messagesTotal === messages, 'the house to hear');
}

describe('before a call', () => {
  it('a question of the protocol is answered, and no call comes of it', async () => {
    const visitor = await openOdd();
    visitor.say({ word: 'ask' });
    await until(() => visitor.heard.length === 1, 'the answer');
    expect(visitor.heard).toEqual(['{"word":"answer"}']);
    visitor.say({ word: 'end' });
    expect(await visitor.closed()).toEqual({ code: 1000, reason: 'normal' });
    expect(visitor.heard).toEqual(['{"word":"answer"}', '{"word":"ended"}']);
    expect([door.arrivals.legs.length, door.gateway.stats.protocolViolations]).toEqual([0, 0]);
  });

  it('questions extend nothing beyond the deadline', async () => {
    const visitor = await openOdd();
    for (let asked = 1; asked <= 4; asked++) {
      visitor.say({ word: 'ask' });
      await heard(asked);
      door.clock.advance(1_500);
    }
    expect(await visitor.closed()).toEqual({ code: 4400, reason: 'handshake_timeout' });
  });

  it('what belongs into a call is refused', async () => {
    const visitor = await openOdd();
    visitor.say({ word: 'digit' });
    expect((await visitor.closed()).reason).toBe('protocol_violation');
  });
});

describe('after the last words', () => {
  it('the peer is answered, heard no more, and may end the connection itself', async () => {
    const { visitor, leg } = await startOdd({ endGraceMs: 3_000 });
    leg.arrival.socket.close(1000, 'call_ended', 3_000);
    visitor.say({ word: 'digit' });
    visitor.say({ word: 'end' });
    await until(() => visitor.heard.length === 1, 'the answer');
    expect([visitor.heard, leg.messages]).toEqual([['{"word":"ended"}'], []]);
    expect(leg.arrival.socket.sendAudio(new Uint8Array(160), true)).toBe(false);
    visitor.socket.close(1000);
    await until(() => leg.losses.length === 1, 'the end of the socket');
    expect(leg.losses).toEqual([{ type: 'closed', closeCode: 1000 }]);
  });

  it('the grace is over at its end, with the code and reason of the call', async () => {
    const { visitor, leg } = await startOdd({ endGraceMs: 3_000 });
    leg.arrival.socket.close(1000, 'call_ended', 3_000);
    door.clock.advance(2_750);
    expect(visitor.closing).toBeUndefined();
    door.clock.advance(500);
    expect(await visitor.closed()).toEqual({ code: 1000, reason: 'call_ended' });
  });

  it('a node that leaves does not wait for it', async () => {
    const { visitor, leg } = await startOdd({ endGraceMs: 60_000 });
    leg.arrival.socket.close(1000, 'call_ended', 60_000);
    await door.gateway.close();
    expect((await visitor.closed()).reason).toBe('draining');
  });

  it('a probe that ends has the same time', async () => {
    const visitor = await openOdd({ endGraceMs: 3_000 });
    visitor.say({ word: 'end' });
    await until(() => visitor.heard.length === 1, 'the answer');
    visitor.say({ word: 'ask' });
    await until(() => visitor.heard.length === 2, 'the second answer');
    door.clock.advance(3_500);
    expect(await visitor.closed()).toEqual({ code: 1000, reason: 'normal' });
  });
});

describe('a peer that hangs up where nothing is said', () => {
  it('is told in time that we are here, and only when nothing else is', async () => {
    const { visitor, leg } = await startOdd({ capabilities: { keepAliveMs: 10_000 } });
    let said = 1;
    const passes = async (durationMs: number): Promise<void> => {
      for (let passedMs = 0; passedMs < durationMs; passedMs += 1_000) {
        door.clock.advance(1_000);
        // Its audio keeps coming: nobody is taken for dead.
        visitor.say(Buffer.alloc(160));
        await heard(++said);
      }
    };
    await passes(10_000);
    await until(() => visitor.heard.length === 1, 'a sign of life');
    expect(visitor.heard).toEqual(['{"word":"alive"}']);
    for (let seconds = 0; seconds < 20; seconds += 5) {
      leg.arrival.socket.send({ bytes: Buffer.from('"busy"'), isBinary: false });
      await passes(5_000);
    }
    await until(() => visitor.heard.length === 5, 'what was sent');
    expect(visitor.heard.filter((words) => words.includes('alive'))).toHaveLength(1);
  });
});

describe('at the door for any protocol', () => {
  beforeEach(async () => {
    door = await openDoor({ publicMediaUrls: ['wss://media.example.com'] });
    door.addCredential('sc_any', { dialect: 'auto' });
  });

  const anyDoor = (): string => `${door.url}/media/auto/sc_any`;
  const status = async (path: string, headers: Record<string, string> = {}): Promise<number> =>
    (await ask(door.gateway.ownPort, path, { headers: { ...UPGRADE_HEADERS, ...headers } })).status;

  it('the first messages tell, and none of them is lost', async () => {
    const visitor = await visit(anyDoor());
    visitor.say(TWILIO_CONNECTED);
    visitor.say(TWILIO_START);
    await until(() => door.arrivals.legs.length === 1, 'the leg');
    const { dialect, started } = door.arrivals.legs[0]!.arrival;
    expect([dialect, started.providerCallId]).toEqual([dialectOf('twilio'), 'CA1']);
    visitor.say('{"event":"stop"}');
    await until(() => door.arrivals.legs[0]!.messages.length === 1, 'what follows');
  });

  it('an offered subprotocol tells, and is selected', async () => {
    const visitor = await visit(anyDoor(), ['omnivoice.v1']);
    expect(visitor.socket.protocol).toBe('omnivoice.v1');
    visitor.say({ type: 'start', format: { codec: 'pcmu', rate: 8000 } });
    await until(() => door.arrivals.legs.length === 1, 'the leg');
    expect(door.arrivals.legs[0]!.arrival.dialect.name).toBe('native');
  });

  it('a stranger is refused: audio first, no known protocol, or nothing in time', async () => {
    const [audio, gibberish, silent] = await Promise.all([
      visit(anyDoor()),
      visit(anyDoor()),
      visit(anyDoor()),
    ]);
    audio.say(Buffer.alloc(0));
    audio.say(Buffer.alloc(320));
    expect(await audio.closed()).toEqual({ code: 4400, reason: 'protocol_violation' });
    gibberish.say('hello');
    expect(await gibberish.closed()).toEqual({ code: 4400, reason: 'not_json' });
    for (let i = 0; i < 3; i++) silent.say(TWILIO_CONNECTED);
    await heard(6);
    door.clock.advance(6_000);
    expect(await silent.closed()).toEqual({ code: 4400, reason: 'handshake_timeout' });
  });

  it('a credential opens its own door only', async () => {
    expect(await status('/media/auto/sc_secret')).toBe(401);
    expect(await status('/media/twilio/sc_any')).toBe(401);
    expect(await status('/media/auto/sc_any')).toBe(101);
  });

  it('a signature that is demanded is checked by whose headers it is among', async () => {
    door.addCredential('sc_signed', { dialect: 'auto', verify: { auth_token: 't' } });
    const path = '/media/auto/sc_signed';
    const signature = signTwilioUrl(`wss://media.example.com${path}`, 't');
    expect(await status(path, { 'X-Twilio-Signature': signature })).toBe(101);
    expect(await status(path, { 'X-Twilio-Signature': signTwilioUrl('wss://elsewhere/', 't') })).toBe(401);
    expect(await status(path)).toBe(401);
  });
});
