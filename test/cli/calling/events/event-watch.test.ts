import { describe, expect, it } from 'vitest';
import { EventWatch, type SeenEvent } from '../../../../src/cli/calling/events/event-watch.ts';
import { SentTimes } from '../../../../src/cli/calling/sent-times.ts';
import type { Envelope } from '../../../../src/events/envelope.ts';
import { eventOf } from './events.ts';

const CREATED_UNIX_MS = Date.parse('2026-11-20T12:00:00.000Z');

function openWatch() {
  const sent = new SentTimes();
  for (let i = 0; i < 100; i++) sent.note(i, 1_000 + i * 20);
  const seen: SeenEvent[] = [];
  const watch = new EventWatch(sent, (event) => void seen.push(event));
  const sees = (envelope: Envelope, atMs = 5_000) => watch.see(envelope, atMs, CREATED_UNIX_MS + 4);
  return { watch, seen, sees };
}

describe('the events of a call', () => {
  it('are in order where each comes once and in its turn', async () => {
    const { watch, seen, sees } = openWatch();
    for (let i = 1; i <= 3; i++) sees(eventOf(i, i === 3 ? 'call_completed' : 'leg_connected'));
    expect(watch.isInOrder).toBe(true);
    expect(seen.map(({ latencyMs }) => latencyMs)).toEqual([4, 4, 4]);
    expect(watch.isCompleted).toBe(true);
    await watch.completed;
  });

  it.each([
    ['missing', [1, 3], { events: 2, outOfOrder: 0, duplicates: 0, missing: 1 }],
    ['twice', [1, 2, 2, 3], { events: 3, outOfOrder: 0, duplicates: 1, missing: 0 }],
    ['out of order', [1, 3, 2, 4], { events: 4, outOfOrder: 1, duplicates: 0, missing: 0 }],
    ['missing at the start', [2, 3], { events: 2, outOfOrder: 0, duplicates: 0, missing: 1 }],
  ])('are told from those with one %s', (_, sequences, stats) => {
    const { watch, sees } = openWatch();
    for (const sequence of sequences) sees(eventOf(sequence));
    expect(watch.stats).toEqual(stats);
    expect(watch.isInOrder).toBe(false);
  });

  it('tell how long after the first sound, and after the deciding frame, they are here', () => {
    const { seen, sees } = openWatch();
    // Onset in frame 25, sent at 1500; decided by frame 27 (540 to 560 ms), sent at 1540.
    sees(eventOf(1, 'voice_detected', { onset_ms: 510, at_ms: 560 }), 1_543);
    sees(eventOf(2, 'voice_ended', { onset_ms: 510, at_ms: 1_000 }), 1_985);
    sees(eventOf(3, 'dtmf_received', { at_ms: 560 }), 2_000);
    expect(seen.map(({ sinceOnsetMs, sinceDecidedMs }) => [sinceOnsetMs, sinceDecidedMs])).toEqual([
      [43, 3],
      [undefined, 5],
      [undefined, undefined],
    ]);
  });

  it('tell nothing of the sounds of others, who count from another beginning', () => {
    const { seen, sees } = openWatch();
    sees(eventOf(1, 'voice_detected', { role: 'human', onset_ms: 510, at_ms: 560 }), 1_543);
    expect(seen.map(({ sinceOnsetMs, sinceDecidedMs }) => [sinceOnsetMs, sinceDecidedMs])).toEqual([
      [undefined, undefined],
    ]);
  });
});
