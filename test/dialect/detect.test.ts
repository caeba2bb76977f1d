import { describe, expect, it } from 'vitest';
import { Detector, dialectByHeaders } from '../../src/dialect/detect.ts';
import type { Dialect } from '../../src/dialect/dialect.ts';
import { DIALECTS } from '../../src/dialect/registry.ts';
import { NO_UPGRADE, openLine, textBytes, upgradeOf } from './wire.ts';

/** Whoever says exactly what another says is taken for it; who says nothing of its own cannot be told. */
const TAKEN_FOR: Readonly<Record<string, string | undefined>> = {
  vobiz: 'plivo',
  infobip: 'vonage',
  fonoster: 'twilio',
  mod_audio_stream: undefined,
  audiosocket: undefined,
};

function heard(...messages: readonly (object | string)[]): unknown {
  const detector = new Detector();
  const told = messages.map((message) => detector.hear(textBytes(message), false));
  return told.at(-1);
}

function expectedOf({ name }: Dialect): string | undefined {
  return name in TAKEN_FOR ? TAKEN_FOR[name] : name;
}

describe('telling who calls', () => {
  it.each(DIALECTS.filter((dialect) => expectedOf(dialect) !== undefined))('knows $name', (dialect) => {
    const { caller } = openLine(dialect);
    const byHeaders = dialectByHeaders(upgradeOf(caller));
    const detector = new Detector();
    let byMessages: unknown;
    for (const message of caller.hello()) {
      byMessages ??= detector.hear(message.bytes, message.isBinary);
    }
    // A header may tell more than the words do: whose look-alike it is.
    const expected = byHeaders === undefined ? [expectedOf(dialect)] : [dialect.name, expectedOf(dialect)];
    expect(expected).toContain(byHeaders ?? byMessages);
  });

  it.each([
    [{ 'audiohook-session-id': 'x' }, 'genesys'],
    [{ 'sec-websocket-protocol': 'media' }, 'asterisk'],
    [{ 'sec-websocket-protocol': 'audio.drachtio.org' }, 'jambonz'],
    [{ 'sec-websocket-protocol': 'chat, omnivoice.v1' }, 'native'],
    [{ 'sec-websocket-protocol': 'mediator' }, undefined],
    [{ 'x-twilio-signature': 'x' }, 'twilio'],
    [{ 'x-plivo-signature-v3': 'x' }, 'plivo'],
    [{ 'x-telnyx-streaming-auth-token': 'x' }, 'telnyx'],
    [{ 'x-ms-call-connection-id': 'x' }, 'acs'],
    [{}, undefined],
  ])('by the headers %j as %s', (headers, dialect) => {
    expect(dialectByHeaders({ ...NO_UPGRADE, headers })).toBe(dialect);
  });

  const connected = { event: 'connected', protocol: 'Call', version: '1.0.0' };
  const uuid = '2f6c1a8e-1d2b-4c3d-9e0f-aabbccddeeff';
  it.each([
    ['genesys', [{ version: '2', type: 'open', id: uuid }]],
    ['audiocodes', [{ type: 'connection.validate' }]],
    ['sinch', [{ command: 'connect', version: 1 }]],
    ['acs', [{ kind: 'AudioMetadata' }]],
    ['bandwidth', [{ eventType: 'start' }]],
    ['vonage', [{ event: 'websocket:connected', 'content-type': 'audio/l16;rate=16000' }]],
    ['asterisk', [{ event: 'MEDIA_START', format: 'ulaw' }]],
    ['asterisk', ['MEDIA_START connection_id:media1 format:ulaw']],
    ['jambonz', [{ sampleRate: 16_000, mixType: 'mono', callSid: uuid }]],
    ['twilio', [connected, { event: 'start', start: { streamSid: 'MZ1', callSid: 'CA1' } }]],
    ['signalwire', [connected, { event: 'start', start: { streamSid: uuid, callSid: uuid } }]],
    [
      'signalwire',
      [
        { ...connected, version: '0.2.0' },
        { event: 'start', start: { streamSid: 's', callSid: 'c' } },
      ],
    ],
    [
      'telnyx',
      [{ event: 'connected' }, { event: 'start', stream_id: uuid, start: { call_control_id: 'v3:x' } }],
    ],
    ['exotel', [{ event: 'connected' }, { event: 'start', start: { stream_sid: 'a', call_sid: 'b' } }]],
    ['plivo', [{ event: 'start', start: { callId: uuid, streamId: uuid } }]],
    ['voximplant', [{ event: 'start', start: { mediaFormat: { encoding: 'PCM16' } } }]],
  ])('by its first words as %s', (dialect, messages) => {
    expect(heard(...messages)).toBe(dialect);
  });

  it('waits behind `connected`, but not for ever', () => {
    expect(heard(connected)).toBeUndefined();
    expect(heard(connected, { event: 'news' }, {})).toBeUndefined();
    expect(heard(connected, connected, connected, connected)).toMatchObject({ fault: 'protocol_violation' });
  });

  it('refuses audio, and text that no protocol begins with', () => {
    expect(new Detector().hear(new Uint8Array(320), true)).toMatchObject({ fault: 'protocol_violation' });
    expect(heard('hello')).toMatchObject({ type: 'refusal', fault: 'not_json' });
  });

  it('keeps what was said, for whoever takes over', () => {
    const detector = new Detector();
    const message = textBytes(connected);
    detector.hear(message, false);
    message.fill(0);
    expect(JSON.parse(Buffer.from(detector.heard[0]!).toString())).toEqual(connected);
  });
});
