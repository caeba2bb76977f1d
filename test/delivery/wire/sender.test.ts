import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Webhook } from 'standardwebhooks';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import type { Endpoint } from '../../../src/delivery/outbox.ts';
import { parseEgressAllow } from '../../../src/delivery/wire/guard.ts';
import { HttpSender, type HttpSenderOptions } from '../../../src/delivery/wire/sender.ts';
import { ResolveError } from '../../../src/delivery/wire/resolver.ts';
import { answers, HookReceiver, until, type Behaviour } from '../../fakes/hook-receiver.ts';
import { anEndpoint, anEnvelope } from '../../fakes/outbox.ts';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function receiverThat(behaviour: Behaviour, options = {}): Promise<HookReceiver> {
  const receiver = await HookReceiver.open(behaviour, options);
  closing.push(() => receiver.close());
  return receiver;
}

function aSender(change: Partial<HttpSenderOptions> = {}): HttpSender {
  const sender = new HttpSender({
    clock: systemClock,
    allow: parseEgressAllow(['127.0.0.0/8']),
    resolver: { resolve: async () => ['127.0.0.1'] },
    userAgent: 'Omnivoice/1.2.3',
    ...change,
  });
  closing.push(() => sender.close());
  return sender;
}

// undici hands a socket back to its pool a turn after the answer.
const socketIsBack = () => new Promise(setImmediate);

const request = (endpoint: Partial<Endpoint>, number = 1) => ({
  endpoint: anEndpoint({ timeoutMs: 5_000, ...endpoint }),
  deliveryId: 'dlv_1',
  number,
  trigger: 'event' as const,
  envelope: ENVELOPE,
});
const ENVELOPE = anEnvelope('call_1', 7, { data: { text: 'größer als € 😀\u2028' } });

describe('an attempt', () => {
  it('verifies with the standardwebhooks package, each time anew and with the same bytes', async () => {
    const receiver = await receiverThat(answers.inTurn(answers.status(500), answers.status(204)));
    const sender = aSender();
    await sender.send(request({ url: receiver.url() }, 1));
    const { attempt } = await sender.send(request({ url: receiver.url() }, 2));
    expect(attempt.errorClass).toBeNull();
    const [first, second] = receiver.received;
    for (const hook of [first!, second!]) {
      const verified = new Webhook(anEndpoint().keys.symmetric).verify(hook.body, { ...hook.headers });
      expect(verified).toEqual(ENVELOPE);
    }
    expect(second!.body).toBe(first!.body);
    expect(second!.headers['webhook-id']).toBe(first!.headers['webhook-id']);
    expect(Number(first!.headers['webhook-timestamp'])).toBeCloseTo(systemClock.unixMs() / 1000, -1);
  });

  it('carries our headers and the endpoint’s own, which cannot replace ours', async () => {
    const receiver = await receiverThat(answers.status(200));
    const headers = {
      'X-Api-Token': 'secret',
      'Webhook-Id': 'forged',
      Host: 'evil',
      'Content-Length': '3',
      'x-omniflow-event': 'forged',
      bad: 'a\r\nb: c',
    };
    const { attempt } = await aSender().send(request({ url: receiver.url('/h?x=1'), headers }));
    const [hook] = receiver.received;
    expect(hook!.path).toBe('/h?x=1');
    expect(hook!.headers).toMatchObject({
      'x-api-token': 'secret',
      host: `127.0.0.1:${receiver.port}`,
      'content-type': 'application/json',
      'accept-encoding': 'identity',
      'user-agent': 'Omnivoice/1.2.3',
      'webhook-id': ENVELOPE.id,
      'x-omniflow-event': 'voice_detected',
      'x-omniflow-delivery': 'dlv_1',
    });
    expect(hook!.headers['bad']).toBeUndefined();
    expect(attempt.requestHeaders['x-api-token']).toBe('***');
    expect(attempt.requestHeaders['webhook-signature']).toBe(hook!.headers['webhook-signature']);
    expect(JSON.stringify(attempt)).not.toContain('secret');
  });

  it('is stamped when its last byte left, before the first byte of the answer', async () => {
    const receiver = await receiverThat((response) => setTimeout(() => response.end('late'), 60));
    const result = await aSender().send(request({ url: receiver.url() }));
    expect(result.startedAtMs).toBeLessThan(result.sentAtMs!);
    expect(result.firstByteAtMs! - result.sentAtMs!).toBeGreaterThan(40);
    expect(result.doneAtMs).toBeGreaterThanOrEqual(result.firstByteAtMs!);
    expect(result.attempt).toMatchObject({ status: 200, responseBody: 'late', resolvedAddress: '127.0.0.1' });
    expect(result.attempt.durationMs).toBeGreaterThan(40);
  });

  it('uses the connection of the one before', async () => {
    const receiver = await receiverThat(answers.status(200));
    const sender = aSender();
    for (let i = 0; i < 5; i++) {
      await sender.send(request({ url: receiver.url() }));
      await socketIsBack();
    }
    expect(receiver.connections).toBe(1);
  });
});

describe('where the time went', () => {
  it('is told of the connection that was opened for it, and of no other', async () => {
    const receiver = await receiverThat(answers.status(200));
    const sender = aSender();
    const named = { url: `http://hooks.example:${receiver.port}/` };
    const { attempt: first } = await sender.send(request(named));
    await socketIsBack();
    const { attempt: second } = await sender.send(request(named, 2));
    const { dnsMs, connectMs, tlsMs, ttfbMs } = first.timings;
    expect([dnsMs, connectMs, tlsMs]).toEqual([expect.any(Number), expect.any(Number), null]);
    expect(dnsMs! + connectMs!).toBeLessThanOrEqual(ttfbMs!);
    expect(ttfbMs!).toBeLessThanOrEqual(first.durationMs);
    expect(second.timings).toEqual({ dnsMs: null, connectMs: null, tlsMs: null, ttfbMs: expect.any(Number) });
  });
});

describe('a token', () => {
  const auth: Endpoint['auth'] = {
    kind: 'oauth2',
    tokenUrl: 'https://id.example/token',
    clientId: 'me',
    clientSecret: 'hidden',
    scope: null,
    audience: null,
    clientAuth: 'basic',
  };

  /** Tokens 1, 2, 3 …: another one after each refusal. */
  class Tokens {
    issued = 1;
    readonly asked: string[] = [];

    async authorizationFor(): Promise<{ value: string }> {
      this.asked.push(`Bearer ${this.issued}`);
      return { value: `Bearer ${this.issued}` };
    }

    refused(_endpoint: Endpoint, value: string): void {
      if (value === `Bearer ${this.issued}`) this.issued++;
    }
  }

  it.each([401, 403, 407])('that is answered with %i is renewed once, within the attempt', async (status) => {
    const receiver = await receiverThat(answers.inTurn(answers.status(status), answers.status(200)));
    const sender = aSender({ authorizer: new Tokens() });
    const { attempt } = await sender.send(request({ url: receiver.url(), auth }));
    expect(attempt).toMatchObject({ status: 200, errorClass: null, number: 1 });
    expect(receiver.received.map(({ headers }) => headers['authorization'])).toEqual([
      'Bearer 1',
      'Bearer 2',
    ]);
    expect(attempt.requestHeaders['authorization']).toBe('***');
  });

  it('that is never good enough costs two requests an attempt', async () => {
    const receiver = await receiverThat(answers.status(401));
    const sender = aSender({ authorizer: new Tokens() });
    const { attempt } = await sender.send(request({ url: receiver.url(), auth }));
    expect(attempt).toMatchObject({ status: 401, errorClass: 'http_4xx' });
    expect(receiver.received).toHaveLength(2);
  });

  it.each([
    [
      'cannot be had',
      { authorizer: { authorizationFor: async () => ({ failure: 'idp is down' }), refused() {} } },
    ],
    ['nobody asks for', {}],
  ])('that %s is a failed attempt, and nothing is sent without it', async (_why, options) => {
    const receiver = await receiverThat(answers.status(200));
    const { attempt, sentAtMs } = await aSender(options).send(request({ url: receiver.url(), auth }));
    expect(attempt).toMatchObject({ status: null, errorClass: 'auth_error' });
    expect(sentAtMs).toBeNull();
    expect(receiver.received).toHaveLength(0);
  });
});

describe('success', () => {
  it.each([
    ['2xx', 204, null],
    ['only_200', 200, null],
    ['only_200', 204, 'http_other'],
    ['only_200', 301, 'redirect'],
  ] as const)('by the rule %s of %i is %j', async (success, status, errorClass) => {
    const receiver = await receiverThat(answers.status(status));
    const { attempt } = await aSender().send(request({ url: receiver.url(), success }));
    expect(attempt.errorClass).toBe(errorClass);
  });
});

describe('an answer', () => {
  it.each([
    [200, null],
    [299, null],
    [301, 'redirect'],
    [304, 'redirect'],
    [400, 'http_4xx'],
    [410, 'http_4xx'],
    [500, 'http_5xx'],
    [599, 'http_5xx'],
    [600, 'http_other'],
  ])('of %i is %j', async (status, errorClass) => {
    const receiver = await receiverThat(answers.status(status));
    const { attempt } = await aSender().send(request({ url: receiver.url() }));
    expect(attempt).toMatchObject({ status, errorClass });
  });

  it('that redirects is not followed', async () => {
    const target = await receiverThat(answers.status(200));
    const receiver = await receiverThat(answers.status(307, { location: target.url() }));
    const { attempt } = await aSender().send(request({ url: receiver.url() }));
    expect(attempt.errorClass).toBe('redirect');
    expect(target.received).toHaveLength(0);
  });

  it.each([
    [429, '120', 120_000],
    [503, '0.5', 1_000],
    [429, 'soon', null],
    [500, '120', null],
    [200, '120', null],
  ])('of %i with Retry-After %j asks for %j ms', async (status, value, expected) => {
    const receiver = await receiverThat(answers.status(status, { 'retry-after': value }));
    expect((await aSender().send(request({ url: receiver.url() }))).retryAfterMs).toBe(expected);
  });

  it('that never ends is kept to 16 KiB, and its socket is destroyed', async () => {
    const receiver = await receiverThat(answers.flood());
    const { attempt } = await aSender().send(request({ url: receiver.url() }));
    expect(attempt.responseBody).toHaveLength(16 * 1024);
    expect(attempt).toMatchObject({ errorClass: null, responseTruncated: true });
    await until(() => receiver.openConnections === 0);
  });

  it('of exactly 16 KiB is whole', async () => {
    const receiver = await receiverThat(answers.status(200, {}, 'y'.repeat(16 * 1024)));
    const sender = aSender();
    await sender.send(request({ url: receiver.url() }));
    await socketIsBack();
    const { attempt } = await sender.send(request({ url: receiver.url() }));
    expect(attempt.responseBody).toHaveLength(16 * 1024);
    expect(receiver.connections).toBe(1);
  });

  it('in any bytes is text without NUL', async () => {
    const receiver = await receiverThat((response) => response.end(Buffer.from([0x61, 0, 0xff, 0x62])));
    const { attempt } = await aSender().send(request({ url: receiver.url() }));
    expect(attempt.responseBody).toBe('a\uFFFDb');
  });
});

describe('a receiver', () => {
  it('that says nothing is given up in time', async () => {
    const receiver = await receiverThat(answers.silence());
    const { attempt } = await aSender().send(request({ url: receiver.url(), timeoutMs: 150 }));
    expect(attempt).toMatchObject({ errorClass: 'timeout_response', status: null });
    expect(attempt.durationMs).toBeGreaterThanOrEqual(149);
    expect(attempt.durationMs).toBeLessThan(1_500);
    await until(() => receiver.openConnections === 0);
  });

  it('that drips its answer is given up in time, whatever its status', async () => {
    const receiver = await receiverThat(answers.drip());
    const { attempt } = await aSender().send(request({ url: receiver.url(), timeoutMs: 150 }));
    expect(attempt).toMatchObject({ errorClass: 'timeout_response', status: 200 });
    expect(attempt.responseBody).toMatch(/^\.+$/);
    expect(attempt.durationMs).toBeLessThan(1_500);
    await until(() => receiver.openConnections === 0);
  });

  it('that resets the connection is not asked twice when the connection was new', async () => {
    const receiver = await receiverThat(answers.reset());
    const { attempt } = await aSender().send(request({ url: receiver.url() }));
    expect(attempt.errorClass).toBe('connection_reset');
    expect(receiver.received).toHaveLength(1);
  });

  it('that resets a used connection is asked once more, at once and within the attempt', async () => {
    const receiver = await receiverThat(
      answers.inTurn(answers.status(200), answers.reset(), answers.status(200)),
    );
    const sender = aSender();
    await sender.send(request({ url: receiver.url() }));
    await socketIsBack();
    const { attempt } = await sender.send(request({ url: receiver.url() }, 2));
    expect(attempt).toMatchObject({ errorClass: null, number: 2 });
    expect(receiver.received).toHaveLength(3);
    expect(sender.stats).toMatchObject({ attempts: 2, staleSockets: 1 });
  });

  it('that breaks off in mid-answer has not answered, and is not asked again at once', async () => {
    const cut: Behaviour = (response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('half');
      setTimeout(() => response.socket?.destroy(), 10);
    };
    const receiver = await receiverThat(answers.inTurn(answers.status(200), cut));
    const sender = aSender();
    await sender.send(request({ url: receiver.url() }));
    await socketIsBack();
    const { attempt } = await sender.send(request({ url: receiver.url() }));
    expect(attempt).toMatchObject({ errorClass: 'connection_reset', status: 200, responseBody: 'half' });
    expect(receiver.received).toHaveLength(2);
  });

  it('that is not there refuses', async () => {
    const receiver = await HookReceiver.open();
    const url = receiver.url();
    await receiver.close();
    const result = await aSender().send(request({ url }));
    expect(result.attempt.errorClass).toBe('connection_refused');
    expect(result.sentAtMs).toBeNull();
  });

  it('that speaks no HTTP is answered with an error, not an exception', async () => {
    const server: Server = createServer((socket) => {
      socket
        .on('error', () => undefined)
        .resume()
        .end('SSH-2.0-OpenSSH_9.6\r\n');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    closing.push(() => new Promise((resolve) => server.close(resolve)));
    const address = server.address() as { port: number };
    const { attempt } = await aSender().send(request({ url: `http://127.0.0.1:${address.port}/` }));
    expect(attempt).toMatchObject({ status: null, errorClass: 'other' });
  });

  it('with a certificate that nobody trusts is not told anything', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'omnivoice-tls-'));
    closing.push(async () => rmSync(folder, { recursive: true }));
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    const subject = ['-subj', '/CN=hooks.example', '-addext', 'subjectAltName=DNS:hooks.example'];
    const ask = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
    execFileSync('openssl', [...ask, '-keyout', key, '-out', cert, '-days', '2', ...subject], {
      stdio: 'ignore',
    });
    const tls = { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
    const receiver = await receiverThat(answers.status(200), { tls });
    const at = (host: string) => ({ url: `https://${host}:${receiver.port}/` });

    expect((await aSender().send(request(at('hooks.example')))).attempt.errorClass).toBe('tls_error');
    const trusting = aSender({ ca: tls.cert });
    expect((await trusting.send(request(at('other.example')))).attempt.errorClass).toBe('tls_error');
    expect(receiver.received).toHaveLength(0);
    expect((await trusting.send(request(at('hooks.example')))).attempt.errorClass).toBeNull();
  });
});

describe('the guard on connect', () => {
  const NOTHING = parseEgressAllow([]);

  it.each([
    '127.0.0.1',
    '2130706433',
    '0x7f.1',
    '0177.0.0.1',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '0.0.0.0',
    '[::]',
  ])('blocks the literal %s, for which no name is asked', async (host) => {
    const receiver = await receiverThat(answers.status(200));
    const sender = aSender({
      allow: NOTHING,
      resolver: {
        resolve: async () => {
          throw new Error('nobody asks');
        },
      },
    });
    const { attempt } = await sender.send(request({ url: `http://${host}:${receiver.port}/` }));
    expect(attempt.errorClass).toBe('blocked');
    expect(receiver.connections).toBe(0);
  });

  it('blocks a name that leads inside', async () => {
    const receiver = await receiverThat(answers.status(200));
    const sender = aSender({ allow: NOTHING, resolver: { resolve: async () => ['127.0.0.1', '::1'] } });
    const { attempt } = await sender.send(request({ url: `http://innocent.example:${receiver.port}/` }));
    expect(attempt).toMatchObject({ errorClass: 'blocked', resolvedAddress: null });
    expect(attempt.errorDetail).toContain('127.0.0.1');
    expect(receiver.connections).toBe(0);
  });

  it('connects to what it judged: a second answer for the name is neither asked for nor used', async () => {
    const receiver = await receiverThat(answers.status(200));
    const script = [['127.0.0.1'], ['127.0.0.2']];
    let asked = 0;
    const sender = aSender({
      allow: parseEgressAllow(['127.0.0.1']),
      resolver: { resolve: async () => script[Math.min(asked++, 1)]! },
    });
    const url = `http://rebinding.example:${receiver.port}/`;
    expect((await sender.send(request({ url }))).attempt.resolvedAddress).toBe('127.0.0.1');
    expect(asked).toBe(1);
    // A new connection asks again, and is judged again.
    sender.forget('whk_1');
    expect((await sender.send(request({ url }))).attempt.errorClass).toBe('blocked');
  });

  it('takes the permitted ones of mixed answers', async () => {
    const receiver = await receiverThat(answers.status(200));
    const resolver = { resolve: async () => ['169.254.169.254', '127.0.0.1', '10.0.0.1'] };
    const { attempt } = await aSender({ resolver }).send(request({ url: `http://mixed:${receiver.port}/` }));
    expect(attempt).toMatchObject({ errorClass: null, resolvedAddress: '127.0.0.1' });
  });

  it('judges the peer of the socket too: a permitted address may lead to another', async () => {
    const receiver = await receiverThat(answers.status(200));
    // The kernel connects 0.0.0.0 to 127.0.0.1.
    const sender = aSender({
      allow: parseEgressAllow(['0.0.0.0']),
      resolver: { resolve: async () => ['0.0.0.0'] },
    });
    const { attempt } = await sender.send(request({ url: `http://any.example:${receiver.port}/` }));
    expect(attempt).toMatchObject({ errorClass: 'blocked', status: null });
    expect(attempt.errorDetail).toContain('127.0.0.1');
    expect(receiver.received).toHaveLength(0);
  });

  it('tells a name that does not resolve from one that may not be reached', async () => {
    const resolver = {
      resolve: async (): Promise<never> => {
        throw new ResolveError('unavailable', 'ENOTFOUND');
      },
    };
    const { attempt } = await aSender({ resolver }).send(request({ url: 'http://nowhere.example/' }));
    expect(attempt.errorClass).toBe('dns_error');
  });

  it('gives up on a silent name server, and sends nothing when it answers after all', async () => {
    const receiver = await receiverThat(answers.status(200));
    let answer: (addresses: string[]) => void = () => undefined;
    const resolver = { resolve: () => new Promise<string[]>((resolve) => (answer = resolve)) };
    const sender = aSender({ resolver });
    const url = `http://slow.example:${receiver.port}/`;
    const { attempt } = await sender.send(request({ url, timeoutMs: 100 }));
    expect(attempt.errorClass).toBe('timeout_connect');
    answer(['127.0.0.1']);
    await until(() => receiver.connections === 1);
    await until(() => receiver.openConnections === 0);
    expect(receiver.received).toHaveLength(0);
  });

  it('sends nothing to what is no HTTP URL', async () => {
    for (const url of ['ftp://127.0.0.1/', 'nonsense']) {
      expect((await aSender().send(request({ url }))).attempt).toMatchObject({
        errorClass: 'other',
        status: null,
      });
    }
  });
});
