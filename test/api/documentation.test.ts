import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import Schema from 'typebox/schema';
import { SCOPES } from '../../src/api/api-key.ts';
import { CALL_COMMAND_ROUTES } from '../../src/api/routes/call-command-shapes.ts';
import { answerOf, delivery, inboundCall, leg, RECORDING } from './documented-rows.ts';
import { callView, openTestApi, type Answer, type TestApi } from './open-test-api.ts';

interface Operation {
  readonly operationId?: string;
  readonly summary?: string;
  readonly tags?: readonly string[];
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly required?: boolean;
  }[];
  readonly description?: string;
  readonly security?: readonly { readonly [scheme: string]: readonly string[] }[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: {
    readonly [status: string]: { readonly description: string; readonly content?: Content };
  };
}
type Content = { readonly [type: string]: { readonly schema: object; readonly example?: object } };

let house: TestApi;
let paths: { readonly [path: string]: { readonly [method: string]: Operation } };
let document: { readonly [name: string]: unknown };
beforeAll(async () => {
  house = await openTestApi();
  const answer = await house.request('GET', '/api/v1/openapi.json', undefined, {});
  document = answer.body;
  paths = answer.body.paths;
});
afterAll(() => house.api.close());

const operations = () =>
  Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );

/** The body that the document shows: readers send it as it stands. */
function exampleOf(path: string, method: string): object | undefined {
  return paths[path]?.[method]?.requestBody?.content['application/json']?.example;
}

/** The answer against what the document says of it, strictly: nothing undocumented may be there. */
function expectDocumented(path: string, method: string, answer: Answer): void {
  const { responses } = paths[path]![method]!;
  const documented = responses[String(answer.status)] ?? responses[`${String(answer.status)[0]}XX`];
  const schema = documented?.content?.['application/json']?.schema;
  const where = `${method} ${path} ${answer.status}`;
  expect([where, typeof schema]).toEqual([where, 'object']);
  const errors = Schema.Errors(closed(schema) as object, answer.body)[1];
  expect([where, errors]).toEqual([where, []]);
}

/** The schema with every object closed to properties it does not name. */
function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed);
  if (typeof schema !== 'object' || schema === null) return schema;
  const inner = Object.fromEntries(Object.entries(schema).map(([name, value]) => [name, closed(value)]));
  return 'properties' in schema ? { ...inner, additionalProperties: false } : inner;
}

describe('the OpenAPI document', () => {
  it('is one of version 3.1 and needs no key', () => {
    expect(document).toMatchObject({
      openapi: '3.1.0',
      info: { title: 'Omnivoice', version: '2025-11-01' },
      servers: [{ url: 'http://127.0.0.1:8080' }],
      components: {
        securitySchemes: { bearer: { type: 'http' }, apiKey: { in: 'header', name: 'X-API-Key' } },
      },
    });
  });

  it('holds every route of the base, and the published address of sessions', () => {
    expect(
      operations()
        .map(({ path, method }) => `${method} ${path}`)
        .sort(),
    ).toEqual([
      'delete /api/v1/calls/{id}',
      'delete /api/v1/calls/{id}/legs/{leg}',
      'delete /api/v1/inbound-webhooks/{id}',
      'delete /api/v1/keys/{id}',
      'delete /api/v1/recordings/{id}',
      'delete /api/v1/voice/stream-credentials/{id}',
      'delete /api/v1/webhooks/{id}',
      'get /api/v1/agents',
      'get /api/v1/agents/{id}',
      'get /api/v1/calls',
      'get /api/v1/calls/{id}',
      'get /api/v1/calls/{id}/transcript',
      'get /api/v1/cluster',
      'get /api/v1/dead-letters',
      'get /api/v1/deliveries/{id}',
      'get /api/v1/events',
      'get /api/v1/events/stream',
      'get /api/v1/events/ws',
      'get /api/v1/inbound-webhooks',
      'get /api/v1/inbound-webhooks/{id}',
      'get /api/v1/inbound-webhooks/{id}/deliveries',
      'get /api/v1/keys',
      'get /api/v1/queues',
      'get /api/v1/queues/{name}',
      'get /api/v1/queues/{name}/ws',
      'get /api/v1/recordings',
      'get /api/v1/recordings/{id}',
      'get /api/v1/recordings/{id}/content',
      'get /api/v1/runtime-config',
      'get /api/v1/voice/stream-credentials',
      'get /api/v1/webhooks',
      'get /api/v1/webhooks/{id}',
      'get /api/v1/webhooks/{id}/deliveries',
      'patch /api/v1/agents/{id}',
      'patch /api/v1/calls/{id}/legs/{leg}',
      'patch /api/v1/keys/{id}',
      'patch /api/v1/voice/stream-credentials/{id}',
      'patch /api/v1/webhooks/{id}',
      'post /api/v1/agents',
      'post /api/v1/agents/{id}/publish',
      'post /api/v1/agents/{id}/test',
      'post /api/v1/calls/{id}/clear',
      'post /api/v1/calls/{id}/disposition',
      'post /api/v1/calls/{id}/dtmf',
      'post /api/v1/calls/{id}/fork',
      'post /api/v1/calls/{id}/fork/stop',
      'post /api/v1/calls/{id}/handover',
      'post /api/v1/calls/{id}/handover/{hid}/accept',
      'post /api/v1/calls/{id}/handover/{hid}/cancel',
      'post /api/v1/calls/{id}/handover/{hid}/complete',
      'post /api/v1/calls/{id}/handover/{hid}/decline',
      'post /api/v1/calls/{id}/hangup',
      'post /api/v1/calls/{id}/hold',
      'post /api/v1/calls/{id}/legs',
      'post /api/v1/calls/{id}/mute',
      'post /api/v1/calls/{id}/pause',
      'post /api/v1/calls/{id}/play',
      'post /api/v1/calls/{id}/qualification',
      'post /api/v1/calls/{id}/record',
      'post /api/v1/calls/{id}/resume',
      'post /api/v1/calls/{id}/transcript',
      'post /api/v1/calls/{id}/transfer',
      'post /api/v1/dead-letters/replay',
      'post /api/v1/deliveries/{id}/replay',
      'post /api/v1/events/ticket',
      'post /api/v1/inbound-webhooks',
      'post /api/v1/inbound-webhooks/{id}/rotate-secret',
      'post /api/v1/inbound-webhooks/{id}/rotate-token',
      'post /api/v1/keys',
      'post /api/v1/keys/{id}/rotate',
      'post /api/v1/nodes/{id}/drain',
      'post /api/v1/queues/ticket',
      'post /api/v1/voice/sessions',
      'post /api/v1/voice/stream-credentials',
      'post /api/v1/webhooks',
      'post /api/v1/webhooks/{id}/enable',
      'post /api/v1/webhooks/{id}/recover',
      'post /api/v1/webhooks/{id}/rotate-secret',
      'post /api/v1/webhooks/{id}/test',
      'post /functions/v1/voice-runtime-session',
    ]);
  });

  it('describes each operation, its path parameters and its answers', () => {
    for (const { path, method, operation } of operations()) {
      const where = `${method} ${path}`;
      const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      const described = (operation.parameters ?? []).filter((one) => one.in === 'path');
      expect([where, described.map(({ name }) => name)]).toEqual([where, named]);
      expect([where, described.every(({ required }) => required)]).toEqual([where, true]);
      expect([where, operation.summary, operation.tags]).toEqual([
        where,
        expect.stringMatching(/./),
        [expect.any(String)],
      ]);
      for (const [status, { description }] of Object.entries(operation.responses)) {
        expect(`${where} ${status}`).toMatch(/ (?:[1-5]\d\d|[1-5]XX|default)$/);
        expect(description).toBeTypeOf('string');
      }
    }
  });

  it('shows a body for each operation that takes one', () => {
    const without = operations().filter(
      ({ path, method, operation }) =>
        operation.requestBody !== undefined && exampleOf(path, method) === undefined,
    );
    expect(without.map(({ path, method }) => `${method} ${path}`)).toEqual([]);
  });

  it('names the scope that each operation wants', () => {
    for (const { path, method, operation } of operations()) {
      const scopes = operation.security?.map((way) => Object.values(way));
      const [, scope] = /^Wants the scope `([a-z:]+)`\.$/.exec(operation.description ?? '') ?? [];
      expect([method, path, scopes]).toEqual([method, path, [[[scope]], [[scope]]]]);
      expect(SCOPES).toContain(scope);
    }
  });

  it('has no reference that leads nowhere, and only schemas that can be used', () => {
    expect(JSON.stringify(document)).not.toContain('"$ref"');
    for (const { operation } of operations()) {
      const contents = [
        operation.requestBody?.content,
        ...Object.values(operation.responses).map((r) => r.content),
      ];
      for (const { schema } of contents.flatMap((content) => Object.values(content ?? {}))) {
        expect(() => Schema.Compile(schema)).not.toThrow();
      }
    }
  });
});

describe('every route', () => {
  it('answers as documented when all is well', async () => {
    house.ports.allCalls.set(
      'call_1',
      callView({ legs: [leg()], cost: { amount: '0.01', currency: 'USD' } }),
    );
    house.ports.allCalls.set('call_2', callView({ id: 'call_2', completed: true }));
    house.journal.commit();
    const member = { label: 'Ann', wire: { tell: () => undefined } };
    house.queues.join({ workspaceId: 'ws_default', testMode: false }, 'sales', member);
    const made = async (path: string) => {
      const answer = await house.request('POST', path, exampleOf(path, 'post'));
      expectDocumented(path, 'post', answer);
      expect(answer.status).toBe(201);
      return answer.body.data.id as string;
    };
    const base = '/api/v1';
    const credential = await made(`${base}/voice/stream-credentials`);
    const webhook = await made(`${base}/webhooks`);
    const key = await made(`${base}/keys`);
    const inbound = await made(`${base}/inbound-webhooks`);
    const agent = await made(`${base}/agents`);
    house.ports.inboundLog.push(inboundCall(inbound));
    house.ports.allDeliveries.push(delivery(webhook));
    house.recordings.all.push(RECORDING);
    const steps: Step[] = [
      ['post', `${base}/voice/sessions`],
      ['post', '/functions/v1/voice-runtime-session'],
      ['get', `${base}/voice/stream-credentials`],
      ['get', `${base}/calls`],
      ['get', `${base}/calls/{id}`, 'call_1'],
      ['get', `${base}/calls/{id}/transcript`, 'call_1'],
      ['post', `${base}/calls/{id}/hangup`, 'call_1'],
      ...[...CALL_COMMAND_ROUTES.map(({ path }) => path), 'handover'].map(
        (path) => ['post', `${base}/calls/{id}/${path}`, 'call_1'] as Step,
      ),
      ...['accept', 'decline', 'complete', 'cancel'].map(
        (verdict) => ['post', `${base}/calls/{id}/handover/{hid}/${verdict}`, 'call_1'] as Step,
      ),
      ['patch', `${base}/calls/{id}/legs/{leg}`, 'call_1'],
      ['delete', `${base}/calls/{id}/legs/{leg}`, 'call_1'],
      ['get', `${base}/recordings`],
      ['get', `${base}/recordings/{id}`, 'rec_1'],
      ['delete', `${base}/recordings/{id}`, 'rec_1'],
      ['get', `${base}/webhooks`],
      ['get', `${base}/webhooks/{id}`, webhook],
      ['post', `${base}/webhooks/{id}/test`, webhook],
      ['get', `${base}/webhooks/{id}/deliveries`, webhook],
      ['patch', `${base}/webhooks/{id}`, webhook],
      ['post', `${base}/webhooks/{id}/rotate-secret`, webhook],
      ['post', `${base}/webhooks/{id}/enable`, webhook],
      ['post', `${base}/webhooks/{id}/recover`, webhook],
      ['get', `${base}/deliveries/{id}`, 'dlv_1'],
      ['post', `${base}/deliveries/{id}/replay`, 'dlv_1'],
      ['get', `${base}/dead-letters`],
      ['post', `${base}/dead-letters/replay`],
      ['get', `${base}/inbound-webhooks`],
      ['get', `${base}/inbound-webhooks/{id}`, inbound],
      ['get', `${base}/inbound-webhooks/{id}/deliveries`, inbound],
      ['post', `${base}/inbound-webhooks/{id}/rotate-token`, inbound],
      ['post', `${base}/inbound-webhooks/{id}/rotate-secret`, inbound],
      ['get', `${base}/agents`],
      ['get', `${base}/agents/{id}`, agent],
      ['patch', `${base}/agents/{id}`, agent],
      ['post', `${base}/agents/{id}/publish`, agent],
      ['post', `${base}/agents/{id}/test`, agent],
      ['get', `${base}/runtime-config?agent_id=${agent}`],
      ['get', `${base}/keys`],
      ['patch', `${base}/keys/{id}`, key],
      ['post', `${base}/keys/{id}/rotate`, key],
      ['get', `${base}/events`],
      ['post', `${base}/events/ticket`],
      ['get', `${base}/queues`],
      ['get', `${base}/queues/{name}`, 'sales'],
      ['post', `${base}/queues/ticket`],
      ['get', `${base}/cluster`],
      ['post', `${base}/nodes/{id}/drain`, 'n0-abcdefgh'],
      ['patch', `${base}/voice/stream-credentials/{id}`, credential],
      ['delete', `${base}/voice/stream-credentials/{id}`, credential],
      ['delete', `${base}/webhooks/{id}`, webhook],
      ['delete', `${base}/inbound-webhooks/{id}`, inbound],
      ['delete', `${base}/keys/{id}`, key],
      ['delete', `${base}/calls/{id}`, 'call_2'],
    ];
    for (const [method, path, id = ''] of steps) {
      house.nodes.result = { ok: true, value: answerOf(path) };
      const answer = await house.request(method.toUpperCase(), filled(path, id), exampleOf(path, method));
      expect([method, path, answer.body.success]).toEqual([method, path, true]);
      expectDocumented(path.replace(/\?.*/, ''), method, answer);
    }
    // Those five above, these, three streams and a recording's sound, which have no envelope: nothing is left out.
    expect(steps.length + 5 + 4).toBe(operations().length);
  });

  it('answers without a key, without the scope and for what is not there as documented', async () => {
    const weak = { authorization: `Bearer ${house.key({ scopes: ['crm:read'] })}` };
    for (const { path, method, operation } of operations()) {
      const url = filled(path, 'none_1');
      const ask = (headers?: { readonly [name: string]: string }) => {
        return house.request(method.toUpperCase(), url, exampleOf(path, method), headers);
      };
      const answers: [Answer, number][] = [
        [await ask({ 'x-api-key': `omf_live_${path.replaceAll('/', '')}` }), 401],
        [await ask(weak), 403],
      ];
      if (path.includes('{id}')) answers.push([await ask(), 404]);
      for (const [answer, status] of answers) {
        expect([method, path, answer.status]).toEqual([method, path, status]);
        if (operation.responses['4XX'] !== undefined) expectDocumented(path, method, answer);
        expect(answer.body).toMatchObject({ success: false, error: { code: expect.any(String) } });
      }
      // The guard against guessing counts these refusals too.
      house.clock.advance(60_000);
    }
  });
});

describe('the documentation page', () => {
  it('is served, and may run only what it brought', async () => {
    const { status, headers, text } = await house.request('GET', '/docs/', undefined, {});
    expect([status, text.includes('Swagger UI')]).toEqual([200, true]);
    expect(headers['content-security-policy']).toContain("script-src 'self'");
    expect(headers['content-security-policy']).not.toContain('unsafe-eval');
    const script = await house.request('GET', '/docs/static/swagger-initializer.js', undefined, {});
    expect(script.status).toBe(200);
  });
});

type Step = [string, string, string?];

function filled(path: string, id: string): string {
  const named = path.replace('{id}', id).replace('{name}', id);
  return named.replace('{leg}', 'leg_1').replace('{hid}', 'ho_1');
}
