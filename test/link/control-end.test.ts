import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import type { CommandResult } from '../../src/events/commands.ts';
import { encodeMessage } from '../../src/link/framing.ts';
import { LINK_PROTOCOL } from '../../src/link/messages.ts';
import { eventRecord, FACTS, upTo } from './link-fixtures.ts';
import { until } from '../fakes/until.ts';
import { LinkHouse } from './link-house.ts';

function listenAt(path: string, onConnection: (write: (bytes: Buffer) => void) => void): Promise<Server> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    onConnection((bytes) => void socket.write(bytes));
  });
  onTestFinished(() => void server.close());
  return new Promise((resolve) => {
    server.listen(path, () => resolve(server));
  });
}

describe('control on the link', () => {
  it('finds a node that was there before it, and one that comes after it', async () => {
    const house = new LinkHouse();
    const first = await house.openNode('node-a');
    first.publish(3);
    const control = house.openControl();
    const second = await house.openNode('node-b');
    second.publish(2);
    await until(() => control.nodes().filter(({ isServing }) => isServing).length === 2, 'both serve');
    await until(() => house.told.length === 5, 'all events');
    expect(house.journal.numbersOf('node-a')).toEqual([1, 2, 3]);
    expect(house.journal.numbersOf('node-b')).toEqual([1, 2]);
    expect(control.nodes().map(({ hello }) => hello.ownPort)).toEqual([FACTS.ownPort, FACTS.ownPort]);
    await until(() => control.nodes()[0]?.status?.capLegs === 800, 'a status');
  });

  it('acknowledges what is committed, so that the spool gets shorter', async () => {
    const house = new LinkHouse();
    const node = await house.openNode('node-a', { segmentBytes: 2000 });
    house.openControl();
    node.publish(100);
    await until(() => node.spool.firstRecord > 95 && house.told.length === 100, 'the release');
    expect(house.journal.numbersOf('node-a')).toEqual(upTo(100));
  });

  it('commits together what arrived meanwhile, at most 500 at a time, one commit at once', async () => {
    const house = new LinkHouse();
    let running = 0;
    let mostRunning = 0;
    house.journal.beforeCommit = async () => {
      mostRunning = Math.max(mostRunning, ++running);
      await new Promise((resolve) => void setImmediate(resolve));
      running--;
    };
    const node = await house.openNode();
    const control = house.openControl();
    await until(() => node.end.isConnected, 'connected');
    node.publish(1200);
    await until(() => house.told.length === 1200, 'all');
    expect(house.journal.numbersOf('node-a')).toEqual(upTo(1200));
    expect(Math.max(...house.journal.batchSizes)).toBeLessThanOrEqual(500);
    expect(house.journal.batchSizes.length).toBeLessThan(100);
    expect(mostRunning).toBe(1);
    expect(control.stats.committedRecords).toBe(1200);
  });

  it('tries a failed commit again and loses nothing by it', async () => {
    const house = new LinkHouse();
    let failures = 3;
    house.journal.beforeCommit = () =>
      failures-- > 0 ? Promise.reject(new Error('database is locked')) : Promise.resolve();
    const node = await house.openNode();
    const control = house.openControl();
    node.publish(10);
    await until(() => house.told.length === 10, 'all');
    expect(house.journal.numbersOf('node-a')).toEqual(upTo(10));
    expect(control.stats.failedCommits).toBe(3);
  });

  it('stops reading while commits do not get on, and catches up afterwards', async () => {
    const house = new LinkHouse();
    let letGo = (): void => {};
    const gate = new Promise<void>((resolve) => (letGo = resolve));
    onTestFinished(() => letGo());
    house.journal.beforeCommit = () => gate;
    const node = await house.openNode();
    house.openControl();
    await until(() => node.end.isConnected, 'connected');
    node.publish(10_000, 'x'.repeat(300));
    const skippedStatuses = node.end.stats.skippedStatuses;
    await until(() => node.end.stats.skippedStatuses > skippedStatuses + 1, 'two statuses without room');
    // What is sent is in one kernel buffer, one read chunk, and what waits in control: a fraction of it all.
    expect(node.end.stats.sentRecords).toBeGreaterThan(1000);
    expect(node.end.stats.sentRecords).toBeLessThan(4000);
    letGo();
    await until(() => house.told.length === 10_000, 'all');
    expect(house.journal.numbersOf('node-a')).toEqual(upTo(10_000));
  });

  it('asks a node and hears its answer, its silence, or that there is no such node', async () => {
    const house = new LinkHouse();
    await house.openNode('node-a', {
      onCommand: (command) =>
        command.name === 'drain'
          ? new Promise<CommandResult>(() => {})
          : Promise.resolve({ ok: true, value: 7 }),
    });
    const control = house.openControl();
    await until(() => control.nodes()[0]?.isServing === true, 'connected');
    expect(await control.command('node-a', { name: 'read_metrics' })).toEqual({ ok: true, value: 7 });
    expect(await control.command('node-a', { name: 'drain' }, 20)).toMatchObject({ fault: 'unavailable' });
    expect(await control.command('node-x', { name: 'drain' })).toMatchObject({ fault: 'unavailable' });
  });

  it('answers a command at once when the node goes away under it', async () => {
    const house = new LinkHouse();
    const node = await house.openNode('node-a', { onCommand: () => new Promise<CommandResult>(() => {}) });
    const control = house.openControl();
    await until(() => control.nodes()[0]?.isServing === true, 'connected');
    const answer = control.command('node-a', { name: 'drain' }, 60_000);
    await node.close();
    expect(await answer).toMatchObject({ ok: false, fault: 'unavailable', detail: 'the node went away' });
  });

  it('counts a node as serving once it was prepared, which is tried again when it fails', async () => {
    const house = new LinkHouse();
    let attempts = 0;
    const seen: boolean[] = [];
    const control = house.openControl({
      onConnected: async (node) => {
        seen.push(node.isServing);
        if (++attempts === 1) throw new Error('no credentials yet');
        const result = await control.command(node.incarnation, {
          name: 'apply_credentials',
          view: { version: 1, credentials: [] },
        });
        expect(result.ok).toBe(true);
      },
    });
    await house.openNode();
    await until(() => control.nodes()[0]?.isServing === true, 'serving');
    expect(seen).toEqual([false, false]);
  });

  it('is not troubled by strange files, nor by a listener that talks nonsense', async () => {
    const house = new LinkHouse();
    writeFileSync(join(house.spoolsDir, 'notes.txt'), '');
    writeFileSync(join(house.spoolsDir, 'plain-file'), '');
    writeFileSync(join(house.runDir, 'pid'), '1');
    const stranger = await listenAt(house.socketPathOf('stranger'), (write) =>
      write(encodeMessage({ ...FACTS, type: 'hello', protocol: LINK_PROTOCOL, firstRecord: 1 })),
    );
    house.openControl();
    const node = await house.openNode();
    node.publish(2);
    await until(() => house.told.length === 2, 'events');
    await until(
      () => house.log.lines.some((line) => line.includes('answers in the place of')),
      'the refusal',
    );
    expect(house.dead).toEqual([]);
    stranger.close();
  });
});

describe('a node that is gone', () => {
  it('has the rest of its spool committed before its death is told, and leaves nothing', async () => {
    const house = new LinkHouse();
    const node = await house.openNode();
    house.openControl({
      onNodeDead: (incarnation) => {
        house.dead.push(`${incarnation} after ${house.journal.numbersOf(incarnation).length}`);
        return Promise.resolve();
      },
    });
    await until(() => node.end.isConnected, 'connected');
    house.journal.beforeCommit = () => new Promise((resolve) => void setImmediate(resolve));
    node.publish(3000);
    await node.close();
    await until(() => house.journal.forgotten.length === 1, 'the burial');
    await until(() => readdirSync(house.runDir).length === 0, 'a clean place');
    expect(house.dead).toEqual(['node-a after 3000']);
    expect(house.journal.numbersOf('node-a')).toEqual(upTo(3000));
    expect(house.told.map(({ envelope }) => envelope.sequence)).toEqual(upTo(3000));
    expect(existsSync(house.spoolDirOf('node-a'))).toBe(false);
  });

  it('is buried by the next control when it died while there was none', async () => {
    const house = new LinkHouse();
    const spool = house.openSpool('node-a');
    for (const number of upTo(1300)) spool.append(eventRecord(number));
    spool.close();
    const control = house.openControl();
    await until(() => house.journal.forgotten.length === 1, 'the burial');
    expect(house.journal.numbersOf('node-a')).toEqual(upTo(1300));
    expect(house.dead).toEqual(['node-a']);
    await until(() => control.stats.buriedNodes === 1, 'nothing to be left');
    expect(control.nodes()).toEqual([]);
  });

  it('has its death told again until that works, and is removed only then', async () => {
    const house = new LinkHouse();
    const spool = house.openSpool('node-a');
    spool.append(eventRecord(1));
    spool.close();
    let attempts = 0;
    house.openControl({
      onNodeDead: () => {
        expect(existsSync(house.spoolDirOf('node-a'))).toBe(true);
        return ++attempts === 1 ? Promise.reject(new Error('busy')) : Promise.resolve();
      },
    });
    await until(() => house.journal.forgotten.length === 1, 'the burial');
    expect(attempts).toBe(2);
  });

  it('is not presumed dead while it starts, only after the grace; then it cannot start', async () => {
    const house = new LinkHouse();
    const spool = house.openSpool('node-a');
    onTestFinished(() => spool.close());
    let dials = 0;
    const clock = {
      nowMs: () => systemClock.nowMs(),
      after: (delayMs: number, task: () => void) => {
        if (delayMs < 500) dials++; // the pause after each dial; looking around has 500 ms
        return systemClock.after(delayMs, task);
      },
    };
    const patient = house.openControl({ graceMs: 60_000, clock });
    await until(() => dials >= 4, 'four dials');
    await patient.close();
    expect(house.dead).toEqual([]);
    expect(existsSync(house.spoolDirOf('node-a'))).toBe(true);
    house.openControl({ graceMs: 30 });
    await until(() => house.dead.length === 1, 'the burial');
    await until(() => !existsSync(house.spoolDirOf('node-a')), 'a clean place');
    expect(spool.isGivenUp).toBe(true);
  });

  it('has a hole in its spool told, and the rest of it committed', async () => {
    const house = new LinkHouse();
    const spool = house.openSpool('node-a', { segmentBytes: 2000 });
    for (const number of upTo(40)) spool.append(eventRecord(number));
    spool.close();
    writeFileSync(join(house.spoolDirOf('node-a'), '1.seg'), 'not records');
    house.openControl();
    await until(() => house.journal.forgotten.length === 1, 'the burial');
    const numbers = house.journal.numbersOf('node-a');
    expect(numbers.at(-1)).toBe(40);
    expect(numbers).toEqual(upTo(40).slice(numbers[0]! - 1));
    expect(house.log.lines.some((line) => line.startsWith('error a spool is damaged'))).toBe(true);
  });

  it('leaves an empty directory that nobody mistakes for a node for ever', async () => {
    const house = new LinkHouse();
    mkdirSync(house.spoolDirOf('node-a'));
    house.openControl();
    await until(() => !existsSync(house.spoolDirOf('node-a')), 'a clean place');
    expect(house.dead).toEqual(['node-a']);
  });
});
