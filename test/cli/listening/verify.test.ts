import { Webhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import { doubtOf, TOLERANCE_MS } from '../../../src/cli/listening/verify.ts';

const SECRET = `whsec_${Buffer.alloc(24, 7).toString('base64')}`;
const OTHER = `whsec_${Buffer.alloc(24, 8).toString('base64')}`;
const NOW_UNIX_MS = Date.UTC(2026, 10, 20, 12);
const BODY = Buffer.from('{"type":"call_started","data":{"note":"grüezi"}}');

function signedBy(secret: string, atUnixMs = NOW_UNIX_MS, body = BODY) {
  const signature = new Webhook(secret).sign('evt_1', new Date(atUnixMs), body.toString());
  return { id: 'evt_1', timestamp: String(Math.floor(atUnixMs / 1000)), signature };
}

const OUR_DOUBT = (headers: Parameters<typeof doubtOf>[1], body: Buffer = BODY) =>
  doubtOf(SECRET, headers, body, NOW_UNIX_MS);

describe('a delivery', () => {
  it('is believed where the published library signed it with our secret', () => {
    expect(OUR_DOUBT(signedBy(SECRET))).toBeUndefined();
  });

  it('is believed where one of several signatures is by our secret, as while a secret is rotated', () => {
    const [ours, other] = [signedBy(SECRET), signedBy(OTHER)];
    expect(OUR_DOUBT({ ...ours, signature: `${other.signature} ${ours.signature}` })).toBeUndefined();
    expect(OUR_DOUBT({ ...ours, signature: `${other.signature} v1a,x` })).toBe('wrong_signature');
  });

  it.each([
    ['another secret', signedBy(OTHER), BODY, 'wrong_signature'],
    ['another body', signedBy(SECRET), Buffer.from(`${BODY.toString()} `), 'wrong_signature'],
    ['another id', { ...signedBy(SECRET), id: 'evt_2' }, BODY, 'wrong_signature'],
    [
      'another time',
      { ...signedBy(SECRET), timestamp: String(NOW_UNIX_MS / 1000 + 1) },
      BODY,
      'wrong_signature',
    ],
    [
      'a version we do not know',
      { ...signedBy(SECRET), signature: signedBy(SECRET).signature.replace('v1,', 'v2,') },
      BODY,
      'wrong_signature',
    ],
    [
      'a signature that is cut short',
      { ...signedBy(SECRET), signature: signedBy(SECRET).signature.slice(0, 20) },
      BODY,
      'wrong_signature',
    ],
    ['no signature', { ...signedBy(SECRET), signature: '' }, BODY, 'no_signature'],
    ['no time', { ...signedBy(SECRET), timestamp: 'soon' }, BODY, 'malformed_timestamp'],
    ['a time long ago', signedBy(SECRET, NOW_UNIX_MS - TOLERANCE_MS - 1000), BODY, 'too_old'],
    ['a time to come', signedBy(SECRET, NOW_UNIX_MS + TOLERANCE_MS + 1000), BODY, 'too_new'],
  ] as const)('with %s is not', (_, headers, body, doubt) => {
    expect(OUR_DOUBT(headers, body)).toBe(doubt);
  });

  it('may be as old as five minutes', () => {
    expect(OUR_DOUBT(signedBy(SECRET, NOW_UNIX_MS - TOLERANCE_MS))).toBeUndefined();
    expect(OUR_DOUBT(signedBy(SECRET, NOW_UNIX_MS + TOLERANCE_MS))).toBeUndefined();
  });
});
