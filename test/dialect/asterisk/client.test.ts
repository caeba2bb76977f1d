import { describe, expect, it } from 'vitest';
import { asteriskIncomingDialect } from '../../../src/dialect/asterisk/client.ts';
import type { ClientOptions } from '../../../src/dialect/client.ts';
import { AUDIO } from '../../../src/dialect/dialect.ts';
import { PCMU_8K } from '../../../src/media/format.ts';
import { openInbound, rampFrame, STARTED_FACTS, textBytes } from '../wire.ts';

const URL = 'ws://asterisk.example.com:8088/media/32966726-4388-456b-a333-fdf5dbecc60d';
const OPTIONS: ClientOptions = {
  nowMs: 0,
  url: URL,
  apiKey: null,
  format: PCMU_8K,
  model: null,
  voice: null,
  language: null,
  instructions: null,
  greeting: null,
  tools: [],
  history: [],
  callId: 'call_1',
  streamId: 'leg_1',
  from: null,
  to: null,
  parameters: {},
  options: {},
  settings: {},
};

describe('Asterisk, dialled by us', () => {
  it('is dialled under the id it waits under, with its subprotocol', () => {
    const session = asteriskIncomingDialect.openClient(OPTIONS);
    expect(session.request).toEqual({ url: URL, headers: {}, subprotocols: ['media'] });
    const proven = asteriskIncomingDialect.openClient({ ...OPTIONS, apiKey: 'bob:secret' });
    expect(proven.request.headers).toEqual({ authorization: 'Basic Ym9iOnNlY3JldA==' });
  });

  it.each([
    null,
    '',
    'asterisk',
    'http://asterisk:8088/media/1',
    'ws://asterisk:8088/',
    'ws://asterisk/media/',
  ])('is not dialled at %s', (url) => {
    expect(() => asteriskIncomingDialect.openClient({ ...OPTIONS, url })).toThrow(
      'MEDIA_WEBSOCKET_CONNECTION_ID',
    );
  });

  it('speaks first, and from then on as when it dials', () => {
    const session = asteriskIncomingDialect.openClient({ ...OPTIONS, options: { answer: 'yes' } });
    const inbound = openInbound();
    expect(session.hello()).toEqual([]);
    const start =
      'MEDIA_START connection_id:1 channel:WebSocket/INCOMING/1 format:ulaw optimal_frame_size:160';
    expect(session.read(textBytes(start), false, inbound)).toMatchObject({
      type: 'started',
      inbound: PCMU_8K,
    });
    expect(session.read(rampFrame(), true, inbound)).toBe(AUDIO);
    expect(session.writeAudio(rampFrame(3))?.length).toBe(160);
    const said = [session.writeStarted(STARTED_FACTS), session.writeMark('a'), session.writeClear()];
    expect(
      [...said, session.writeEnd('hangup')].map((message) => Buffer.from(message!.bytes).toString()),
    ).toEqual(['ANSWER', 'MARK_MEDIA m1', 'FLUSH_MEDIA', 'HANGUP']);
    expect(session.endGraceMs).toBeGreaterThan(0);
  });
});
