import { describe, expect, it } from 'vitest';
import { HOOK_FORMATS, type HookFormat } from '../../../src/delivery/outbox.ts';
import { Payloads, writePayload } from '../../../src/delivery/formats/payload.ts';
import { anEnvelope } from '../../fakes/outbox.ts';
import type { Envelope } from '../../../src/events/envelope.ts';

const VERSION = '2025-11-01';

function told(
  format: HookFormat,
  envelope: Envelope,
  previous: readonly string[] = [],
  apiVersion = VERSION,
) {
  const { body } = writePayload(envelope, { format, apiVersion }, previous);
  return JSON.parse(Buffer.from(body).toString('utf8')) as Record<string, unknown>;
}

// The contact of OmnioTap's page, as the records room would tell of it.
const CONTACT: Envelope = anEnvelope('call_x', 1, {
  id: '550e8400-e29b-41d4-a716-446655440000',
  type: 'contact.created',
  created_at: '2024-03-20T10:00:00.000Z',
  workspace_id: 'd290f1ee-6c54-4b01-90e6-d701748f0851',
  resource: { type: 'contact', id: '123e4567-e89b-12d3-a456-426614174000' },
  data: {
    id: '123e4567-e89b-12d3-a456-426614174000',
    first_name: 'Jane',
    last_name: 'Doe',
    email: 'jane@example.com',
    created_at: '2024-03-20T10:00:00.000Z',
    updated_at: '2024-03-20T10:00:00.000Z',
  },
});

const ENDED: Envelope = anEnvelope('call_7', 9, {
  type: 'call_completed',
  data: {
    call_id: 'call_7',
    lead_id: '884',
    agent_id: 'echo',
    duration_ms: 61_000,
    metadata: { campaign_id: 'spring', 'Odd Key': { inner_key: 1 } },
    legs: [{ leg_id: 'leg_1', disconnected_at: null }],
  },
});

describe('the body of', () => {
  it('omnivoice is the envelope', () => {
    expect(told('omnivoice', ENDED)).toEqual(ENDED);
  });

  it('omniflow holds id, type, created_at, workspace_id and data', () => {
    const { id, type, created_at, workspace_id, data } = ENDED;
    expect(told('omniflow', ENDED)).toEqual({ id, type, created_at, workspace_id, data });
  });

  it('voiceoi is flat, and begins as its page shows', () => {
    const body = told('voiceoi', ENDED);
    expect(body).toMatchObject({
      event: 'call_completed',
      lead_id: '884',
      call_id: 'call_7',
      duration_ms: 61_000,
    });
    expect(Object.keys(body).slice(0, 3)).toEqual(['event', 'call_id', 'lead_id']);
    expect(body).toMatchObject({ event_id: ENDED.id, sequence: 9, workspace_id: 'ws_1', test_mode: false });
    expect(body).not.toHaveProperty('data');
  });

  it('voiceoi does not let what happened rename the event', () => {
    const sly = anEnvelope('call_1', 1, {
      data: { event: 'forged', call_id: 'call_9', workspace_id: 'ws_9' },
    });
    expect(told('voiceoi', sly)).toMatchObject({
      event: 'voice_detected',
      call_id: 'call_1',
      workspace_id: 'ws_1',
    });
  });

  it('omniotap is the example of its page, field by field and in its order', () => {
    const body = writePayload(CONTACT, { format: 'omniotap', apiVersion: VERSION }, []).body;
    const example = {
      event_id: '550e8400-e29b-41d4-a716-446655440000',
      tenant_id: 'd290f1ee-6c54-4b01-90e6-d701748f0851',
      entity_type: 'contact',
      action: 'created',
      occurred_at: '2024-03-20T10:00:00.000Z',
      data: {
        id: '123e4567-e89b-12d3-a456-426614174000',
        firstName: 'Jane',
        lastName: 'Doe',
        email: 'jane@example.com',
        createdAt: '2024-03-20T10:00:00.000Z',
        updatedAt: '2024-03-20T10:00:00.000Z',
      },
    };
    expect(Buffer.from(body).toString('utf8')).toBe(JSON.stringify(example));
  });

  it('omniotap tells of calls too, and leaves metadata as it was given', () => {
    const body = told('omniotap', ENDED);
    expect(body).toMatchObject({ entity_type: 'call', action: 'completed' });
    expect(body['data']).toMatchObject({
      id: 'call_7',
      callId: 'call_7',
      metadata: { campaign_id: 'spring', 'Odd Key': { inner_key: 1 } },
      legs: [{ legId: 'leg_1', disconnectedAt: null }],
    });
    expect(told('omniotap', anEnvelope('call_1', 1))['action']).toBe('voice_detected');
  });

  it.each([
    ['document.received', 'document', 'document'],
    ['document.extracted', 'document', 'document'],
    ['action_log.completed', 'action_log', 'actionLog'],
    ['action_log.failed', 'action_log', 'actionLog'],
  ])('omniai tells %s with type, data, timestamp and workspace', (type, resource, name) => {
    const envelope = anEnvelope('x', 1, {
      type,
      resource: { type: resource, id: 'doc_1' },
      data: { file_name: 'deed.pdf', pages: 3 },
    });
    expect(told('omniai', envelope)).toEqual({
      event: type,
      [name]: { id: 'doc_1', fileName: 'deed.pdf', pages: 3 },
      occurredAt: envelope.created_at,
      workspaceId: 'ws_1',
    });
  });

  it.each(HOOK_FORMATS)('%s names what came before it and did not arrive, and only then', (format) => {
    const name = format === 'omniai' ? 'previousUndelivered' : 'previous_undelivered';
    expect(told(format, ENDED, ['evt_1', 'evt_2'])[name]).toEqual(['evt_1', 'evt_2']);
    expect(told(format, ENDED)).not.toHaveProperty(name);
  });
});

describe('an older version', () => {
  it('says neither region nor mode, in every format, and its own date', () => {
    const now = told('omnivoice', ENDED);
    const then = told('omnivoice', ENDED, [], '2025-06-01');
    expect(then).toEqual({
      ...Object.fromEntries(Object.entries(now).filter(([key]) => key !== 'region' && key !== 'test_mode')),
      api_version: '2025-06-01',
    });
    expect(told('voiceoi', ENDED, [], '2025-06-01')).not.toHaveProperty('region');
    expect(told('voiceoi', ENDED)).toHaveProperty('region');
  });

  it('that never was is a broken promise', () => {
    expect(() => told('omnivoice', ENDED, [], '2024-01-01')).toThrow(/no version/);
  });
});

describe('payloads', () => {
  it('are written once for all who want them alike', () => {
    const payloads = new Payloads();
    const flow = { format: 'omniflow', apiVersion: VERSION } as const;
    const of = (endpoint: { format: HookFormat; apiVersion: string }, previousUndelivered: string[] = []) =>
      payloads.of({ envelope: ENDED, endpoint, previousUndelivered });
    const first = of(flow);
    expect(of({ ...flow })).toBe(first);
    expect(of({ ...flow, apiVersion: '2025-06-01' })).not.toBe(first);
    expect(of({ ...flow, format: 'omniai' }).body).not.toEqual(first.body);
    expect(of(flow, ['evt_1']).body).not.toEqual(first.body);
    expect(first.ref).toBe(`${ENDED.id}/omniflow/${VERSION}`);
  });

  it('that were sent already are not written again', () => {
    const endpoint = { format: 'omniflow', apiVersion: VERSION } as const;
    const sent = '{"as":"an earlier release wrote it"}';
    const again = new Payloads().of({ envelope: ENDED, endpoint, body: sent });
    expect(again).toEqual({ body: Buffer.from(sent), ref: `${ENDED.id}/omniflow/${VERSION}` });
  });

  it.each(HOOK_FORMATS)('%s of an event read back from the journal are the same bytes', (format) => {
    const dress = { format, apiVersion: VERSION };
    const back = JSON.parse(JSON.stringify(ENDED)) as Envelope;
    expect(writePayload(back, dress, []).body).toEqual(writePayload(ENDED, dress, []).body);
  });
});
