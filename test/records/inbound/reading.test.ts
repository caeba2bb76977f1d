import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { faultOfAction, planOf } from '../../../src/records/inbound/actions.ts';
import { liveOf, LIVE_SECRETS_MAX, rotated } from '../../../src/records/inbound/inbound-hook.ts';
import { DEPTH_MAX, depthOf, readJsonBody } from '../../../src/records/inbound/json-body.ts';
import { faultOf, mapped } from '../../../src/records/inbound/mapping.ts';
import { pointerOf, valueAt } from '../../../src/records/inbound/pointer.ts';
import { faultOfSchema, SCHEMA_BYTES_MAX } from '../../../src/records/inbound/schema/schema-rules.ts';
import { isSignedBy, type SignatureTerms } from '../../../src/records/inbound/signature.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text);
const at = (document: unknown, pointer: string): unknown => valueAt(document, pointerOf(pointer)!);

describe('a JSON pointer', () => {
  // The document and the answers of RFC 6901 §5.
  const document = JSON.parse(
    String.raw`{"foo":["bar","baz"],"":0,"a/b":1,"c%d":2,"e^f":3,"g|h":4,"i\\j":5,"k\"l":6," ":7,"m~n":8}`,
  ) as object;

  it.each([
    ['', document],
    ['/foo', ['bar', 'baz']],
    ['/foo/0', 'bar'],
    ['/', 0],
    ['/a~1b', 1],
    ['/c%d', 2],
    ['/e^f', 3],
    ['/g|h', 4],
    [String.raw`/i\j`, 5],
    ['/k"l', 6],
    ['/ ', 7],
    ['/m~0n', 8],
  ])('%j leads where the RFC says', (pointer, value) => {
    expect(at(document, pointer)).toEqual(value);
  });

  it.each(['foo', '/~2', '/a~', '#/a'])('is not %j', (text) => {
    expect(pointerOf(text)).toBeUndefined();
  });

  it.each(['/foo/-', '/foo/01', '/foo/length', '/toString', '/__proto__', '/constructor', '/foo/0/0'])(
    '%s leads nowhere, whatever a value inherits',
    (pointer) => {
      expect(at(document, pointer)).toBeUndefined();
    },
  );
});

describe('a body', () => {
  it('is read whatever JSON it is', () => {
    for (const text of ['{"a":[1,"ü"]}', '[]', '"x"', '0', 'null']) {
      expect(readJsonBody(bytes(text))).toEqual({ value: JSON.parse(text) as unknown });
    }
  });

  it.each([
    ['notJson', '{"a":'],
    ['notJson', ''],
    ['tooDeep', '['.repeat(DEPTH_MAX + 1) + ']'.repeat(DEPTH_MAX + 1)],
    ['tooDeep', '['.repeat(500_000)],
    ['pollutes', '{"a":{"__proto__":{"isAdmin":true}}}'],
    ['pollutes', String.raw`{"\u005f_proto__":{}}`],
    ['pollutes', '{"constructor":{"prototype":{}}}'],
  ])('is refused as %s: %.40s', (fault, text) => {
    expect(readJsonBody(bytes(text))).toMatchObject({ fault });
    expect(({} as { isAdmin?: boolean }).isAdmin).toBeUndefined();
  });

  it('is refused where it is not UTF-8', () => {
    expect(readJsonBody(Uint8Array.of(0x22, 0xff, 0x22))).toMatchObject({ fault: 'notJson' });
  });

  it('is as deep as its brackets outside of strings', () => {
    expect(depthOf(bytes('[{"a":"[[[["}]'))).toBe(2);
    expect(depthOf(bytes(String.raw`["\"[[", [1]]`))).toBe(2);
    expect(readJsonBody(bytes('['.repeat(DEPTH_MAX) + ']'.repeat(DEPTH_MAX)))).toHaveProperty('value');
  });
});

describe('a mapping', () => {
  it('takes from the body, else the default, else what is fixed; what has nothing is left out', () => {
    const mapping = {
      call_id: { pointer: '/call/id' },
      disposition: { pointer: '/result', default: 'unknown' },
      'target.type': { value: 'queue' },
      'target.to': { pointer: '/queue' },
      missing: { pointer: '/not/there' },
      whole: { pointer: '' },
    };
    const body = { call: { id: 'call_1' }, queue: 'sales' };
    expect(mapped(mapping, body)).toEqual({
      call_id: 'call_1',
      disposition: 'unknown',
      target: { type: 'queue', to: 'sales' },
      whole: body,
    });
  });

  it.each([
    [{ __proto__x: { value: 1 } }, '__proto__x'],
    [{ 'a.constructor': { value: 1 } }, 'a.constructor'],
    [{ prototype: { value: 1 } }, 'prototype'],
    [{ a: { value: 1 }, 'a.b': { value: 2 } }, 'a.b'],
    [{ a: {} }, 'a'],
    [{ a: { pointer: '/a', value: 1 } }, 'a'],
    [{ a: { value: 1, default: 2 } }, 'a'],
    [{ a: { pointer: 'a' } }, 'a'],
  ])('is refused as %j', (mapping, field) => {
    expect(faultOf(mapping)).toMatchObject({ field });
  });

  it('is refused where a field would be an inherited one', () => {
    expect(faultOf(JSON.parse('{"__proto__":{"value":1}}') as {})).toMatchObject({ field: '__proto__' });
  });
});

describe('a signature', () => {
  const body = bytes('{"a":1}');
  const hex: SignatureTerms = { header: 'x-sig', algorithm: 'sha256', encoding: 'hex', prefix: 'sha256=' };
  const digest = (form: 'hex' | 'base64', secret = 'a secret of ours') =>
    createHmac('sha256', secret).update(body).digest(form);
  const isSigned = (header: string | undefined, terms = hex, secrets = ['a secret of ours']) =>
    isSignedBy(secrets, terms, { header, body });

  it('is hex or base64, behind a prefix, with blanks anywhere', () => {
    expect(isSigned(`sha256=${digest('hex')}`)).toBe(true);
    expect(isSigned(` sha256= ${digest('hex').toUpperCase()} `)).toBe(true);
    expect(isSigned(`SHA256=${digest('hex')}`)).toBe(true);
    const base64: SignatureTerms = { ...hex, encoding: 'base64', prefix: '' };
    expect(isSigned(digest('base64'), base64)).toBe(true);
    expect(isSigned(`${digest('base64').slice(0, 20)}\t ${digest('base64').slice(20)}`, base64)).toBe(true);
  });

  it('is good by the old secret as well while a rotation overlaps', () => {
    expect(isSigned(`sha256=${digest('hex', 'old')}`, hex, ['new', 'old'])).toBe(true);
    expect(isSigned(`sha256=${digest('hex', 'older')}`, hex, ['new', 'old'])).toBe(false);
  });

  it.each([
    undefined,
    '',
    'sha256=',
    'sha1=00',
    'sha256=zz',
    `sha256=${'0'.repeat(64)}`,
    `sha256=${'0'.repeat(62)}`,
  ])('is not %s', (header) => {
    expect(isSigned(header)).toBe(false);
  });
});

describe('a rotation', () => {
  it('keeps the old one for the overlap, and none beyond the limit', () => {
    let secrets = [{ secret: 'first', untilUnixMs: null }] as Parameters<typeof rotated<string>>[0];
    secrets = rotated(secrets, 'second', { nowUnixMs: 1_000, overlapMs: 500 });
    expect(liveOf(secrets, 1_499)).toEqual(['second', 'first']);
    expect(liveOf(secrets, 1_500)).toEqual(['second']);
    for (let n = 0; n < 10; n++) secrets = rotated(secrets, `n${n}`, { nowUnixMs: 1_000, overlapMs: 500 });
    expect(secrets).toHaveLength(LIVE_SECRETS_MAX);
    expect(rotated(secrets, 'last', { nowUnixMs: 1_000, overlapMs: 0 })).toEqual([
      { secret: 'last', untilUnixMs: null },
    ]);
  });

  it('never gives an old one more time than it had', () => {
    const secrets = [
      { secret: 'new', untilUnixMs: null },
      { secret: 'old', untilUnixMs: 1_100 },
    ];
    const after = rotated(secrets, 'newest', { nowUnixMs: 1_000, overlapMs: 10_000 });
    expect(liveOf(after, 1_200)).toEqual(['newest', 'new']);
  });
});

describe('an action', () => {
  it('is a command of the call it names, its own arguments before the mapped ones', () => {
    const actions = [
      { type: 'set_disposition', args: { by: 'crm' } },
      { type: 'start_handover', args: { target: { type: 'queue', to: 'sales' } } },
      { type: 'end_handover', args: { handover_id: 'ho_1' } },
      { type: 'hang_up', args: {} },
    ];
    const plan = planOf(actions, { call_id: 'call_1', disposition: 'sale', by: 'somebody' });
    expect(plan).toMatchObject({
      events: [],
      commands: [
        { callId: 'call_1', command: { name: 'set_disposition', disposition: 'sale', by: 'crm' } },
        { command: { name: 'hand_over', target: { type: 'queue', to: 'sales' }, mode: 'cold' } },
        { command: { name: 'answer_handover', handover_id: 'ho_1', verdict: 'complete' } },
        { command: { name: 'hang_up' } },
      ],
    });
  });

  it('publishes an event of the fields', () => {
    const actions = [{ type: 'publish_event', args: { event: 'custom.order.paid', data: { by: 'shop' } } }];
    expect(planOf(actions, { amount: 3 })).toEqual({
      commands: [],
      events: [{ type: 'custom.order.paid', data: { amount: 3, by: 'shop' } }],
    });
  });

  it('that cannot be carried out with these fields is refused before anything is done', () => {
    const actions = [
      { type: 'hang_up', args: {} },
      { type: 'set_disposition', args: {} },
    ];
    expect(planOf(actions, { disposition: 'sale' })).toMatchObject({ type: 'refusal' });
    expect(planOf(actions, { call_id: 'call_1' })).toMatchObject({
      detail: expect.stringContaining('set_disposition: disposition'),
    });
  });

  it.each(['call_started', 'custom', 'custom.', 'custom.A', 'custom.a.', 'custom.a b', 7, undefined])(
    'publishes no %s',
    (event) => {
      const refusal = faultOfAction({ type: 'publish_event', args: { event } });
      expect(refusal?.fault).toBe('invalid_argument');
    },
  );

  it.each(['tag', 'create_contact', 'upsert_contact', 'assign', 'escalate'])(
    'on records is refused by its name: %s',
    (type) => {
      const refusal = faultOfAction({ type, args: {} });
      expect(refusal).toMatchObject({ fault: 'failed_precondition', detail: expect.stringContaining(type) });
    },
  );
});

describe('a schema', () => {
  it.each([
    [{}, undefined],
    [{ $schema: 'http://json-schema.org/draft-07/schema#', type: 'object' }, undefined],
    [{ $defs: { a: {} }, $ref: '#/$defs/a' }, undefined],
    [{ properties: { $ref: { type: 'string' } } }, undefined],
    ['{}', /is an object/],
    [{ $schema: 'http://json-schema.org/draft-04/schema#' }, /draft/],
    [{ properties: { a: { $ref: 'https://evil.example/s.json' } } }, /leads out/],
    [{ anyOf: [{ $ref: 'file:///etc/passwd' }] }, /leads out/],
    [{ $dynamicRef: 'other.json#x' }, /leads out/],
    [{ description: 'x'.repeat(SCHEMA_BYTES_MAX) }, /bytes/],
    [JSON.parse(`${'{"not":'.repeat(60)}{}${'}'.repeat(60)}`) as object, /deep/],
  ])('%.60j', (schema, fault) => {
    expect(faultOfSchema(schema) ?? 'nothing').toMatch(fault ?? /^nothing$/);
  });
});
