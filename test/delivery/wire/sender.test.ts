import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Webhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { answers, HookReceiver, type Behaviour } from '../../fakes/hook-receiver.ts';
import { until } from '../../fakes/until.ts';
import { anEndpoint } from '../../fakes/outbox.ts';
import { atTheEnd } from '../../store/temp-store.ts';
import { aSender, ENVELOPE, receiverThat, request, socketIsBack } from './a-sender.ts';

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
    expect(attempt.durationMs).toBeGreaterThan(100);
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
    atTheEnd(() => new Promise<void>((resolve) => void server.close(() => resolve())));
    const address = server.address() as { port: number };
    const { attempt } = await aSender().send(request({ url: `http://127.0.0.1:${address.port}/` }));
    expect(attempt).toMatchObject({ status: null, errorClass: 'other' });
  });

  it('with a certificate that nobody trusts is not told anything', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'omnivoice-tls-'));
    atTheEnd(async () => rmSync(folder, { recursive: true }));
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
