import { expect, it } from 'vitest';
import type { Found } from '../../src/cluster/registry.ts';
import { Reaper } from '../../src/control/reaper.ts';
import { applyToCall, type CallView } from '../../src/events/call-view.ts';
import type { EventRecord } from '../../src/events/envelope.ts';
import { callEnvelopes } from '../fakes/call-envelopes.ts';
import { FakeClock } from '../fakes/clock.ts';

const WINDOW_MS = 30_000;

function openCall(): CallView {
  const { next } = callEnvelopes();
  return applyToCall(undefined, next('call_started', {}), 'n0-dead')!;
}

/** What is told of the call of a dead node when the window is over. */
async function toldOf(found: Found): Promise<string[]> {
  const clock = new FakeClock();
  const published: EventRecord[] = [];
  const reaper = new Reaper({
    journal: {
      read: async () => [],
      incarnationsWithOpenCalls: async () => [],
      openCalls: async () => [openCall()],
      openCall: async () => openCall(),
    },
    registry: { find: async () => found, end: async () => 'saved' },
    resumeWindowMs: WINDOW_MS,
    finish: async (_, make) => {
      const records = make(openCall());
      published.push(...records);
      return records;
    },
    onLost: () => {},
    clock,
    log: { warn: () => {}, error: () => {} },
  });
  await reaper.reap('n0-dead');
  clock.advance(WINDOW_MS - 1);
  await new Promise((resolve) => setImmediate(resolve));
  expect(published).toEqual([]);
  clock.advance(1);
  await new Promise((resolve) => setImmediate(resolve));
  reaper.close();
  return published.map(({ envelope }) => envelope.type);
}

it('a call that nobody has taken over is ended when its window is over', async () => {
  const told = await toldOf({ state: 'live', owner: 'n0-dead', token: 5, sequence: 1 });
  expect(told).toEqual(['call_ended', 'call_completed']);
});

it('a call that another node has taken over is left to it', async () => {
  expect(await toldOf({ state: 'live', owner: 'n1', token: 6, sequence: 1 })).toEqual([]);
});

it('nothing is ended while the registry cannot be asked', async () => {
  expect(await toldOf('unavailable')).toEqual([]);
});
