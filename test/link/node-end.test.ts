import { existsSync, statSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { VoiceError } from '../../src/base/errors.ts';
import { encodeMessage, FrameDecoder } from '../../src/link/framing.ts';
import { LINK_PROTOCOL, type FromControl, type FromNode } from '../../src/link/messages.ts';
import { openNodeEnd } from '../../src/link/node-end.ts';
import { giveUpSpool } from '../../src/link/spool/recovery.ts';
import { eventRecord, FACTS, STATUS, upTo } from './link-fixtures.ts';
import { until } from '../fakes/until.ts';
import { LinkHouse } from './link-house.ts';

/** Control as the node sees it, by hand. */
class HandMadeControl {
  readonly heard: FromNode[] = [];
  readonly socket: Socket;
  isClosed = false;

  constructor(path: string) {
    this.socket = connect(path);
    const decoder = new FrameDecoder((message) => this.heard.push(message as unknown as FromNode));
    this.socket.on('data', (chunk) => decoder.push(chunk));
    this.socket.on('error', () => {});
    this.socket.on('close', () => (this.isClosed = true));
    onTestFinished(() => void this.socket.destroy());
  }

  say(message: FromControl): void {
    this.socket.write(encodeMessage(message));
  }

  welcome(ackedRecord: number): void {
    this.say({ type: 'welcome', protocol: LINK_PROTOCOL, ackedRecord });
  }

  get numbers(): readonly number[] {
    return this.heard.flatMap((message) =>
      message.type === 'events' ? message.records.map((_, index) => message.first + index) : [],
    );
  }
}

describe('the link of a node', () => {
  it('says hello, waits for the welcome, then sends what control does not have', async () => {
    const house = new LinkHouse();
    const node = await house.openNode();
    node.publish(5);
    const control = new HandMadeControl(house.socketPathOf('node-a'));
    await until(() => control.heard.length > 0, 'hello');
    expect(control.heard).toEqual([
      expect.objectContaining({
        type: 'hello',
        incarnation: 'node-a',
        protocol: LINK_PROTOCOL,
        firstRecord: 1,
      }),
    ]);
    control.welcome(2);
    await until(() => control.numbers.length === 3, 'the rest');
    expect(control.numbers).toEqual([3, 4, 5]);
    node.publish(2);
    await until(() => control.numbers.length === 5, 'live events');
    expect(control.numbers).toEqual([3, 4, 5, 6, 7]);
    expect(node.end.stats).toMatchObject({ sentRecords: 5, readBackRecords: 3 });
  });

  it('listens in a socket of its owner only, and leaves none behind when it closes', async () => {
    const house = new LinkHouse();
    const node = await house.openNode();
    expect(statSync(house.socketPathOf('node-a')).mode & 0o777).toBe(0o600);
    await node.close();
    expect(existsSync(house.socketPathOf('node-a'))).toBe(false);
  });

  it('answers commands by their id, and a command that fails with its fault', async () => {
    const house = new LinkHouse();
    await house.openNode('node-a', {
      onCommand: (command) =>
        command.name === 'drain'
          ? Promise.reject(new VoiceError('conflict', 'drains already'))
          : Promise.resolve({ ok: true, value: 42 }),
    });
    const control = new HandMadeControl(house.socketPathOf('node-a'));
    control.say({ type: 'command', id: 8, command: { name: 'drain' } });
    control.say({ type: 'command', id: 9, command: { name: 'read_metrics' } });
    await until(() => control.heard.length === 3, 'two results');
    expect(control.heard.slice(1)).toEqual(
      expect.arrayContaining([
        { type: 'result', id: 8, result: { ok: false, fault: 'conflict', detail: 'drains already' } },
        { type: 'result', id: 9, result: { ok: true, value: 42 } },
      ]),
    );
  });

  it('answers an answer too large to send with a refusal', async () => {
    const house = new LinkHouse();
    await house.openNode('node-a', {
      onCommand: () => Promise.resolve({ ok: true, value: 'x'.repeat(9 * 1024 * 1024) }),
    });
    const control = new HandMadeControl(house.socketPathOf('node-a'));
    control.say({ type: 'command', id: 1, command: { name: 'read_metrics' } });
    await until(() => control.heard.length === 2, 'a result');
    expect(control.heard[1]).toMatchObject({ result: { ok: false, fault: 'payload_too_large' } });
  });

  it('tells its status by itself and at once when asked to', async () => {
    const house = new LinkHouse();
    const node = await house.openNode();
    const control = new HandMadeControl(house.socketPathOf('node-a'));
    control.welcome(0);
    await until(() => node.end.isConnected, 'connected');
    node.end.statusChanged();
    const statuses = (): readonly FromNode[] => control.heard.filter(({ type }) => type === 'status');
    await until(() => statuses().length >= 2, 'two statuses');
    expect(statuses()[0]).toEqual({ type: 'status', status: STATUS });
  });

  it('turns to a newer connection and lets the older go', async () => {
    const house = new LinkHouse();
    const node = await house.openNode();
    const older = new HandMadeControl(house.socketPathOf('node-a'));
    older.welcome(0);
    await until(() => node.end.isConnected, 'connected');
    const newer = new HandMadeControl(house.socketPathOf('node-a'));
    newer.welcome(0);
    await until(() => older.isClosed && node.end.isConnected, 'the older to be closed');
    node.publish(1);
    await until(() => newer.numbers.length === 1, 'the event');
    expect(older.numbers).toEqual([]);
    expect(node.end.stats.replacedConnections).toBe(1);
  });

  it('releases what is acknowledged', async () => {
    const house = new LinkHouse();
    const node = await house.openNode('node-a', { segmentBytes: 1000 });
    const control = new HandMadeControl(house.socketPathOf('node-a'));
    control.welcome(0);
    node.publish(20);
    await until(() => control.numbers.length === 20, 'all');
    control.say({ type: 'ack', record: 20 });
    await until(() => node.spool.firstRecord > 15, 'the release');
    expect(node.spool.stats.releasedSegments).toBeGreaterThan(3);
  });

  it.each<readonly [string, Buffer]>([
    ['bytes that are no JSON', Buffer.from([0, 0, 0, 2, 0x7b, 0x7b])],
    ['a message beyond the limit', Buffer.from([0xff, 0xff, 0xff, 0xff])],
    ['another version', encodeMessage({ type: 'welcome', protocol: 99, ackedRecord: 0 })],
    ['a welcome beyond its last record', encodeMessage({ type: 'welcome', protocol: 1, ackedRecord: 99 })],
    ['an acknowledgement of what was never sent', encodeMessage({ type: 'ack', record: 99 })],
  ])('closes on %s, and serves the next connection', async (_, bytes) => {
    const house = new LinkHouse();
    const node = await house.openNode();
    node.publish(1);
    const control = new HandMadeControl(house.socketPathOf('node-a'));
    control.socket.write(bytes);
    await until(() => control.isClosed, 'the refusal');
    expect(house.log.lines).toHaveLength(1);
    const next = new HandMadeControl(house.socketPathOf('node-a'));
    next.welcome(0);
    await until(() => next.numbers.length === 1, 'the event');
  });

  it('buffers little while control does not read, and then sends everything', async () => {
    const house = new LinkHouse();
    const node = await house.openNode('node-a', { segmentBytes: 1024 * 1024 });
    const control = new HandMadeControl(house.socketPathOf('node-a'));
    control.welcome(0);
    await until(() => node.end.isConnected, 'connected');
    control.socket.pause();
    const ballast = 'x'.repeat(1000);
    let mostBufferedBytes = 0;
    for (const round of upTo(50)) {
      node.publish(100, ballast);
      if (round % 10 === 0) await new Promise((resolve) => void setImmediate(resolve));
      mostBufferedBytes = Math.max(mostBufferedBytes, node.end.bufferedBytes);
    }
    expect(mostBufferedBytes).toBeGreaterThan(0);
    expect(mostBufferedBytes).toBeLessThan(256 * 1024);
    expect(node.spool.bytes).toBeGreaterThan(5 * 1024 * 1024);
    control.socket.resume();
    await until(() => control.numbers.length === 5000, 'everything');
    expect(control.numbers).toEqual(upTo(5000));
    node.publish(1);
    await until(() => control.numbers.length === 5001, 'live again');
  });

  it('does not start once control has given its spool up', async () => {
    const house = new LinkHouse();
    const spool = house.openSpool('node-b');
    onTestFinished(() => spool.close());
    giveUpSpool(house.spoolDirOf('node-b'));
    const opening = openNodeEnd({
      socketPath: house.socketPathOf('node-b'),
      spool,
      facts: { ...FACTS, incarnation: 'node-b' },
      onCommand: () => Promise.resolve({ ok: true, value: null }),
      status: () => STATUS,
      clock: systemClock,
      log: house.log,
    });
    await expect(opening).rejects.toMatchObject({ code: 'unavailable' });
    expect(existsSync(house.socketPathOf('node-b'))).toBe(false);
  });

  it('does not start on a spool that holds events already', async () => {
    const house = new LinkHouse();
    const spool = house.openSpool('node-b');
    onTestFinished(() => spool.close());
    spool.append(eventRecord(1));
    const opening = openNodeEnd({
      socketPath: house.socketPathOf('node-b'),
      spool,
      facts: { ...FACTS, incarnation: 'node-b' },
      onCommand: () => Promise.resolve({ ok: true, value: null }),
      status: () => STATUS,
      clock: systemClock,
      log: house.log,
    });
    await expect(opening).rejects.toThrow(/before anything is spooled/);
  });

  it('publishes nothing after it was closed', async () => {
    const house = new LinkHouse();
    const node = await house.openNode();
    await node.end.close();
    expect(() => node.publish(1)).toThrow(/after the link was closed/);
  });
});
