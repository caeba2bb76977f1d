import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import { openSupervised, type Supervised } from '../../src/base/supervised.ts';
import { FakeClock } from '../fakes/clock.ts';

class FakeHost extends EventEmitter {
  readonly said: unknown[] = [];
  readonly printed: string[] = [];
  readonly stdout = { write: (text: string) => this.printed.push(text) };
  readonly send: ((message: unknown) => void) | undefined;
  connected: boolean;

  constructor(options: { hasSupervisor: boolean }) {
    super();
    this.connected = options.hasSupervisor;
    this.send = options.hasSupervisor ? (message) => this.said.push(message) : undefined;
  }

  disconnect(): void {
    this.connected = false;
  }
}

function open(options: { hasSupervisor: boolean }): {
  host: FakeHost;
  clock: FakeClock;
  done: string[];
  supervised: Supervised;
} {
  const host = new FakeHost(options);
  const clock = new FakeClock();
  const done: string[] = [];
  const supervised = openSupervised({
    clock,
    drainDeadlineMs: 9000,
    onDrain: (deadlineMs) => done.push(`drain ${deadlineMs}`),
    onStop: () => done.push('stop'),
    onReload: () => done.push('reload'),
    onOrphaned: () => done.push('orphaned'),
    host,
  });
  return { host, clock, done, supervised };
}

describe('a child with a supervisor', () => {
  it('beats from the first moment, four times a second, until it closes', async () => {
    const { host, clock, supervised } = open({ hasSupervisor: true });
    expect(host.said).toEqual([{ type: 'beat' }]);
    clock.advance(1000);
    expect(host.said).toHaveLength(5);
    await supervised.close();
    clock.advance(1000);
    expect(host.said).toHaveLength(5);
    expect([host.connected, clock.pendingTasks, host.eventNames()]).toEqual([false, 0, []]);
  });

  it('does what it is told, and hears no signals', () => {
    const { host, done } = open({ hasSupervisor: true });
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) host.emit(signal);
    expect(done).toEqual([]);
    for (const type of ['reload', 'reload', 'nonsense']) host.emit('message', { type });
    host.emit('message', { type: 'drain', deadlineMs: 5000 });
    host.emit('message', { type: 'drain', deadlineMs: 5000 });
    host.emit('message', { type: 'stop' });
    host.emit('message', { type: 'stop' });
    expect(done).toEqual(['reload', 'reload', 'drain 5000', 'stop']);
  });

  it('says when it is ready, and notices that it was left alone', () => {
    const { host, done, supervised } = open({ hasSupervisor: true });
    supervised.ready({ api_key: 'k' });
    expect(host.said.at(-1)).toEqual({ type: 'ready', facts: { api_key: 'k' } });
    host.connected = false;
    host.emit('disconnect');
    expect(done).toEqual(['orphaned']);
    supervised.ready({});
    expect(host.said).toHaveLength(2);
  });
});

describe('a process started by hand', () => {
  it('drains at the first signal, stops at the second, and reloads', () => {
    const { host, done, supervised } = open({ hasSupervisor: false });
    expect(supervised.isSupervised).toBe(false);
    for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM', 'SIGTERM']) host.emit(signal);
    expect(done).toEqual(['reload', 'drain 9000', 'stop']);
  });

  it('prints what the person who started it should see', () => {
    const { host, supervised } = open({ hasSupervisor: false });
    supervised.ready({ api_key: 'k' });
    expect(host.printed).toEqual(['{"type":"ready","facts":{"api_key":"k"}}\n']);
  });
});
