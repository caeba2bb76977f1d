import { afterAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../../../src/base/clock.ts';
import { SchemaDesk } from '../../../../src/records/inbound/schema/schema-desk.ts';

// Exponential in the number of `a`: with forty of them, hours.
const BACKTRACKING = { type: 'object', properties: { a: { type: 'string', pattern: '^(a+)+$' } } };
const SPITE = JSON.stringify({ a: `${'a'.repeat(40)}!` });

const desks: SchemaDesk[] = [];
afterAll(() => Promise.all(desks.map((desk) => desk.close())));

function openDesk(options: Partial<ConstructorParameters<typeof SchemaDesk>[0]> = {}): SchemaDesk {
  const desk = new SchemaDesk({ clock: systemClock, checkWithinMs: 100, compileWithinMs: 5_000, ...options });
  desks.push(desk);
  return desk;
}

const keyed = (key: string, schema: object) => ({ key, text: JSON.stringify(schema) });

describe('schemas in their threads', () => {
  it('say yes, or where it is wrong and why', async () => {
    const desk = openDesk();
    const schema = keyed('plain', {
      type: 'object',
      required: ['a'],
      properties: { a: { type: 'integer' } },
    });
    expect(await desk.compile(schema)).toEqual({ type: 'valid' });
    expect(await desk.check(schema, '{"a":1}')).toEqual({ type: 'valid' });
    expect(await desk.check(schema, '{"a":"x"}')).toEqual({
      type: 'invalid',
      path: '/a',
      message: 'must be integer',
    });
    expect(await desk.check(schema, '{}')).toMatchObject({ type: 'invalid', path: '' });
  });

  it('speak draft 2020-12, and draft-07 where it is named', async () => {
    const desk = openDesk();
    const modern = { prefixItems: [{ type: 'string' }], items: false };
    expect(await desk.check(keyed('2020', modern), '["a","b"]')).toMatchObject({ type: 'invalid' });
    const old = { $schema: 'http://json-schema.org/draft-07/schema#', items: [{ type: 'string' }] };
    expect(await desk.check(keyed('07', old), '[1]')).toMatchObject({ type: 'invalid', path: '/0' });
  });

  it('of strangers may claim one `$id`', async () => {
    const desk = openDesk();
    const one = { $id: 'https://a.example/s', type: 'string' };
    const other = { $id: 'https://a.example/s', type: 'number' };
    expect(await desk.check(keyed('one', one), '"x"')).toEqual({ type: 'valid' });
    expect(await desk.check(keyed('other', other), '"x"')).toMatchObject({ type: 'invalid' });
  });

  it.each([
    ['that is none', { type: 'nonsense' }],
    ['with a pattern that is none', { pattern: '(' }],
    ['whose reference leads nowhere', { $ref: '#/$defs/none' }],
    ['whose reference leads out of it', { $ref: 'https://evil.example/s.json' }],
  ])('one %s does not compile', async (_what, schema) => {
    expect(await openDesk().compile(keyed('bad', schema))).toMatchObject({ type: 'broken' });
  });

  it('one that calls itself without end is broken, and its thread lives', async () => {
    // The whole stack is filled on the way, which takes a busy machine its time.
    const desk = openDesk({ threads: 1, checkWithinMs: 10_000 });
    expect(await desk.check(keyed('loop', { $ref: '#' }), '1')).toMatchObject({ type: 'broken' });
    expect(await desk.check(keyed('next', {}), '1')).toEqual({ type: 'valid' });
    expect(desk.stats).toMatchObject({ overruns: 0, crashes: 0 });
  });

  it('one that backtracks without end is stopped; others go on, it is barred', async () => {
    const desk = openDesk({ threads: 1 });
    const spiteful = keyed('spite', BACKTRACKING);
    expect(await desk.check(spiteful, '{"a":"aaa"}')).toEqual({ type: 'valid' });
    const [first, second, healthy] = await Promise.all([
      desk.check(spiteful, SPITE),
      desk.check(spiteful, SPITE),
      desk.check(keyed('healthy', { type: 'string' }), '"x"'),
    ]);
    expect(first).toEqual({ type: 'overran' });
    expect(second).toMatchObject({ type: 'barred' });
    expect(healthy).toEqual({ type: 'valid' });
    expect(desk.stats).toMatchObject({ overruns: 1, barred: 1, waiting: 0 });
  });

  it('one whose references double at each level is stopped too', async () => {
    const desk = openDesk({ threads: 1 });
    const $defs: Record<string, object> = { d0: { type: 'string' } };
    for (let n = 1; n <= 40; n++) {
      const $ref = `#/$defs/d${n - 1}`;
      $defs[`d${n}`] = { allOf: [{ $ref }, { $ref }] };
    }
    const doubling = keyed('doubling', { $defs, $ref: '#/$defs/d40' });
    expect(await desk.compile(doubling)).toEqual({ type: 'valid' });
    expect(await desk.check(doubling, '"x"')).toEqual({ type: 'overran' });
    expect(await desk.check(keyed('next', {}), '1')).toEqual({ type: 'valid' });
  });

  it('are refused where too many bodies wait', async () => {
    const desk = openDesk({ threads: 1, waitingMax: 2 });
    const verdicts = await Promise.all([1, 2, 3].map((n) => desk.check(keyed('plain', {}), String(n))));
    expect(verdicts.map(({ type }) => type)).toEqual(['valid', 'valid', 'full']);
    expect(desk.stats.refused).toBe(1);
  });
});
