import { describe, expect, it } from 'vitest';
import { credentialPlacements, sessionPlacements } from '../../../src/cli/calling/placements.ts';
import { dialectOf } from '../../../src/dialect/registry.ts';
import type { Session } from '../../../src/client/shapes.ts';

const SESSION: Session = {
  session_id: 'vs_1',
  call_id: 'call_1',
  token: 'a.b.c',
  ws_url: 'wss://media.example/base/media/native',
  expires_at: '',
  region: 'local',
};
const twilio = dialectOf('twilio')!;
const native = dialectOf('native')!;
const api = { createSession: () => Promise.resolve(SESSION) };

describe('the place of a session', () => {
  it('has the token in the path for a provider, and beside the subprotocol for a client of ours', async () => {
    expect(await sessionPlacements(api, {}, twilio)()).toEqual({
      callId: 'call_1',
      target: { url: 'wss://media.example/base/media/twilio/a.b.c', subprotocols: [] },
    });
    expect(await sessionPlacements(api, {}, native)()).toEqual({
      callId: 'call_1',
      target: { url: SESSION.ws_url, subprotocols: ['omnivoice.v1', 'a.b.c'] },
    });
  });
});

describe('the place of a credential', () => {
  it('is its URL', async () => {
    const url = 'ws://127.0.0.1:8081/media/native/secret';
    const target = { url, subprotocols: ['omnivoice.v1'] };
    expect(await credentialPlacements(url, native)()).toEqual({ callId: null, target });
  });

  it.each([
    ['http://127.0.0.1/media/twilio/x', 'not a ws:// or wss:// URL'],
    ['nonsense', 'not a ws:// or wss:// URL'],
    ['ws://127.0.0.1/elsewhere', 'not a URL of a stream credential'],
    ['ws://127.0.0.1/media/native/x', 'add --as native'],
  ])('is refused for %s without telling it', (url, sentence) => {
    expect(() => credentialPlacements(url, twilio)).toThrow(sentence);
  });
});
