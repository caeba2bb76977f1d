import { expect, it } from 'vitest';
import { NodeSummaries } from '../../../src/node/calls/summaries.ts';
import type { Ask, AskResult } from '../../../src/events/asks.ts';

const SAID = [{ speaker: 'caller', text: 'I want a booking.', start_ms: null, end_ms: null }];
const SUMMARY = { method: 'lexrank', text: 'caller: I want a booking.' };

it('control is asked what a call was about, and waited for so long and no longer', async () => {
  const asked: [Ask, number][] = [];
  const summaries = new NodeSummaries({
    ask: async (...one) => {
      asked.push(one);
      return { ok: true, value: { summary: SUMMARY } };
    },
  });
  expect(await summaries.summaryOf(SAID)).toEqual(SUMMARY);
  expect(asked).toEqual([[{ name: 'sum_up', segments: SAID }, 500]]);
});

it.each<[string, AskResult, unknown]>([
  ['says that nothing sums it up', { ok: true, value: { summary: null } }, null],
  ['says something else', { ok: true, value: { summary: { method: 7 } } }, null],
  ['does not answer', { ok: false, fault: 'unavailable', detail: 'no answer' }, 'unavailable'],
])('where control %s there is none', async (_, answer, expected) => {
  expect(await new NodeSummaries({ ask: async () => answer }).summaryOf(SAID)).toBe(expected);
});

it('more than 32 calls at once are not asked about', async () => {
  const { promise, resolve } = Promise.withResolvers<AskResult>();
  const summaries = new NodeSummaries({ ask: () => promise });
  const waiting = Array.from({ length: 32 }, () => summaries.summaryOf(SAID));
  expect(await summaries.summaryOf(SAID)).toBe('unavailable');
  resolve({ ok: true, value: { summary: null } });
  await Promise.all(waiting);
  expect(await summaries.summaryOf(SAID)).toBeNull();
});
