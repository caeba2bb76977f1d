import { connect } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { VoiceError } from '../../src/base/errors.ts';
import type { Ask, AskResult } from '../../src/events/asks.ts';
import { encodeMessage, FrameDecoder } from '../../src/link/framing.ts';
import { LINK_PROTOCOL, type FromControl, type FromNode } from '../../src/link/messages.ts';
import { upTo } from './link-fixtures.ts';
import { until } from '../fakes/until.ts';
import { LinkHouse, type TestNode } from './link-house.ts';

const LIMIT_MS = 5000;

function hangUp(call: string): Ask {
  return {
    name: 'provider_control',
    workspace_id: 'ws_1',
    credential_id: 'sc_1',
    dialect: 'twilio',
    provider_call_id: call,
    order: { action: 'hang_up' },
  };
}

/** A control by hand that is welcome at once and answers nothing by itself. */
async function silentControl(
  house: LinkHouse,
  node: TestNode,
): Promise<{ readonly heard: readonly FromNode[]; say(message: FromControl): void; leave(): void }> {
  const heard: FromNode[] = [];
  const socket = connect(house.socketPathOf(node.incarnation));
  const decoder = new FrameDecoder((message) => heard.push(message as unknown as FromNode));
  socket.on('data', (chunk) => decoder.push(chunk));
  socket.on('error', () => {});
  onTestFinished(() => void socket.destroy());
  const say = (message: FromControl): void => void socket.write(encodeMessage(message));
  say({ type: 'welcome', protocol: LINK_PROTOCOL, ackedRecord: 0 });
  await until(() => node.end.isConnected, 'a welcome');
  return { heard, say, leave: () => socket.destroy() };
}

describe('a question of a node', () => {
  it('is answered by control, with the node that put it', async () => {
    const house = new LinkHouse();
    const node = await house.openNode();
    house.openControl({
      onAsk: (ask, incarnation) => Promise.resolve({ ok: true, value: { ask, incarnation } }),
    });
    await until(() => node.end.isConnected, 'a control');
    expect(await node.end.ask(hangUp('CA1'), LIMIT_MS)).toEqual({
      ok: true,
      value: { ask: hangUp('CA1'), incarnation: 'node-a' },
    });
  });

  it('gets the fault of an answerer that throws, and one that nobody answers gets a fault too', async () => {
    const house = new LinkHouse();
    const node = await house.openNode('node-a');
    const other = new LinkHouse();
    const orphan = await other.openNode('node-b');
    house.openControl({ onAsk: () => Promise.reject(new VoiceError('conflict', 'hung up already')) });
    other.openControl();
    await until(() => node.end.isConnected && orphan.end.isConnected, 'two controls');
    expect(await node.end.ask(hangUp('CA1'), LIMIT_MS)).toEqual({
      ok: false,
      fault: 'conflict',
      detail: 'hung up already',
    });
    expect(await orphan.end.ask(hangUp('CA1'), LIMIT_MS)).toMatchObject({ fault: 'invalid_argument' });
  });

  it('holds no event up, and is answered before one that was put earlier', async () => {
    const house = new LinkHouse();
    const node = await house.openNode();
    const slow = Promise.withResolvers<AskResult>();
    house.openControl({
      onAsk: (ask) =>
        ask.name === 'provider_control' && ask.provider_call_id === 'slow'
          ? slow.promise
          : Promise.resolve({ ok: true, value: 'fast' }),
    });
    await until(() => node.end.isConnected, 'a control');
    const waiting = node.end.ask(hangUp('slow'), LIMIT_MS);
    node.publish(3);
    await until(() => house.journal.numbersOf('node-a').length === 3, 'three events');
    expect(await node.end.ask(hangUp('other'), LIMIT_MS)).toEqual({ ok: true, value: 'fast' });
    slow.resolve({ ok: true, value: 'slow' });
    expect(await waiting).toEqual({ ok: true, value: 'slow' });
  });

  it('is refused while control is away', async () => {
    const house = new LinkHouse();
    const node = await house.openNode();
    expect(await node.end.ask(hangUp('CA1'), LIMIT_MS)).toMatchObject({ fault: 'unavailable' });
  });

  it('is given up when nobody answers in time, and when control leaves', async () => {
    const house = new LinkHouse();
    const node = await house.openNode();
    const control = await silentControl(house, node);
    expect(await node.end.ask(hangUp('CA1'), 10)).toMatchObject({ fault: 'unavailable' });
    const waiting = node.end.ask(hangUp('CA2'), LIMIT_MS);
    control.leave();
    expect(await waiting).toMatchObject({ fault: 'unavailable', detail: 'control went away' });
    expect(node.end.stats.unansweredQuestions).toBe(2);
  });

  it('is refused beside 256 that wait, and when it is too long to send', async () => {
    const house = new LinkHouse();
    const node = await house.openNode();
    const control = await silentControl(house, node);
    const waiting = upTo(256).map((number) => node.end.ask(hangUp(`CA${number}`), LIMIT_MS));
    expect(await node.end.ask(hangUp('one more'), LIMIT_MS)).toMatchObject({ fault: 'overloaded' });
    control.say({ type: 'answer', id: 1, result: { ok: true, value: null } });
    await waiting[0];
    expect(await node.end.ask(hangUp('x'.repeat(300_000)), LIMIT_MS)).toMatchObject({
      fault: 'payload_too_large',
    });
    expect(node.end.stats.refusedQuestions).toBe(2);
    control.leave();
    await Promise.all(waiting);
  });

  it('takes the first answer; a second one, and one to nothing, change nothing', async () => {
    const house = new LinkHouse();
    const node = await house.openNode();
    const control = await silentControl(house, node);
    const first = node.end.ask(hangUp('CA1'), LIMIT_MS);
    control.say({ type: 'answer', id: 99, result: { ok: true, value: 'to nothing' } });
    control.say({ type: 'answer', id: 1, result: { ok: true, value: 'first' } });
    control.say({ type: 'answer', id: 1, result: { ok: true, value: 'again' } });
    expect(await first).toEqual({ ok: true, value: 'first' });
    const second = node.end.ask(hangUp('CA2'), LIMIT_MS);
    control.say({ type: 'answer', id: 2, result: { ok: true, value: 'second' } });
    expect(await second).toEqual({ ok: true, value: 'second' });
  });
});
