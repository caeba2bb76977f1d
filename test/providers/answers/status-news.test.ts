import { describe, expect, it } from 'vitest';
import { statusNewsOf } from '../../../src/providers/answers/status-news.ts';
import { toldCallOf } from '../../../src/providers/answers/told-call.ts';
import type { Webhook } from '../../../src/providers/answers/webhook.ts';

function posted(body: string | object, query = ''): Webhook {
  const isForm = typeof body === 'string';
  return {
    method: 'POST',
    headers: { 'content-type': isForm ? 'application/x-www-form-urlencoded' : 'application/json' },
    urls: [],
    query,
    body: Buffer.from(isForm ? body : JSON.stringify(body)),
  };
}

describe('what a status callback means', () => {
  const cases: readonly (readonly [string, string, string | object, string?])[] = [
    ['ended', 'twilio', 'CallSid=CA1&CallStatus=completed'],
    ['ended', 'twilio', 'CallSid=CA1&CallStatus=no-answer'],
    ['progress', 'twilio', 'CallSid=CA1&CallStatus=ringing'],
    ['stream_lost', 'twilio', 'CallSid=CA1&StreamEvent=stream-error&StreamError=31921'],
    ['progress', 'twilio', 'CallSid=CA1&StreamEvent=stream-stopped'],
    ['unknown', 'twilio', 'CallSid=CA1&StreamEvent=stream-invented'],
    ['unknown', 'twilio', 'CallSid=CA1&CallStatus=invented'],
    ['ended', 'signalwire', 'CallSid=CA1&CallStatus=canceled'],
    ['ended', 'telnyx', { data: { event_type: 'call.hangup', payload: { call_control_id: 'v3:1' } } }],
    ['stream_lost', 'telnyx', { data: { event_type: 'streaming.failed', payload: {} } }],
    ['progress', 'telnyx', { data: { event_type: 'call.answered', payload: {} } }],
    ['ended', 'telnyx', 'CallSid=v3:1&CallStatus=completed'],
    ['ended', 'plivo', 'CallUUID=u1&Event=Hangup&CallStatus=completed'],
    ['stream_lost', 'plivo', 'CallUUID=u1&Event=DroppedStream'],
    ['progress', 'vobiz', 'CallUUID=u1&Event=StartStream'],
    ['ended', 'bandwidth', { eventType: 'disconnect', callId: 'c-1' }],
    ['stream_lost', 'bandwidth', { eventType: 'mediaStreamRejected', callId: 'c-1' }],
    ['stream_lost', 'bandwidth', { eventType: 'mediaStreamStopped', cause: 'connection-error' }],
    ['progress', 'bandwidth', { eventType: 'mediaStreamStopped', cause: 'closed' }],
    ['stream_lost', 'vonage', { uuid: 'ws', status: 'disconnected' }, 'call=u1&round=1'],
    ['stream_lost', 'vonage', { uuid: 'ws', status: 'completed' }, 'call=u1&round=1'],
    ['progress', 'vonage', { uuid: 'ws', status: 'answered' }, 'call=u1&round=1'],
    ['ended', 'vonage', { uuid: 'u1', status: 'completed' }],
    ['unknown', 'vonage', { uuid: 'u1', status: 'disconnected' }],
    ['ended', 'jambonz', { call_sid: 'j1', call_status: 'completed' }],
    ['unknown', 'genesys', { anything: 1 }],
    ['unknown', 'twilio', {}],
  ];
  for (const [news, dialect, body, query] of cases) {
    const said = typeof body === 'string' ? body : JSON.stringify(body);
    it(`of ${dialect} ${said}${query === undefined ? '' : ' at our address'} is ${news}`, () => {
      expect(statusNewsOf(dialect, posted(body, query))).toBe(news);
    });
  }
});

describe('the call a request is about', () => {
  it('is told in each provider’s own words', () => {
    const call = { id: 'x', from: '+1', to: '+2', direction: 'inbound' };
    expect(toldCallOf('twilio', posted('CallSid=x&From=%2B1&To=%2B2&Direction=inbound'))).toEqual(call);
    expect(toldCallOf('plivo', posted('CallUUID=x&From=%2B1&To=%2B2'))).toEqual(call);
    expect(toldCallOf('vonage', posted({ uuid: 'x', from: '+1', to: '+2' }))).toEqual(call);
    expect(toldCallOf('bandwidth', posted({ callId: 'x', from: '+1', to: '+2' }))).toEqual(call);
    expect(toldCallOf('jambonz', posted({ call_sid: 'x', from: '+1', to: '+2' }))).toEqual(call);
    const payload = { call_control_id: 'x', from: '+1', to: '+2' };
    expect(toldCallOf('telnyx', posted({ data: { event_type: 'call.hangup', payload } }))).toEqual(call);
  });

  it('is the one our own address names, whatever leg of it the provider tells of', () => {
    const webhook = posted({ uuid: 'leg', from: 'a' }, 'call=u1&call_from=%2B1&call_to=%2B2');
    expect(toldCallOf('vonage', webhook)).toMatchObject({ id: 'u1', from: '+1', to: '+2' });
  });

  it('is nobody’s where what is told is no name, or the body is none', () => {
    const nobody = { id: null, from: null, to: null, direction: 'inbound' };
    expect(toldCallOf('twilio', posted(`CallSid=${'x'.repeat(129)}&From=%00%07&To=`))).toEqual(nobody);
    expect(toldCallOf('vonage', posted({ uuid: { deep: 1 }, from: [], to: null }))).toEqual(nobody);
    const broken = { ...posted({}), body: Buffer.from('{"uuid":') };
    expect(toldCallOf('vonage', broken)).toEqual(nobody);
    expect(toldCallOf('twilio', posted('__proto__=1&constructor=2'))).toEqual(nobody);
  });

  it('is outbound where the provider placed it', () => {
    expect(toldCallOf('twilio', posted('CallSid=x&Direction=outbound-api')).direction).toBe('outbound');
  });
});
