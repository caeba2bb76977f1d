import { describe, expect, it } from 'vitest';
import type { FromSupervisor } from '../../../src/base/supervision.ts';
import { Supervisor, type ChildEvents, type Facts } from '../../../src/cli/supervision/supervisor.ts';
import { FakeClock } from '../../fakes/clock.ts';

/** A child that does what the test says, and beats while it is well. */
class FakeChild {
  readonly pid = 1;
  readonly heard: FromSupervisor[] = [];
  readonly args: readonly string[];
  readonly startedAtMs: number;
  isAlive = true;
  isWell = true;
  readonly #events: ChildEvents;

  constructor(args: readonly string[], events: ChildEvents, clock: FakeClock) {
    this.args = args;
    this.#events = events;
    this.startedAtMs = clock.nowMs();
    const beat = (): void => {
      if (!this.isAlive) return;
      if (this.isWell) this.say({ type: 'beat' });
      clock.after(250, beat);
    };
    beat();
  }

  get name(): string {
    return this.args[0] === 'node' ? `node-${this.args[2]}` : 'control';
  }

  send(message: FromSupervisor): void {
    this.heard.push(message);
  }

  kill(): void {
    this.exit(null, 'SIGKILL');
  }

  say(message: unknown): void {
    this.#events.onMessage(message);
  }

  disconnect(): void {
    this.isWell = false;
    this.#events.onDisconnect();
  }

  exit(code: number | null, signal: string | null = null): void {
    if (!this.isAlive) return;
    this.isAlive = false;
    this.#events.onExit({ code, signal });
  }
}

interface House {
  readonly supervisor: Supervisor;
  readonly clock: FakeClock;
  readonly children: FakeChild[];
  readonly ready: Facts[];
  readonly child: (name: string) => FakeChild;
  readonly living: () => string[];
  readonly exitCode: () => Promise<number | 'running'>;
}

function openHouse(options: { mediaNodes?: number; isReady?: boolean } = {}): House {
  const clock = new FakeClock({ nowMs: 1000 });
  const children: FakeChild[] = [];
  const ready: Facts[] = [];
  const supervisor = new Supervisor({
    clock,
    log: { info: () => {}, warn: () => {} },
    mediaNodes: options.mediaNodes ?? 2,
    watchdogMs: 2000,
    drainDeadlineMs: 120_000,
    onReady: (facts) => ready.push(facts),
    startChild: (args, events) => {
      const child = new FakeChild(args, events, clock);
      children.push(child);
      return child;
    },
  });
  if (options.isReady ?? true) for (const child of children) child.say({ type: 'ready', facts: {} });
  return {
    supervisor,
    clock,
    children,
    ready,
    child: (name) => children.findLast((child) => child.name === name)!,
    living: () => children.filter((child) => child.isAlive).map((child) => child.name),
    exitCode: () => Promise.race([supervisor.ended, Promise.resolve('running' as const)]),
  };
}

describe('a house that starts', () => {
  it('starts control and every node, each life under a name of its own', () => {
    const { children } = openHouse();
    expect(children.map(({ name }) => name)).toEqual(['control', 'node-0', 'node-1']);
    expect(children[1]!.args.slice(0, 4)).toEqual(['node', '--index', '0', '--incarnation']);
    expect(children[1]!.args[4]).toMatch(/^n0-[0-9a-z]{8}$/);
    expect(children[2]!.args[4]).toMatch(/^n1-[0-9a-z]{8}$/);
  });

  it('is ready once, when everybody is, with what everybody had to say', () => {
    const { child, ready } = openHouse({ isReady: false });
    child('node-0').say({ type: 'ready', facts: {} });
    child('control').say({ type: 'ready', facts: { api_key: 'k' } });
    expect(ready).toEqual([]);
    child('node-1').say({ type: 'ready', facts: {} });
    child('node-1').say({ type: 'ready', facts: {} });
    expect(ready).toEqual([{ api_key: 'k' }]);
  });

  it.each([
    [2, 2],
    [1, 1],
    [0, 1],
  ])('fails when a child gives up with %d, and ends with %d once all are gone', async (code, expected) => {
    const { child, exitCode, living } = openHouse({ isReady: false });
    child('node-1').exit(code);
    expect(child('node-0').heard).toEqual([{ type: 'stop' }]);
    child('node-0').exit(0);
    expect(child('control').heard).toEqual([{ type: 'stop' }]);
    child('control').exit(0);
    expect(living()).toEqual([]);
    expect(await exitCode()).toBe(expected);
  });

  it('goes on when a child is killed meanwhile', () => {
    const { child, living } = openHouse({ isReady: false });
    child('node-1').exit(null, 'SIGKILL');
    expect(living()).toEqual(['control', 'node-0', 'node-1']);
  });
});

describe('a house that serves', () => {
  it('replaces a dead node under a new name when its siblings have its calls, and touches nobody else', () => {
    const { child, children, living, clock } = openHouse();
    clock.advance(60_000);
    const [before, other] = [child('node-0'), child('node-1')];
    before.exit(null, 'SIGKILL');
    clock.advance(1_999);
    expect(living()).toEqual(['control', 'node-1']);
    clock.advance(1);
    expect(living()).toEqual(['control', 'node-1', 'node-0']);
    expect(child('node-0').args[4]).not.toBe(before.args[4]);
    expect([other.heard, child('control').heard]).toEqual([[], []]);
    expect(children).toHaveLength(4);
  });

  it.each([
    ['a dead node without a serving sibling', () => openHouse({ mediaNodes: 1 }), 'SIGKILL', null],
    ['a node that has left of its own accord', () => openHouse(), null, 0],
  ])('replaces %s at once', (_, open, signal, code) => {
    const { child, clock } = open();
    clock.advance(60_000);
    const before = child('node-0');
    before.exit(code, signal);
    expect(child('node-0')).not.toBe(before);
  });

  it('gives a child that keeps dying ever more time', () => {
    const { child, children, clock } = openHouse({ mediaNodes: 1 });
    for (let death = 0; death < 4; death++) {
      child('control').exit(1);
      clock.advance(2000);
    }
    const starts = children.filter(({ name }) => name === 'control').map(({ startedAtMs }) => startedAtMs);
    expect(starts).toEqual([1000, 1000, 3100, 5200, 7400]);
  });

  it('kills a silent child after two seconds and replaces it', () => {
    const { child, clock, living } = openHouse();
    clock.advance(10_000);
    const silent = child('node-1');
    silent.isWell = false;
    clock.advance(1500);
    expect(silent.isAlive).toBe(true);
    clock.advance(1000);
    expect(silent.isAlive).toBe(false);
    clock.advance(2000);
    expect(living()).toEqual(['control', 'node-0', 'node-1']);
  });

  it('hands a reload to everybody', () => {
    const { supervisor, children } = openHouse();
    supervisor.reload();
    expect(children.map(({ heard }) => heard)).toEqual([
      [{ type: 'reload' }],
      [{ type: 'reload' }],
      [{ type: 'reload' }],
    ]);
  });

  it('survives nonsense from a child', () => {
    const { child, living } = openHouse();
    for (const nonsense of [null, 7, 'x', [], {}, { type: 'drain' }]) child('node-0').say(nonsense);
    expect(living()).toHaveLength(3);
  });
});

describe('a house that leaves', () => {
  it('drains the nodes first, control when they are gone, and ends with 0', async () => {
    const { supervisor, child, clock, exitCode } = openHouse();
    supervisor.signal();
    expect(child('node-0').heard).toEqual([{ type: 'drain', deadlineMs: 120_000 }]);
    expect(child('control').heard).toEqual([]);
    clock.advance(60_000);
    child('node-0').exit(0);
    expect(child('control').heard).toEqual([]);
    child('node-1').exit(0);
    expect(child('control').heard).toEqual([{ type: 'drain', deadlineMs: 10_000 }]);
    expect(await exitCode()).toBe('running');
    child('control').exit(0);
    expect(await exitCode()).toBe(0);
    clock.advance(1000);
    expect(clock.pendingTasks).toBe(0);
  });

  it('does not take a child on its last steps for a silent one', () => {
    const { supervisor, child, clock } = openHouse();
    clock.advance(10_000);
    supervisor.signal();
    child('node-0').disconnect();
    child('node-1').isWell = false;
    clock.advance(4000);
    expect([child('node-0').isAlive, child('node-1').isAlive]).toEqual([true, false]);
    clock.advance(7000);
    expect(child('node-0').isAlive).toBe(false);
  });

  it('stops at the second signal, and kills at the third', async () => {
    const { supervisor, child, clock, exitCode, living } = openHouse();
    supervisor.signal();
    clock.advance(1000);
    supervisor.signal();
    expect(child('node-0').heard.at(-1)).toEqual({ type: 'stop' });
    expect(child('control').heard).toEqual([]);
    clock.advance(1000);
    supervisor.signal();
    expect(living()).toEqual([]);
    expect(await exitCode()).toBe(0);
  });

  it('kills nodes that stay beyond the deadline, and lets control write down their end', async () => {
    const { supervisor, child, clock, exitCode } = openHouse();
    supervisor.signal();
    clock.advance(124_999);
    expect(child('node-0').isAlive).toBe(true);
    clock.advance(1);
    expect([child('node-0').isAlive, child('node-1').isAlive, child('control').isAlive]).toEqual([
      false,
      false,
      true,
    ]);
    clock.advance(15_000);
    expect(child('control').isAlive).toBe(false);
    expect(await exitCode()).toBe(0);
  });

  it('replaces control, and no node, while nodes finish their calls', () => {
    const { supervisor, child, living } = openHouse();
    supervisor.signal();
    child('node-1').exit(1);
    child('control').exit(null, 'SIGKILL');
    expect(living()).toEqual(['node-0', 'control']);
    child('node-0').exit(0);
    expect(child('control').heard).toEqual([{ type: 'drain', deadlineMs: 10_000 }]);
  });

  it('does not wait for a child that was about to be replaced', async () => {
    const { supervisor, child, exitCode, living } = openHouse({ mediaNodes: 1 });
    for (const name of ['node-0', 'node-0', 'control', 'control']) child(name).exit(1);
    expect(living()).toEqual([]);
    supervisor.signal();
    expect(await exitCode()).toBe(0);
  });
});
