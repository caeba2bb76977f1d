import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import {
  openTokenRequest,
  type OAuth2,
  type TokenRequest,
} from '../../../src/delivery/oauth/token-request.ts';
import { OAuthTokens } from '../../../src/delivery/oauth/tokens.ts';
import { parseEgressAllow } from '../../../src/delivery/wire/guard.ts';
import { HttpSender } from '../../../src/delivery/wire/sender.ts';
import { FakeClock } from '../../fakes/clock.ts';
import { answers, HookReceiver } from '../../fakes/hook-receiver.ts';
import { anEndpoint, anEnvelope } from '../../fakes/outbox.ts';

const SECRET = 'p@ss wörd:1';
const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

interface Asked {
  readonly authorization: string | undefined;
  readonly form: URLSearchParams;
}

/** A token endpoint that numbers its tokens. */
async function openIssuer(answer?: (response: ServerResponse, number: number) => void) {
  const asked: Asked[] = [];
  const server = createServer((request: IncomingMessage, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const form = new URLSearchParams(Buffer.concat(chunks).toString());
      asked.push({ authorization: request.headers.authorization, form });
      if (answer !== undefined) return answer(response, asked.length);
      response.setHeader('content-type', 'application/json');
      response.end(
        JSON.stringify({ access_token: `token-${asked.length}`, token_type: 'Bearer', expires_in: 600 }),
      );
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  closing.push(async () => {
    server.closeAllConnections();
    server.close();
  });
  return { asked, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/token` };
}

function anAuth(tokenUrl: string, change: Partial<OAuth2> = {}): OAuth2 {
  const client = { clientId: 'me & co', clientSecret: SECRET, scope: 'hooks', audience: null };
  return { kind: 'oauth2', tokenUrl, ...client, clientAuth: 'basic', ...change };
}

function openRequest(egressAllow: readonly string[] = ['127.0.0.1']): TokenRequest {
  const resolver = { resolve: async () => ['127.0.0.1'] };
  const allow = parseEgressAllow(egressAllow);
  const opened = openTokenRequest({ clock: systemClock, allow, resolver, userAgent: 'Omnivoice/1' });
  closing.push(opened.close);
  return opened.request;
}

describe('a token request', () => {
  it('sends id and secret form-encoded in a Basic header', async () => {
    const issuer = await openIssuer();
    const token = await openRequest()(anAuth(issuer.url, { audience: 'https://api.example' }));
    expect(token).toEqual({ value: 'token-1', ttlMs: 600_000 });
    const [{ authorization = '', form } = { authorization: '', form: new URLSearchParams() }] = issuer.asked;
    const pair = Buffer.from(authorization.slice('Basic '.length), 'base64').toString();
    // RFC 6749 §2.3.1: each is form-urlencoded before they are joined.
    expect(pair.split(':').map((part) => new URLSearchParams(`x=${part}`).get('x'))).toEqual([
      'me & co',
      SECRET,
    ]);
    expect(Object.fromEntries(form)).toEqual({
      grant_type: 'client_credentials',
      scope: 'hooks',
      audience: 'https://api.example',
    });
  });

  it('sends them in the form where the issuer wants that', async () => {
    const issuer = await openIssuer();
    await openRequest()(anAuth(issuer.url, { clientAuth: 'post' }));
    expect(issuer.asked[0]?.authorization).toBeUndefined();
    expect(Object.fromEntries(issuer.asked[0]!.form)).toMatchObject({
      client_id: 'me & co',
      client_secret: SECRET,
    });
  });

  it('is refused by the guard before a byte leaves', async () => {
    const issuer = await openIssuer();
    const request = openRequest([]);
    await expect(request(anAuth(issuer.url))).rejects.toThrow(/may not reach/);
    const byName = issuer.url.replace('127.0.0.1', 'inside.example');
    await expect(request(anAuth(byName))).rejects.toThrow(/may not reach/);
    expect(issuer.asked).toHaveLength(0);
  });

  it('tells of a failure without the words of the issuer, which may echo the secret', async () => {
    const issuer = await openIssuer((response) => {
      response.writeHead(401, { 'content-type': 'application/json' });
      response.end(
        JSON.stringify({ error: 'invalid_client', error_description: `no client with ${SECRET}` }),
      );
    });
    const failure = await openRequest()(anAuth(issuer.url)).catch(String);
    expect(failure).toContain('the token endpoint answered 401 invalid_client');
    expect(failure).not.toContain(SECRET);
  });

  it.each([
    ['a film', (response: ServerResponse) => response.end(Buffer.alloc(200_000, 'x'))],
    ['HTML', (response: ServerResponse) => response.end('<p>hello')],
    [
      'a redirect',
      (response: ServerResponse) => response.writeHead(302, { location: 'http://1.1.1.1' }).end(),
    ],
    ['nothing', (response: ServerResponse) => response.destroy()],
  ])('fails when it is answered with %s', async (_what, answer) => {
    const issuer = await openIssuer(answer);
    await expect(openRequest()(anAuth(issuer.url))).rejects.toThrow(/token endpoint/);
  });
});

describe('tokens', () => {
  let clock: FakeClock;
  let requests: number;
  let failing: boolean;
  let ttlMs: number;
  let tokens: OAuthTokens;
  const endpoint = anEndpoint({ auth: anAuth('https://issuer.example/token') });

  beforeEach(() => {
    clock = new FakeClock();
    requests = 0;
    failing = false;
    ttlMs = 600_000;
    tokens = new OAuthTokens(async () => {
      requests++;
      await new Promise(setImmediate);
      if (failing) throw new Error('the token endpoint answered 503 an error');
      return { value: `token-${requests}`, ttlMs };
    }, clock);
  });

  it('are asked for once, however many deliveries want one', async () => {
    const all = await Promise.all(Array.from({ length: 1_000 }, () => tokens.authorizationFor(endpoint)));
    expect(requests).toBe(1);
    expect(new Set(all.map((one) => JSON.stringify(one)))).toEqual(new Set(['{"value":"Bearer token-1"}']));
  });

  it('are not shared between scopes, audiences, clients and secrets', async () => {
    for (const change of [
      {},
      { scope: 'x' },
      { audience: 'y' },
      { clientId: 'z' },
      { clientSecret: 'new' },
    ]) {
      const auth = anAuth('https://issuer.example/token', change);
      await tokens.authorizationFor(anEndpoint({ auth }));
    }
    expect(requests).toBe(5);
  });

  it.each([
    [600_000, 540_000],
    [100_000, 70_000],
    [20_000, 10_000],
  ])('that live %i ms are renewed after %i ms', async (lifeMs, renewedMs) => {
    ttlMs = lifeMs;
    await tokens.authorizationFor(endpoint);
    clock.advance(renewedMs - 1);
    await tokens.authorizationFor(endpoint);
    expect(requests).toBe(1);
    clock.advance(1);
    expect(await tokens.authorizationFor(endpoint)).toEqual({ value: 'Bearer token-2' });
  });

  it('that cannot be renewed serve as long as they live, and are asked for every five seconds', async () => {
    await tokens.authorizationFor(endpoint);
    failing = true;
    clock.advance(550_000);
    for (let i = 0; i < 5; i++) {
      expect(await tokens.authorizationFor(endpoint)).toEqual({ value: 'Bearer token-1' });
      clock.advance(1_000);
    }
    expect(requests).toBe(2);
    clock.advance(50_000);
    expect(await tokens.authorizationFor(endpoint)).toEqual({
      failure: 'the token endpoint answered 503 an error',
    });
    failing = false;
    clock.advance(4_999);
    expect(await tokens.authorizationFor(endpoint)).toHaveProperty('failure');
    clock.advance(1);
    expect(await tokens.authorizationFor(endpoint)).toHaveProperty('value');
  });

  it('that a thousand deliveries had refused are renewed once', async () => {
    await tokens.authorizationFor(endpoint);
    for (let i = 0; i < 1_000; i++) tokens.refused(endpoint, 'Bearer token-1');
    const all = await Promise.all(Array.from({ length: 1_000 }, () => tokens.authorizationFor(endpoint)));
    for (let i = 0; i < 1_000; i++) tokens.refused(endpoint, 'Bearer token-1');
    expect(all.every((one) => 'value' in one && one.value === 'Bearer token-2')).toBe(true);
    await tokens.authorizationFor(endpoint);
    expect(requests).toBe(2);
  });
});

describe('a hook to an endpoint that wants a token', () => {
  function openSender(): HttpSender {
    const tokens = new OAuthTokens(openRequest(), systemClock);
    const resolver = { resolve: async () => ['127.0.0.1'] };
    const allow = parseEgressAllow(['127.0.0.1']);
    const wire = { clock: systemClock, allow, resolver, userAgent: 'Omnivoice/1', authorizer: tokens };
    const sender = new HttpSender(wire);
    closing.push(() => sender.close());
    return sender;
  }

  const hook = {
    deliveryId: 'dlv_1',
    number: 1,
    trigger: 'event',
    envelope: anEnvelope('call_1', 1),
  } as const;

  it.each([401, 403, 407])(
    'that answers %i is sent again with a new one, in the same attempt',
    async (status) => {
      const issuer = await openIssuer();
      const receiver = await HookReceiver.open(answers.inTurn(answers.status(status), answers.status(204)));
      closing.push(() => receiver.close());
      const endpoint = anEndpoint({ url: receiver.url(), auth: anAuth(issuer.url) });
      const { attempt } = await openSender().send({ ...hook, endpoint });
      expect(receiver.received.map(({ headers }) => headers['authorization'])).toEqual([
        'Bearer token-1',
        'Bearer token-2',
      ]);
      expect(attempt).toMatchObject({ status: 204, errorClass: null });
      expect(JSON.stringify(attempt)).not.toMatch(/token-\d|p@ss/);
    },
  );

  it('is not sent without one: the attempt failed, and may be tried again', async () => {
    const issuer = await openIssuer((response) => response.writeHead(500).end());
    const receiver = await HookReceiver.open();
    closing.push(() => receiver.close());
    const endpoint = anEndpoint({ url: receiver.url(), auth: anAuth(issuer.url) });
    const { attempt } = await openSender().send({ ...hook, endpoint });
    expect(attempt).toMatchObject({ status: null, errorClass: 'auth_error' });
    expect(receiver.received).toHaveLength(0);
  });

  it('asks once for a thousand hooks at once, over real sockets', async () => {
    const issuer = await openIssuer();
    const receiver = await HookReceiver.open();
    closing.push(() => receiver.close());
    const endpoint = anEndpoint({ url: receiver.url(), auth: anAuth(issuer.url) });
    const sender = openSender();
    const sent = await Promise.all(Array.from({ length: 1_000 }, () => sender.send({ ...hook, endpoint })));
    expect(sent.every(({ attempt }) => attempt.errorClass === null)).toBe(true);
    expect(issuer.asked).toHaveLength(1);
    expect(new Set(receiver.received.map(({ headers }) => headers['authorization']))).toEqual(
      new Set(['Bearer token-1']),
    );
  });
});
