import { describe, expect, it } from 'vitest';
import { isTwilioUpgradeAuthentic, signTwilioUrl } from '../../../src/dialect/twilio/signature.ts';
import { NO_UPGRADE } from '../wire.ts';

const TOKEN = '12345678901234567890123456789012';
// Computed with the official `twilio` package 6.2.0, `getExpectedTwilioSignature`.
const VECTORS = [
  ['wss://media.example.com/twilio', 'lkEl60Xow6ENGpdt+CjcJg6Klmc='],
  ['wss://media.example.com/twilio/', 'i8/w0T5igcxHjsOP1+KdSEmwjXg='],
  ['https://media.example.com/twilio', 'G6XR15fcOIXn6LWH7Xt5FjovZcQ='],
  ['wss://media.example.com:443/twilio', 'D6YNkS+eKK1ja0x5M2iKGzgmgeg='],
] as const;
const RELAY_SIGNATURE = 'kiB+/vEBOQG5GkrINhhlbOUY+TI=';

function isAuthentic(signature: string | undefined, urls: readonly string[], token = TOKEN): boolean {
  const headers = { 'x-twilio-signature': signature };
  return isTwilioUpgradeAuthentic({ ...NO_UPGRADE, headers, urls }, token);
}

describe('Twilio’s signature', () => {
  it.each(VECTORS)('of %s is %s', (url, signature) => {
    expect(signTwilioUrl(url, TOKEN)).toBe(signature);
  });

  it('holds for every spelling of the URL that was dialled', () => {
    const spellings = [
      'wss://media.example.com/twilio',
      'wss://media.example.com/twilio/',
      'https://media.example.com/twilio',
      'wss://media.example.com:443/twilio',
      'https://media.example.com:443/twilio/',
      'ws://media.example.com/twilio',
      'http://media.example.com:8081/twilio',
    ];
    for (const [, signature] of VECTORS) {
      for (const url of spellings) expect(isAuthentic(signature, [url]), `for ${url}`).toBe(true);
    }
  });

  it('holds for a plain WebSocket dialled with its own port', () => {
    for (const signed of ['ws://localhost:8081/m', 'http://localhost:80/m/', 'ws://localhost/m']) {
      expect(isAuthentic(signTwilioUrl(signed, TOKEN), ['ws://localhost:8081/m']), `for ${signed}`).toBe(
        true,
      );
    }
  });

  it('holds for any of the URLs the edge may have been dialled by', () => {
    const urls = ['ws://10.0.0.7:8081/twilio', 'wss://media.example.com/twilio'];
    expect(isAuthentic(VECTORS[0][1], urls)).toBe(true);
  });

  it('holds for a query signed as parameters and for one signed as it is', () => {
    const url = 'wss://media.example.com/relay?token=abc123&foo=bar';
    expect(isAuthentic(RELAY_SIGNATURE, [url])).toBe(true);
    expect(isAuthentic(signTwilioUrl(url, TOKEN), [url])).toBe(true);
    expect(isAuthentic(signTwilioUrl('wss://media.example.com/relay', TOKEN), [url])).toBe(false);
  });

  it('fails for another host, path or token, and for none at all', () => {
    const [url, signature] = VECTORS[0];
    expect(isAuthentic(signature, ['wss://media.example.org/twilio'])).toBe(false);
    expect(isAuthentic(signature, ['wss://media.example.com/twilio/x'])).toBe(false);
    expect(isAuthentic(signature, [url], '22345678901234567890123456789012')).toBe(false);
    expect(isAuthentic(signature.toLowerCase(), [url])).toBe(false);
    expect(isAuthentic('', [url])).toBe(false);
    expect(isAuthentic(undefined, [url])).toBe(false);
    expect(isAuthentic(signature, [])).toBe(false);
  });

  it('fails where there is no auth token, even if somebody signed with none', () => {
    const [url] = VECTORS[0];
    expect(isAuthentic(signTwilioUrl(url, ''), [url], '')).toBe(false);
  });

  it('is no riddle to what is no URL', () => {
    for (const url of ['', 'media.example.com/twilio', '://', 'ftp://media.example.com/', 'wss://']) {
      expect(isAuthentic(VECTORS[0][1], [url]), `for ${url}`).toBe(false);
    }
  });
});
