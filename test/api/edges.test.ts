import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { openTestApi, type TestApi } from './open-test-api.ts';

let house: TestApi;
afterEach(() => house.api.close());

/** Sends bytes and reads until the server closes. */
function talk(port: number, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    let heard = '';
    socket.setEncoding('utf8').on('data', (text) => (heard += text));
    socket.on('error', reject).on('close', () => resolve(heard));
  });
}

describe('what is hardly HTTP', () => {
  it.each([
    ['is no HTTP at all', 'HELO example\r\n\r\n', 400],
    ['has headers without end', `GET / HTTP/1.1\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`, 431],
  ])('that %s is answered in the envelope and closed', async (_what, bytes, status) => {
    house = await openTestApi();
    await house.api.listen();
    const heard = await talk(house.api.port, bytes);
    expect(heard).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    const body = JSON.parse(heard.slice(heard.indexOf('\r\n\r\n') + 4)) as object;
    expect(body).toMatchObject({ success: false, error: { code: 'invalid_argument' } });
  });
});

describe('an upgrade', () => {
  const upgrade = (method: string, path: string, secret = 'omf_live_none') =>
    `${method} ${path} HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n` +
    `authorization: Bearer ${secret}\r\nsec-websocket-key: x\r\n` +
    'content-type: application/json\r\ncontent-length: 9\r\n\r\n';

  it.each([
    ['of a POST, whose body nobody would read', 'POST', '/api/v1/keys', 400],
    ['of an address that speaks no WebSocket', 'GET', '/healthz', 200],
    ['of nothing', 'GET', '/nothing', 404],
    ['of the events without a key', 'GET', '/api/v1/events/ws', 401],
  ])('%s is answered as HTTP and closed', async (_what, method, path, status) => {
    house = await openTestApi();
    await house.api.listen();
    expect(await talk(house.api.port, upgrade(method, path))).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  });

  it.each([
    ['no GET', 'POST', 'only a GET can be upgraded'],
    ['of a key nobody can answer', 'GET', 'Missing or invalid Sec-WebSocket-Key header'],
  ])('that is %s is told why in the envelope', async (_what, method, message) => {
    house = await openTestApi();
    await house.api.listen();
    const heard = await talk(house.api.port, upgrade(method, '/api/v1/events/ws', house.key()));
    expect(heard).toMatch(/^HTTP\/1.1 400 /);
    const body = JSON.parse(heard.slice(heard.indexOf('\r\n\r\n') + 4)) as object;
    expect(body).toMatchObject({ success: false, error: { code: 'invalid_argument', message } });
  });
});

describe('over TLS', () => {
  it('new connections get the renewed certificate, the others go on', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'api-tls-'));
    const [first, second] = ['first', 'second'].map((name) => certificate(directory, name));
    house = await openTestApi({ tls: first! });
    await house.api.listen();
    expect(await nameServed(house.api.port)).toBe('first');
    const old = connectTls({ port: house.api.port, host: '127.0.0.1', rejectUnauthorized: false });
    await new Promise((resolve) => old.once('secureConnect', resolve));
    house.api.reloadTls(second!);
    expect(await nameServed(house.api.port)).toBe('second');
    old.write('GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
    const heard = await new Promise<string>((resolve) => {
      let text = '';
      old.on('data', (bytes: Buffer) => (text += bytes.toString())).on('close', () => resolve(text));
    });
    expect(heard).toContain('HTTP/1.1 200');
    expect(heard).toMatch(/^strict-transport-security: max-age=\d+\r$/im);
    rmSync(directory, { recursive: true });
  });
});

function certificate(directory: string, name: string) {
  const [key, cert] = [join(directory, `${name}.key`), join(directory, `${name}.crt`)];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const files = ['-keyout', key, '-out', cert, '-subj', `/CN=${name}`, '-days', '2'];
  execFileSync('openssl', ['req', '-x509', ...curve, ...files], { stdio: 'ignore' });
  return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
}

function nameServed(port: number): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
      const { subject } = socket.getPeerCertificate();
      resolve([subject.CN].flat()[0]);
      socket.destroy();
    });
    socket.on('error', reject);
  });
}

describe('a loop that is late', () => {
  it('turns requests away with 503, but never health and figures', async () => {
    house = await openTestApi({ loopDelayMaxMs: 0.001 });
    await expect
      .poll(async () => (await house.request('GET', '/api/v1/calls')).status, {
        timeout: 10_000,
        interval: 100,
      })
      .toBe(503);
    const { body, headers } = await house.request('GET', '/api/v1/calls');
    expect([body.error.code, headers['retry-after']]).toEqual(['overloaded', '1']);
    for (const url of ['/healthz', '/readyz', '/metrics']) {
      expect((await house.request('GET', url, undefined, {})).status).toBe(200);
    }
  });
});
