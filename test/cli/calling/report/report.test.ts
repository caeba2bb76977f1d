import { describe, expect, it } from 'vitest';
import type { RunCall } from '../../../../src/cli/calling/call-run.ts';
import { EventWatch } from '../../../../src/cli/calling/events/event-watch.ts';
import { eventLine } from '../../../../src/cli/calling/report/event-line.ts';
import { Narration } from '../../../../src/cli/calling/report/narration.ts';
import { reportOf, type ReportFacts } from '../../../../src/cli/calling/report/report.ts';
import { summaryOf } from '../../../../src/cli/calling/report/summary.ts';
import { stepsSound } from '../audio/sounds.ts';
import { eventOf } from '../events/events.ts';

const CREATED_UNIX_MS = Date.parse('2026-11-20T12:00:00.000Z');

function openCall(
  outcome: RunCall['outcome'],
  types: readonly string[] = ['call_started', 'call_completed'],
) {
  const watch = new EventWatch({ ofMediaMs: () => 100 }, () => undefined);
  types.forEach((type, i) => watch.see(eventOf(i + 1, type), 200, CREATED_UNIX_MS + 2));
  const call: RunCall = { index: 0, callId: 'call_1', sound: stepsSound(1), watch };
  if (outcome !== undefined) call.outcome = outcome;
  return call;
}

const HUNG_UP = { type: 'hung_up', by: 'caller', reason: 'hangup' } as const;

function reportWith(calls: readonly RunCall[], facts: Partial<ReportFacts> = {}) {
  return reportOf({
    dialect: 'twilio',
    agentId: 'echo',
    calls,
    mostCalls: calls.length,
    durationMs: 1_000,
    isImpaired: false,
    seed: null,
    eventsFailure: null,
    ...facts,
  });
}

describe('a report', () => {
  it('is good where every call was hung up and told to its end', () => {
    const report = reportWith([openCall(HUNG_UP), openCall(HUNG_UP)]);
    expect(report).toMatchObject({ ok: true, completed_calls: 2, failed_calls: 0 });
    expect(report.events).toMatchObject({ count: 4, in_order: true, latency_ms: { p50: 2 } });
    expect(summaryOf(report)).toContain('2 of 2 completed');
  });

  it('is not where a call_completed never came', () => {
    const report = reportWith([openCall(HUNG_UP, ['call_started'])]);
    expect(report.ok).toBe(false);
    expect(summaryOf(report)).toContain('hung up, but call_completed never came');
  });

  it('makes do without events where nobody may read them', () => {
    const report = reportWith([openCall(HUNG_UP, [])], { eventsFailure: 'the key lacks events:read' });
    expect(report).toMatchObject({ ok: true, events: null });
    expect(summaryOf(report)).toContain('not followed: the key lacks events:read');
  });

  it('says why calls failed, of many the first', () => {
    const failed = openCall({ type: 'failed', detail: 'refused with HTTP 401: no' }, []);
    const summary = summaryOf(reportWith(Array.from({ length: 8 }, () => failed)));
    expect(summary.match(/refused with HTTP 401: no/g)).toHaveLength(5);
    expect(summary).toContain('and 3 more');
    expect(reportWith([failed]).ok).toBe(false);
  });

  it('of no call at all is not good', () => {
    expect(reportWith([]).ok).toBe(false);
  });
});

describe('the line of an event', () => {
  const lineOf = (type: string, data = {}) => {
    const isVoice = type === 'voice_detected';
    const since = { sinceOnsetMs: isVoice ? 44.4 : undefined, sinceDecidedMs: isVoice ? 3.64 : undefined };
    const event = { type, sequence: 1, createdAt: '', onsetMs: undefined, atMs: 0, latencyMs: 3, ...since };
    return eventLine(event, data, 1_234);
  };

  it.each([
    [
      'voice_detected',
      { role: 'caller', onset_ms: 510, level_dbfs: -28.8 },
      'caller  onset 510 ms  -28.8 dBFS',
    ],
    ['voice_detected', {}, '3.6 ms after the deciding frame, 44 ms after the first sound'],
    ['dtmf_received', { role: 'caller', digit: '#' }, 'caller  #'],
    ['call_completed', { duration_ms: 6600, talk_ms: { caller: 4550 } }, '6600 ms  caller spoke 4550 ms'],
    ['call_ended', { reason: 'provider_stop' }, 'provider_stop'],
    ['mark_reached', { name: 'utt-7' }, 'utt-7'],
  ])('of %s says what matters of it', (type, data, words) => {
    const line = lineOf(type, data);
    expect(line).toContain(words);
    expect(line).toContain('1.23 s');
    expect(line).toContain('3 ms');
  });
});

describe('a narration', () => {
  it('tells every event of a few calls, and only the count of many', () => {
    for (const [count, told] of [
      [2, 3],
      [9, 0],
    ] as const) {
      const lines: string[] = [];
      const narration = new Narration({ count, print: (line) => void lines.push(line), nowMs: () => 0 });
      const call = openCall({ type: 'failed', detail: 'gone' });
      narration.connected(call, 3);
      for (const event of call.watch.seen.slice(0, 1)) narration.event(call, event, eventOf(1));
      narration.over(call);
      expect(lines).toHaveLength(told);
      narration.progress();
      narration.progress();
      expect(lines.slice(told)).toEqual(count === 9 ? ['0 of 9 calls up, 1 over, 1 failed'] : []);
    }
  });
});
