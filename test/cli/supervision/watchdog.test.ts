import { describe, expect, it } from 'vitest';
import { Watchdog, WATCH_MS } from '../../../src/cli/supervision/watchdog.ts';

/** Looks every WATCH_MS until `untilMs`; `beats` says who beats at an instant. */
function watch(
  dog: Watchdog,
  span: { fromMs: number; untilMs: number },
  beats: (nowMs: number) => readonly string[],
): { readonly child: string; readonly atMs: number }[] {
  const killed: { child: string; atMs: number }[] = [];
  for (let nowMs = span.fromMs + WATCH_MS; nowMs <= span.untilMs; nowMs += WATCH_MS) {
    for (const child of beats(nowMs)) dog.beat(child, nowMs);
    for (const child of dog.look(nowMs)) killed.push({ child, atMs: nowMs });
  }
  return killed;
}

function openDog(watchdogMs = 2000): Watchdog {
  const dog = new Watchdog(watchdogMs, 0);
  for (const child of ['control', 'node-0', 'node-1']) dog.started(child, 0);
  return dog;
}

const ALL = ['control', 'node-0', 'node-1'];

describe('the watchdog', () => {
  it('leaves alone who beats', () => {
    expect(watch(openDog(), { fromMs: 0, untilMs: 60_000 }, () => ALL)).toEqual([]);
  });

  it('gives up a child two seconds after its last beat, once', () => {
    const killed = watch(openDog(), { fromMs: 0, untilMs: 30_000 }, (nowMs) =>
      nowMs <= 5000 ? ALL : ['control', 'node-1'],
    );
    expect(killed).toEqual([{ child: 'node-0', atMs: 7000 }]);
  });

  it('gives a child fifteen seconds for its first beat', () => {
    const killed = watch(openDog(), { fromMs: 0, untilMs: 30_000 }, () => ['control', 'node-0']);
    expect(killed).toEqual([{ child: 'node-1', atMs: 15_000 }]);
  });

  it('judges the successor by its own beats', () => {
    const dog = openDog();
    watch(dog, { fromMs: 0, untilMs: 5000 }, () => ALL);
    dog.left('node-0');
    expect(watch(dog, { fromMs: 5000, untilMs: 10_000 }, () => ['control', 'node-1'])).toEqual([]);
    dog.started('node-0', 10_000);
    const killed = watch(dog, { fromMs: 10_000, untilMs: 40_000 }, () => ['control', 'node-1']);
    expect(killed).toEqual([{ child: 'node-0', atMs: 25_000 }]);
  });

  it('gives a child that takes its leave ten seconds to be gone', () => {
    const dog = openDog();
    watch(dog, { fromMs: 0, untilMs: 5000 }, () => ALL);
    dog.leaving('node-0', 5000);
    dog.leaving('nobody', 5000);
    const killed = watch(dog, { fromMs: 5000, untilMs: 30_000 }, () => ['control', 'node-1']);
    expect(killed).toEqual([{ child: 'node-0', atMs: 15_000 }]);
  });

  it('judges nobody for five seconds when the machine stood still', () => {
    const dog = openDog();
    watch(dog, { fromMs: 0, untilMs: 5000 }, () => ALL);
    expect(dog.look(20_000)).toEqual([]);
    expect(dog.stats.truces).toBe(1);
    // Everybody wakes with us but one, who is judged when the truce is over.
    const killed = watch(dog, { fromMs: 20_000, untilMs: 30_000 }, () => ['control', 'node-1']);
    expect(killed).toEqual([{ child: 'node-0', atMs: 25_000 }]);
  });

  it('calls a truce when its timer is more than one second late, and not before', () => {
    const late = openDog();
    expect(late.look(WATCH_MS + 1000)).toEqual([]);
    expect(late.stats.truces).toBe(0);
    late.look(WATCH_MS + 1000 + WATCH_MS + 1001);
    expect(late.stats.truces).toBe(1);
  });

  it('with little patience asks less proof of a standstill', () => {
    const dog = openDog(600);
    watch(dog, { fromMs: 0, untilMs: 5000 }, () => ALL);
    expect(dog.look(5000 + WATCH_MS + 700)).toEqual([]);
    expect(dog.stats).toEqual({ silences: 0, truces: 1 });
  });

  it('never judges where it is switched off', () => {
    expect(watch(openDog(0), { fromMs: 0, untilMs: 600_000 }, () => [])).toEqual([]);
  });
});
