import { execFileSync } from 'node:child_process';
import { createHmac, createPublicKey, verify } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Webhook as Standard } from 'standardwebhooks';
import { Webhook as Svix } from 'svix';
import { afterEach, describe, expect, it } from 'vitest';
import { HOOK_FORMATS } from '../../src/delivery/outbox.ts';
import { HookDesk } from '../fakes/hook-desk.ts';
import { answers, HookReceiver, type ReceivedHook } from '../fakes/hook-receiver.ts';
import { until } from '../fakes/until.ts';
import { eventOf } from '../store/samples.ts';

const closing: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function openBoth(): Promise<{ desk: HookDesk; receiver: HookReceiver }> {
  const desk = await HookDesk.open();
  closing.push(() => desk.close());
  const receiver = await HookReceiver.open();
  closing.push(() => receiver.close());
  return { desk, receiver };
}

const TEXT = 'größer als € 😀\u2028 "zitiert"';
let calls = 0;
const anEvent = () => eventOf(`call_${++calls}`, 1, { data: { text: TEXT } });

/** Both independent verifiers, on what really arrived. */
function verifies(secret: string, hook: ReceivedHook): boolean {
  try {
    new Standard(secret).verify(hook.body, { ...hook.headers });
    new Svix(secret).verify(hook.body, { ...hook.headers });
    return true;
  } catch {
    return false;
  }
}

describe('every delivery verifies with standardwebhooks and svix', () => {
  it.each(HOOK_FORMATS)('as %s, on the first try and on the retry, with the same bytes', async (format) => {
    const { desk, receiver } = await openBoth();
    receiver.behaviour = answers.inTurn(answers.status(500), answers.status(200));
    const { secret } = await desk.hook({ url: receiver.url(), format, retry_policy: [0.01] });
    await desk.publish(anEvent());
    await until(() => receiver.received.length === 2);
    const [first, second] = receiver.received;
    expect(receiver.received.map((hook) => verifies(secret, hook))).toEqual([true, true]);
    expect(first!.body).toContain('größer als € 😀');
    expect(second!.body).toBe(first!.body);
    expect(second!.headers['webhook-id']).toBe(first!.headers['webhook-id']);
    expect([first, second].map((hook) => hook!.headers['x-omniflow-attempt'])).toEqual(['1', '2']);
    expect(verifies(secret, { ...first!, body: `${first!.body} ` })).toBe(false);
  });

  it('when it is a test, and a replay under the same id, or under a new one', async () => {
    const { desk, receiver } = await openBoth();
    const { id, secret } = await desk.hook({ url: receiver.url() });
    expect((await desk.ask('POST', `/webhooks/${id}/test`)).body.data).toMatchObject({ delivered: true });
    await desk.publish(anEvent());
    await until(() => receiver.received.length === 2);
    const { body } = await desk.ask('GET', `/webhooks/${id}/deliveries`);
    const delivery = body.data[0];
    const replayed = await desk.ask('POST', `/deliveries/${delivery.id}/replay`);
    expect(replayed.body.data).toMatchObject({ replay_of: delivery.id, event_id: delivery.event_id });
    await until(() => receiver.received.length === 3);
    const fresh = await desk.ask('POST', `/deliveries/${delivery.id}/replay`, { as_new_event: true });
    await until(() => receiver.received.length === 4);
    expect(receiver.received.map((hook) => verifies(secret, hook))).toEqual([true, true, true, true]);
    const [, sent, again, renamed] = receiver.received;
    expect(again!.headers['webhook-id']).toBe(sent!.headers['webhook-id']);
    expect(again!.body).toBe(sent!.body);
    expect(renamed!.headers['webhook-id']).toBe(fresh.body.data.event_id);
    expect(renamed!.headers['webhook-id']).not.toBe(sent!.headers['webhook-id']);
  });

  it('with either key while a rotation overlaps, under load, without one failure', async () => {
    const { desk, receiver } = await openBoth();
    const { id, secret } = await desk.hook({ url: receiver.url() });
    const secrets = [secret];
    for (let round = 0; round < 60; round++) {
      await desk.publish(anEvent(), anEvent(), anEvent(), anEvent(), anEvent());
      if (round % 15 !== 7) continue;
      const { body } = await desk.ask('POST', `/webhooks/${id}/rotate-secret`, {});
      secrets.push(body.data.secret);
      expect(body.data.keys).toHaveLength(secrets.length);
    }
    await until(() => receiver.received.length === 300);
    // Whoever holds the first key verifies all of it, to the end: that is what an overlap is for.
    expect(receiver.received.filter((hook) => !verifies(secret, hook))).toEqual([]);
    const last = receiver.received.at(-1)!;
    expect(secrets.map((one) => verifies(one, last))).toEqual(secrets.map(() => true));
    // Newest first.
    expect(verifies(secrets.at(-1)!, withFirstSignature(last))).toBe(true);
    expect(verifies(secret, withFirstSignature(last))).toBe(false);
  });

  it('with the new key alone once an old one is ended at once', async () => {
    const { desk, receiver } = await openBoth();
    const { id, secret } = await desk.hook({ url: receiver.url() });
    await desk.ask('POST', `/webhooks/${id}/rotate-secret`, {});
    const leaked = await desk.ask('POST', `/webhooks/${id}/rotate-secret`, { overlap_s: 0 });
    expect(leaked.body.data.keys).toHaveLength(1);
    await desk.publish(anEvent());
    await until(() => receiver.received.length === 1);
    expect(verifies(leaked.body.data.secret, receiver.received[0]!)).toBe(true);
    expect(verifies(secret, receiver.received[0]!)).toBe(false);
  });

  it('with at most ten keys alive', async () => {
    const { desk, receiver } = await openBoth();
    const { id } = await desk.hook({ url: receiver.url() });
    const statuses: number[] = [];
    for (let round = 0; round < 10; round++) {
      statuses.push((await desk.ask('POST', `/webhooks/${id}/rotate-secret`, {})).status);
    }
    expect(statuses).toEqual([...Array(9).fill(200), 422]);
    expect((await desk.ask('POST', `/webhooks/${id}/rotate-secret`, { overlap_s: 604_801 })).status).toBe(
      400,
    );
  });

  it('and with the public key of ed25519 beside, where it is wished for', async () => {
    const { desk, receiver } = await openBoth();
    const hook = await desk.hook({ url: receiver.url(), signatures: { ed25519: true } });
    await desk.ask('POST', `/webhooks/${hook.id}/rotate-secret`, {});
    await desk.publish(anEvent());
    await until(() => receiver.received.length === 1);
    const [received] = receiver.received;
    expect(verifies(hook.secret, received!)).toBe(true);
    const { body } = await desk.ask('GET', `/webhooks/${hook.id}`);
    const publicKeys = body.data.public_keys as string[];
    expect(publicKeys).toHaveLength(2);
    expect(publicKeys).toContain((hook['public_keys'] as string[])[0]);
    for (const publicKey of publicKeys) expect(verifiesEd25519(publicKey, received!)).toBe(true);
    expect(verifiesEd25519(publicKeys[0]!, { ...received!, body: 'x' })).toBe(false);
  });
});

describe('the recipe of each page', () => {
  it.each([
    ['hex', {}],
    ['base64', { signatures: { omniflow: 'base64' } }],
  ])('verifies Omniflow in %s, with openssl as its page shows', async (encoding, wish) => {
    const { desk, receiver } = await openBoth();
    const shared_secret = 'as agreed on the phone';
    await desk.hook({ url: receiver.url(), format: 'omniflow', shared_secret, ...wish });
    await desk.publish(anEvent());
    await until(() => receiver.received.length === 1);
    const [{ headers, body }] = receiver.received as [ReceivedHook];
    expect(headers).toMatchObject({
      'x-omniflow-signature': opensslHmac(body, shared_secret, encoding === 'base64'),
      'x-omniflow-event': 'call_started',
      'x-omniflow-delivery': expect.stringMatching(/^dlv_/),
      'x-omniflow-timestamp': headers['webhook-timestamp'],
      'x-omniflow-version': '2025-11-01',
    });
  });

  it('verifies Omniflow with the secret itself where none was agreed on, and with both while it rotates', async () => {
    const { desk, receiver } = await openBoth();
    const { id, secret } = await desk.hook({ url: receiver.url(), format: 'omniflow' });
    const { body: rotated } = await desk.ask('POST', `/webhooks/${id}/rotate-secret`);
    await desk.publish(anEvent());
    await until(() => receiver.received.length === 1);
    const [{ headers, body }] = receiver.received as [ReceivedHook];
    expect(headers['x-omniflow-signature']).toBe(opensslHmac(body, rotated.data.secret, false));
    expect(headers['x-omniflow-signature-previous']).toBe(opensslHmac(body, secret, false));
  });

  it('verifies VoiceOI', async () => {
    const { desk, receiver } = await openBoth();
    const { secret } = await desk.hook({ url: receiver.url(), format: 'voiceoi' });
    await desk.publish(anEvent());
    await until(() => receiver.received.length === 1);
    const [{ headers, body }] = receiver.received as [ReceivedHook];
    expect(headers['x-voiceoi-signature']).toBe(createHmac('sha256', secret).update(body).digest('hex'));
    expect(headers['x-omniflow-signature']).toBeUndefined();
  });

  it('finds OmniAI’s secret in the header of the endpoint’s choosing, and only 200 will do', async () => {
    const { desk, receiver } = await openBoth();
    receiver.behaviour = answers.inTurn(answers.status(204), answers.status(200));
    const { id } = await desk.hook({
      url: receiver.url(),
      format: 'omniai',
      shared_secret: 'lending-secret',
      signatures: { secret_header: 'X-OmniAI-Secret' },
      success: 'only_200',
      retry_policy: [0.01],
    });
    await desk.publish(anEvent());
    await until(() => receiver.received.length === 2);
    for (const { headers } of receiver.received) expect(headers['x-omniai-secret']).toBe('lending-secret');
    const { body } = await desk.ask('GET', `/webhooks/${id}/deliveries`);
    const log = await desk.ask('GET', `/deliveries/${body.data[0].id}`);
    expect(log.text).not.toContain('lending-secret');
    expect(log.body.data.attempt_log[0]).toMatchObject({
      status: 204,
      delivered: false,
      request_headers: { 'x-omniai-secret': '***' },
    });
  });
});

describe('proving who calls', () => {
  it('takes basic credentials and headers of one’s own, and shows neither', async () => {
    const { desk, receiver } = await openBoth();
    const auth = { type: 'basic', username: 'omnivoice', password: 'pässword:1' };
    const hook = await desk.hook({ url: receiver.url(), auth, headers: { 'X-Token': 'own-token' } });
    await desk.publish(anEvent());
    await until(() => receiver.received.length === 1);
    const pair = Buffer.from('omnivoice:pässword:1').toString('base64');
    expect(receiver.received[0]!.headers).toMatchObject({
      authorization: `Basic ${pair}`,
      'x-token': 'own-token',
    });
    expect(hook['auth']).toEqual({ ...auth, password: '***' });
    const kept = await desk.ask('PATCH', `/webhooks/${hook.id}`, { auth: hook['auth'] as object });
    expect(kept.status).toBe(200);
    await desk.publish(anEvent());
    await until(() => receiver.received.length === 2);
    expect(receiver.received[1]!.headers['authorization']).toBe(`Basic ${pair}`);
  });
});

function withFirstSignature(hook: ReceivedHook): ReceivedHook {
  const [first = ''] = hook.headers['webhook-signature']!.split(' ');
  return { ...hook, headers: { ...hook.headers, 'webhook-signature': first } };
}

// echo -n "$BODY" | openssl dgst -sha256 -hmac "$WEBHOOK_SECRET" [ | awk '{print $2}' | xxd -r -p | base64 ]
function opensslHmac(body: string, secret: string, isBase64: boolean): string {
  const folder = mkdtempSync(join(tmpdir(), 'omnivoice-body-'));
  closing.push(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'body');
  writeFileSync(file, body);
  const out = execFileSync('openssl', ['dgst', '-sha256', '-hmac', secret, file], { encoding: 'utf8' });
  const hex = out.trim().split(' ').at(-1) ?? '';
  return isBase64 ? Buffer.from(hex, 'hex').toString('base64') : hex;
}

function verifiesEd25519(publicKey: string, { headers, body }: ReceivedHook): boolean {
  const x = Buffer.from(publicKey.slice('whpk_'.length), 'base64').toString('base64url');
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
  const signed = Buffer.from(`${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`);
  return headers['webhook-signature']!.split(' ')
    .filter((entry) => entry.startsWith('v1a,'))
    .some((entry) => verify(null, signed, key, Buffer.from(entry.slice(4), 'base64')));
}
