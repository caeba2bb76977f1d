import { afterEach, describe, expect, it } from 'vitest';
import { dialWebSocket } from '../../../../src/cli/calling/wire/dial.ts';
import type { WireEnd } from '../../../../src/cli/calling/wire/media-wire.ts';
import { dialectOf } from '../../../../src/dialect/registry.ts';
import { CALLER_OPTIONS, given, openInbound, rampFrame } from '../../../dialect/wire.ts';
import { MediaHouse } from '../../house/media-house.ts';

let house: MediaHouse;
afterEach(() => house.close());

const DEADLINE = { timeout: 10_000, interval: 2 };

function dial(url: string, subprotocols: readonly string[] = []) {
  const heard: [Buffer, boolean][] = [];
  const ends: WireEnd[] = [];
  const opened = Promise.withResolvers<void>();
  const wire = dialWebSocket(
    { url, subprotocols },
    {
      opened: () => opened.resolve(),
      heard: (message, isBinary) => void heard.push([Buffer.from(message), isBinary]),
      ended: (end) => void ends.push(end),
    },
  );
  return { wire, heard, ends, opened: opened.promise };
}

describe('a dialled connection', () => {
  it('carries a dialect both ways, written into the same bytes again and again', async () => {
    house = await MediaHouse.open();
    const line = dial(`${house.mediaUrl}/twilio/x`);
    await line.opened;
    const caller = dialectOf('twilio')!.openCaller(CALLER_OPTIONS);
    for (const message of caller.hello()) line.wire.send(message);
    for (let i = 0; i < 50; i++) line.wire.send(given(caller.audio(rampFrame(i), i)));
    await expect.poll(() => line.heard.length, DEADLINE).toBe(50);
    const inbound = openInbound();
    line.heard.forEach(([message, isBinary], i) => {
      expect(caller.read(message, isBinary, inbound).type).toBe('audio');
      expect(inbound.payload.slice(0, 160)).toEqual(rampFrame(i));
    });
    for (const message of caller.goodbye()) line.wire.send(message);
    await expect
      .poll(() => line.ends, DEADLINE)
      .toEqual([{ type: 'closed', code: 1000, reason: 'provider_stop' }]);
  });

  it('says with what it was refused, once', async () => {
    house = await MediaHouse.open({ refusal: 401 });
    const line = dial(`${house.mediaUrl}/twilio/x`);
    await expect
      .poll(() => line.ends, DEADLINE)
      .toEqual([{ type: 'refused', status: 401, detail: 'spent token' }]);
    line.wire.send({ bytes: new Uint8Array(1), isBinary: true });
    line.wire.close();
    await new Promise((resolve) => setImmediate(resolve));
    expect(line.ends).toHaveLength(1);
  });

  it('says that nobody is there', async () => {
    house = await MediaHouse.open();
    const { port } = house;
    await house.close();
    const line = dial(`ws://127.0.0.1:${port}/media/twilio/x`);
    await expect.poll(() => line.ends.map(({ type }) => type), DEADLINE).toEqual(['unreachable']);
    house = await MediaHouse.open();
  });

  it('ends when it is cut', async () => {
    house = await MediaHouse.open();
    const line = dial(`${house.mediaUrl}/native`, ['omnivoice.v1', 'eyJ.a.b']);
    await line.opened;
    line.wire.cut();
    await expect.poll(() => line.ends, DEADLINE).toEqual([{ type: 'closed', code: 1006, reason: '' }]);
  });
});
