import { describe, expect, it } from 'vitest';
import { flatParametersOf } from '../../../src/dialect/binary-media/flat-parameters.ts';
import { ShortMarks } from '../../../src/dialect/binary-media/short-marks.ts';

describe('short marks', () => {
  it('come back under the name they were given, however long it is', () => {
    const marks = new ShortMarks();
    const names = ['utt-7', 'x'.repeat(256), 'said "so" é', 'utt-7'];
    const ids = names.map((name) => marks.give(name));
    expect(ids).toEqual(['m1', 'm2', 'm3', 'm4']);
    expect(ids.map((id) => marks.take(id))).toEqual(names);
  });

  it('know one that comes late, though its name was given again', () => {
    const marks = new ShortMarks();
    const early = marks.give('utt-7');
    marks.giveUp();
    const again = marks.give('utt-7');
    expect(marks.take(early)).toBeUndefined();
    expect(marks.stats.lateMarks).toBe(1);
    expect(marks.take(again)).toBe('utt-7');
    expect(marks.take(again)).toBeUndefined();
  });

  it('know those of the session before, whose ids were counted alike', () => {
    const [former, marks] = [new ShortMarks(1_000.25), new ShortMarks(1_000.75)];
    const old = former.give('utt-7');
    const id = marks.give('utt-8');
    expect(marks.take(old)).toBeUndefined();
    expect(marks.stats.lateMarks).toBe(1);
    expect([marks.take(id), marks.take('utt-7')]).toEqual(['utt-8', 'utt-7']);
  });

  it('leave alone what was never theirs', () => {
    const marks = new ShortMarks();
    expect(['m1', 'utt-7', 'm', 'm-1', `m${'9'.repeat(40)}`].map((id) => marks.take(id))).toEqual([
      'm1',
      'utt-7',
      'm',
      'm-1',
      `m${'9'.repeat(40)}`,
    ]);
  });
});

describe('flat parameters', () => {
  it('are texts: numbers, flags and whole objects', () => {
    expect(
      flatParametersOf({ tenant: 'acme', tries: 3, vip: true, none: null, sip: { 'X-Id': '7' } }, ['tenant']),
    ).toEqual({ tries: '3', vip: 'true', sip: '{"X-Id":"7"}' });
  });

  it('leave out what no store can keep, and nothing else', () => {
    const hostile = JSON.parse('{"__proto__":"x","ok":"1"}') as Record<string, unknown>;
    expect(flatParametersOf({ ...hostile, nul: 'a\0b', long: 'x'.repeat(9_000), fine: 'y' })).toEqual({
      ok: '1',
      fine: 'y',
    });
    expect(flatParametersOf(hostile)).toEqual({ ok: '1' });
  });

  it('come down to what the call itself knows where there are too many', () => {
    const many = Object.fromEntries(Array.from({ length: 70 }, (_, i) => [`VAR_${i}`, 'x']));
    expect(flatParametersOf({ ...many, from: '+15550100', lead_id: '884' })).toEqual({
      from: '+15550100',
      lead_id: '884',
    });
  });
});
