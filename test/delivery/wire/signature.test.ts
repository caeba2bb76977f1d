import { Webhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import {
  isValidSecret,
  newPrivateKey,
  newSecret,
  publicKeyOf,
  sign,
} from '../../../src/delivery/wire/signature.ts';

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const ID = 'msg_p5jXN8AQM9LWM0D4loKWxJek';

describe('a signature', () => {
  it('is the one of the published vector', () => {
    const body = Buffer.from('{"test": 2432232314}');
    expect(sign([SECRET], ID, 1_614_265_330, body)).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
  });

  it('is the one of the published vector of ed25519', () => {
    const pair = '6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==';
    const signature = sign([`whsk_${pair}`], ID, 1_614_265_330, Buffer.from('{"test": 2432232314}'));
    const known =
      'v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg==';
    expect(signature).toBe(known);
    const publicPart = Buffer.from(pair, 'base64').subarray(32).toString('base64');
    expect(publicKeyOf(`whsk_${pair}`)).toBe(`whpk_${publicPart}`);
    expect(newPrivateKey(systemClock)).not.toBe(newPrivateKey(systemClock));
  });

  it('verifies with either secret while a rotation overlaps, and with no other', () => {
    const [fresh, old, foreign] = [1, 2, 3].map(() => newSecret(systemClock)) as [string, string, string];
    const body = '{"text":"größer als €"}';
    const timestampS = Math.floor(systemClock.unixMs() / 1000);
    const signature = sign([fresh, old], ID, timestampS, Buffer.from(body));
    const headers = {
      'webhook-id': ID,
      'webhook-timestamp': String(timestampS),
      'webhook-signature': signature,
    };
    expect(signature.split(' ')).toHaveLength(2);
    expect(new Webhook(fresh).verify(body, headers)).toEqual({ text: 'größer als €' });
    expect(new Webhook(old).verify(body, headers)).toEqual({ text: 'größer als €' });
    expect(() => new Webhook(foreign).verify(body, headers)).toThrow('No matching signature');
    expect(() => new Webhook(fresh).verify(`${body} `, headers)).toThrow('No matching signature');
  });
});

describe('a secret', () => {
  it('that we make is valid, and never the same twice', () => {
    const secrets = [1, 2, 3].map(() => newSecret(systemClock));
    expect(secrets.every(isValidSecret)).toBe(true);
    expect(new Set(secrets).size).toBe(3);
  });

  it.each([
    SECRET,
    `whsec_${Buffer.alloc(64, 7).toString('base64')}`,
    `whsec_${Buffer.alloc(25, 7).toString('base64')}`,
    `whsec_${Buffer.alloc(25, 7).toString('base64').replace(/=+$/, '')}`,
  ])('%s can sign', (secret) => {
    expect(isValidSecret(secret)).toBe(true);
  });

  it.each([
    '',
    'whsec_',
    'MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
    'v1,whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
    'whsec_tooShort',
    `whsec_${Buffer.alloc(23, 7).toString('base64')}`,
    `whsec_${Buffer.alloc(65, 7).toString('base64')}`,
    'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS!',
    'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa-_',
    'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n',
    // One character too many to be base64 of anything.
    'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwA',
  ])('%j is refused', (secret) => {
    expect(isValidSecret(secret)).toBe(false);
  });
});
