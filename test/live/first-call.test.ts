import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeMulawInto } from '../../src/media/codecs/g711.ts';
import { readHello } from '../fakes/hello.ts';
import { HookReceiver } from './hooks.ts';
import { House, until } from './house.ts';
import { mapped, TwilioCaller } from './twilio-caller.ts';

let house: House;
const hooks = new HookReceiver();

function helloInMulaw(): Buffer {
  const { samples } = readHello();
  const audio = new Uint8Array(samples.length - (samples.length % 160));
  encodeMulawInto(samples.subarray(0, audio.length), audio);
  return Buffer.from(audio);
}

beforeAll(async () => {
  house = await House.open();
  await hooks.open();
  const endpoint = await house.api<{ secret: string }>('POST', '/webhooks', {
    url: hooks.url,
    events: ['*'],
  });
  hooks.secret = endpoint.secret;
});

afterAll(async () => {
  await house?.close();
  await hooks.kill();
});

describe('a real call by the provider’s own URL', () => {
  it('is echoed bit for bit, heard, and told by hooks in order', async () => {
    const made = { dialect: 'twilio', agent_id: 'echo' };
    const { url } = await house.api<{ url: string }>('POST', '/voice/stream-credentials', made);
    const audio = helloInMulaw();
    const caller = await TwilioCaller.dial(url);
    await caller.speak(audio);
    await until('the last echo', () => caller.heard.length === audio.length / 160);
    caller.hangUp();
    expect(Buffer.concat(caller.heard).equals(mapped(audio))).toBe(true);
    await until('call_analyzed', () =>
      hooks.received.some(({ envelope }) => envelope.type === 'call_analyzed'),
    );
    const [callId] = hooks.callIds;
    const told = hooks.firstArrivals(callId!);
    expect(told.map(({ type }) => type)).toEqual([
      'call_started',
      'leg_connected',
      'leg_connected',
      'voice_detected',
      'voice_ended',
      'voice_detected',
      'voice_ended',
      'leg_disconnected',
      'leg_disconnected',
      'call_ended',
      'call_completed',
      'call_analyzed',
    ]);
    expect(told.map(({ sequence }) => sequence)).toEqual(told.map((_, index) => index + 1));
    expect(hooks.unverified).toEqual([]);
    const onsets = told.filter(({ type }) => type === 'voice_detected').map(({ data }) => data['onset_ms']);
    expect(onsets[0]).toBeGreaterThan(440);
    expect(onsets[0]).toBeLessThan(560);
    const call = await house.api<{ state: string; legs: unknown[] }>('GET', `/calls/${callId}`);
    expect(call).toMatchObject({ state: 'ended', legs: [{ role: 'caller' }, { role: 'agent' }] });
  });

  it('is ended by POST /calls/{id}/hangup', async () => {
    const session = await house.api<{ call_id: string; token: string }>('POST', '/voice/sessions', {
      agent_id: 'echo',
    });
    const caller = await TwilioCaller.dial(`${house.ready.media_url}/media/twilio/${session.token}`);
    const { call_id: callId } = session;
    await until('call_started', () => hooks.firstArrivals(callId).length > 0);
    await house.api('POST', `/calls/${callId}/hangup`, {});
    await until('the close', () => caller.closeCode !== undefined);
    expect(caller.closeCode).toBe(1000);
    await until('the end', () => hooks.firstArrivals(callId).some(({ type }) => type === 'call_ended'));
    const ended = hooks.firstArrivals(callId).find(({ type }) => type === 'call_ended');
    expect(ended?.data['reason']).toBe('api');
    await expect(TwilioCaller.dial(`${house.ready.media_url}/media/twilio/${session.token}`)).rejects.toThrow(
      '401',
    );
  });

  it('that vanishes without a word ends with connection_lost at once', async () => {
    const session = await house.api<{ call_id: string; token: string }>('POST', '/voice/sessions', {
      agent_id: 'echo',
    });
    const caller = await TwilioCaller.dial(`${house.ready.media_url}/media/twilio/${session.token}`);
    await until('call_started', () => hooks.firstArrivals(session.call_id).length > 0);
    caller.vanish();
    const types = (): string[] => hooks.firstArrivals(session.call_id).map(({ type }) => type);
    await until('call_completed', () => types().includes('call_completed'));
    const ended = hooks.firstArrivals(session.call_id).find(({ type }) => type === 'call_ended');
    expect(ended?.data['reason']).toBe('connection_lost');
    expect(types().filter((type) => type === 'call_ended')).toHaveLength(1);
  });

  it('leaves its figures in /metrics, every node by its number', async () => {
    const text = await (await fetch(`${house.ready.api_url}/metrics`)).text();
    expect(text).toMatch(/omnivoice_frames_received_total\{[^}]*provider="twilio"[^}]*\} [1-9]/);
    expect(text).toMatch(/omnivoice_hook_propagation_seconds_count\{[^}]*event_class="voice"[^}]*\} [1-9]/);
    expect(text).toMatch(/omnivoice_leg_ping_rtt_seconds_count\{[^}]*provider="twilio"[^}]*\} [1-9]/);
    expect(text).toMatch(/omnivoice_journal_commit_seconds_count [1-9]/);
    expect(text).toMatch(/omnivoice_frames_received_total\{[^}]*node="0"/);
  });
});
