import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { fonosterDialect } from '../../../src/dialect/fonoster/dialect.ts';

const SECRET = 'sk-signing';
const URL = 'wss://media.example.com/media/fonoster/x?tenant=acme';
const NOW_UNIX_MS = 1_780_000_000_000;

function hmac(text: string, secret = SECRET): string {
  return createHmac('sha256', secret).update(text).digest('hex');
}

function signedHeaders(atUnixMs = NOW_UNIX_MS, secret = SECRET): Record<string, string> {
  const timestamp = String(atUnixMs / 1000);
  return {
    'x-fonoster-timestamp': timestamp,
    'x-fonoster-signature': hmac(`${timestamp}.${URL}`, secret),
    'x-fonoster-app-ref': 'app-1',
    'x-fonoster-workspace-ref': 'WO1',
    'x-fonoster-app-signature': hmac(`${timestamp}\n${URL}\napp-1\nWO1`, secret),
  };
}

function holds(headers: Record<string, string | undefined>, secret = SECRET, url = URL): boolean {
  const upgrade = { method: 'GET', headers, target: '/', urls: [url] };
  return fonosterDialect.verify!(upgrade, { signature_secret: secret }, NOW_UNIX_MS).holds;
}

describe('Fonoster’s signature', () => {
  it('holds for the URL with its query, and the app it names', () => {
    expect(holds(signedHeaders())).toBe(true);
    expect(holds(signedHeaders(), SECRET, URL.replace('wss', 'ws'))).toBe(true);
  });

  it('holds within five minutes of either clock', () => {
    expect(holds(signedHeaders(NOW_UNIX_MS - 300_000))).toBe(true);
    expect(holds(signedHeaders(NOW_UNIX_MS + 300_000))).toBe(true);
    expect(holds(signedHeaders(NOW_UNIX_MS - 301_000))).toBe(false);
    expect(holds(signedHeaders(NOW_UNIX_MS + 301_000))).toBe(false);
  });

  it.each(['x-fonoster-timestamp', 'x-fonoster-signature', 'x-fonoster-app-ref', 'x-fonoster-workspace-ref'])(
    'fails without %s',
    (name) => {
      expect(holds({ ...signedHeaders(), [name]: undefined })).toBe(false);
    },
  );

  it('fails when forged, of another secret, URL or app, or of no secret at all', () => {
    expect(holds(signedHeaders(), 'another')).toBe(false);
    expect(holds(signedHeaders(NOW_UNIX_MS, ''), '')).toBe(false);
    expect(holds(signedHeaders(), SECRET, `${URL}&more=1`)).toBe(false);
    expect(holds({ ...signedHeaders(), 'x-fonoster-app-ref': 'app-2' })).toBe(false);
    expect(holds({ ...signedHeaders(), 'x-fonoster-timestamp': '1e9' })).toBe(false);
    const late = { ...signedHeaders(), 'x-fonoster-timestamp': String(NOW_UNIX_MS / 1000 + 1) };
    expect(holds(late)).toBe(false);
  });

  it('takes a request without an app’s signature: that of the URL says who sent it', () => {
    expect(holds({ ...signedHeaders(), 'x-fonoster-app-signature': undefined })).toBe(true);
  });
});
