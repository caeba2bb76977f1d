import { describe, expect, it } from 'vitest';
import { LINK_PROTOCOL } from '../../src/link/messages.ts';
import { readFromControl, readFromNode } from '../../src/link/read-message.ts';
import { eventRecord, FACTS, STATUS } from './link-fixtures.ts';

const HELLO = { ...FACTS, type: 'hello', protocol: LINK_PROTOCOL, firstRecord: 1 };

describe('what a node says', () => {
  it.each([
    HELLO,
    { type: 'events', first: 1, records: [eventRecord(1)] },
    { type: 'status', status: STATUS },
    { type: 'result', id: 1, result: { ok: true, value: null } },
    { type: 'result', id: 1, result: { ok: false, fault: 'not_found', detail: 'no such call' } },
    { type: 'ask', id: 1, ask: { name: 'provider_control' } },
  ])('is taken as it is: $type', (message) => {
    expect(readFromNode(message)).toBe(message);
  });

  it.each([
    { ...HELLO, incarnation: 7 },
    { ...HELLO, firstRecord: 0 },
    { ...HELLO, node: -1 },
    { type: 'events', first: 0, records: [eventRecord(1)] },
    { type: 'events', first: 1.5, records: [eventRecord(1)] },
    { type: 'events', first: 1, records: [] },
    { type: 'events', first: 1, records: [{ envelope: {} }] },
    { type: 'events', first: 1, records: { length: 1 } },
    { type: 'status', status: 'fine' },
    { type: 'result', id: 1, result: { ok: 'yes' } },
    { type: 'ask', id: 0, ask: { name: 'provider_control' } },
    { type: 'ask', id: 1, ask: 'hang up' },
    { type: 'welcome', protocol: 1, ackedRecord: 0 },
    {},
  ])('is refused when it is not sound: %j', (message) => {
    expect(readFromNode(message)).toMatchObject({ type: 'refusal', fault: 'protocol_violation' });
  });

  it('is refused under another version of the protocol', () => {
    expect(readFromNode({ ...HELLO, protocol: 99 })).toMatchObject({ fault: 'unsupported_version' });
  });
});

describe('what control says', () => {
  it.each([
    { type: 'welcome', protocol: LINK_PROTOCOL, ackedRecord: 0 },
    { type: 'ack', record: 5 },
    { type: 'command', id: 1, command: { name: 'drain' } },
    { type: 'answer', id: 1, result: { ok: true, value: null } },
  ])('is taken as it is: $type', (message) => {
    expect(readFromControl(message)).toBe(message);
  });

  it.each([
    { type: 'welcome', protocol: LINK_PROTOCOL },
    { type: 'ack', record: -1 },
    { type: 'ack', record: '5' },
    { type: 'command', id: 0, command: { name: 'drain' } },
    { type: 'command', id: 1, command: null },
    { type: 'answer', id: 1, result: 'yes' },
    { type: 'hello' },
  ])('is refused when it is not sound: %j', (message) => {
    expect(readFromControl(message)).toMatchObject({ type: 'refusal', fault: 'protocol_violation' });
  });

  it('is refused under another version of the protocol', () => {
    const welcome = { type: 'welcome', protocol: 2, ackedRecord: 0 };
    expect(readFromControl(welcome)).toMatchObject({ fault: 'unsupported_version' });
  });
});
