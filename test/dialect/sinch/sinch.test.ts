import { describe, expect, it } from 'vitest';
import { FAULTS } from '../../../src/base/errors.ts';
import { AUDIO, IGNORED } from '../../../src/dialect/dialect.ts';
import { sinchDialect } from '../../../src/dialect/sinch/dialect.ts';
import { l16, PCMU_8K } from '../../../src/media/format.ts';
import {
  NO_UPGRADE,
  openInbound,
  openLine,
  openStartedLine,
  payloadOf,
  rampFrame,
  saidBy,
  STARTED_FACTS,
  textBytes,
} from '../wire.ts';

/** As its description has it. */
const CONNECT = {
  command: 'connect',
  version: 1,
  callId: 'f1e2d3c4-0000-4000-8000-aabbccddeeff',
  applicationKey: '0a1b',
  codec: 'PCM',
  sampleRate: 16_000,
  callHeaders: [{ key: 'tenant', value: 'acme' }],
};

function openSession() {
  const session = sinchDialect.openSession({ nowMs: 0, upgrade: NO_UPGRADE, options: {} });
  const inbound = openInbound();
  return { session, inbound, say: (value: unknown) => session.read(textBytes(value), false, inbound) };
}

describe('reading Sinch', () => {
  it('starts with connect, and the headers of the call', () => {
    expect(openSession().say(CONNECT)).toEqual({
      type: 'started',
      providerCallId: CONNECT.callId,
      providerStreamId: null,
      inbound: l16(16_000),
      outbound: l16(16_000),
      bidirectional: true,
      parameters: { application_key: '0a1b', tenant: 'acme' },
      speechOnly: false,
      wantsEvents: false,
    });
  });

  it.each([
    [[{ key: 'lead_id', value: 7 }, { key: 'x' }, 'nonsense', null], { lead_id: '7' }],
    [[{ name: 'lead_id', value: '7' }], { lead_id: '7' }],
    [{ lead_id: '7' }, { lead_id: '7' }],
    ['lead_id=7', {}],
    [undefined, {}],
  ])('takes callHeaders as %j, for their shape is not confirmed', (callHeaders, headers) => {
    const started = openSession().say({ ...CONNECT, applicationKey: undefined, callHeaders });
    expect(started).toMatchObject({ type: 'started' });
    expect(started.type === 'started' ? started.parameters : {}).toEqual(headers);
  });

  it('carries every rate a call has a use for, and rejects the rest', () => {
    for (const sampleRate of [8000, '16000', 24_000, 32_000, 48_000]) {
      const format = l16(Number(sampleRate));
      expect(openSession().say({ ...CONNECT, sampleRate })).toMatchObject({ inbound: format });
    }
    for (const wrong of [{ sampleRate: 96_000 }, { sampleRate: 44_100 }, { codec: 'OPUS' }]) {
      const { say, session } = openSession();
      const refusal = say({ ...CONNECT, ...wrong });
      expect(refusal).toMatchObject({ fault: 'unsupported_format' });
      expect(saidBy(session.writeAnswer({ id: null, ok: false, fault: 'unsupported_format' }))).toEqual({
        command: 'reject',
      });
    }
  });

  it('takes audio of whole samples, low byte first, and no empty message', () => {
    const { say, session, inbound } = openSession();
    say(CONNECT);
    for (const bytes of [640, 320, 2]) {
      expect(session.read(rampFrame(1, bytes), true, inbound)).toBe(AUDIO);
      expect(payloadOf(inbound).equals(rampFrame(1, bytes))).toBe(true);
    }
    expect(session.read(new Uint8Array(0), true, inbound)).toBe(IGNORED);
    expect(session.read(rampFrame(0, 641), true, inbound)).toMatchObject({ fault: 'protocol_violation' });
    expect(say({ command: 'news' })).toBe(IGNORED);
  });
});

describe('speaking to Sinch', () => {
  it('answers, or says busy where another try may help', () => {
    const { say, session } = openSession();
    say(CONNECT);
    expect(saidBy(session.writeStarted(STARTED_FACTS))).toEqual({ command: 'answer' });
    const said = Object.keys(FAULTS).map((fault) =>
      saidBy(session.writeAnswer({ id: null, ok: false, fault })),
    );
    const expected = Object.values(FAULTS).map(({ retryable }) => (retryable ? 'busy' : 'reject'));
    expect(said).toEqual(expected.map((command) => ({ command })));
    expect(session.writeAnswer({ id: 'c-1', ok: false, fault: 'internal' })).toBeUndefined();
  });

  it('clears, and stays alive through a minute without audio', () => {
    const { session } = openSession();
    expect(saidBy(session.writeClear())).toEqual({ command: 'clear' });
    expect(saidBy(session.writeKeepAlive!())).toEqual({ command: 'heartbeat' });
    expect(sinchDialect.capabilities.keepAliveMs).toBeLessThan(60_000 / 2);
  });
});

describe('a caller like Sinch', () => {
  it('hears nothing before the answer', () => {
    const inbound = openInbound();
    const { caller } = openLine(sinchDialect);
    expect(caller.read(rampFrame(0, 640), true, inbound)).toMatchObject({ fault: 'protocol_violation' });
    expect(openStartedLine(sinchDialect).caller.read(rampFrame(0, 640), true, inbound)).toBe(AUDIO);
  });

  it('is turned away', () => {
    for (const command of ['busy', 'reject']) {
      const { caller, inbound } = openLine(sinchDialect);
      expect(caller.read(textBytes({ command }), false, inbound)).toEqual({ type: 'ended', reason: command });
    }
    const { caller, inbound } = openStartedLine(sinchDialect);
    expect(caller.read(textBytes({ command: 'hangup' }), false, inbound).type).toBe('refusal');
    expect(() => openLine(sinchDialect, { format: PCMU_8K })).toThrow('L16');
  });
});
