import { describe, expect, it } from 'vitest';
import { isLoopback, mediaUrlOf, publicUrlOf, type AddressSettings } from '../../src/config/addresses.ts';

const PLAIN: AddressSettings = {
  host: '127.0.0.1',
  port: 8080,
  mediaPort: 8081,
  publicUrl: undefined,
  mediaUrl: undefined,
  tlsCert: undefined,
};

describe('addresses', () => {
  it('come from host and ports where no URL is set', () => {
    expect(publicUrlOf(PLAIN)).toBe('http://127.0.0.1:8080');
    expect(mediaUrlOf(PLAIN)).toBe('ws://127.0.0.1:8081');
    expect(mediaUrlOf(PLAIN, 2)).toBe('ws://127.0.0.1:8084');
  });

  it('are secure where there is a certificate, and name this machine where every address is listened on', () => {
    const secure = { ...PLAIN, host: '::', tlsCert: '/cert.pem' };
    expect(publicUrlOf(secure)).toBe('https://127.0.0.1:8080');
    expect(mediaUrlOf({ ...secure, host: '2001:db8::1' })).toBe('wss://[2001:db8::1]:8081');
  });

  it('use a media URL as it is, with the node where it asks for one', () => {
    expect(mediaUrlOf({ ...PLAIN, mediaUrl: 'wss://media.example.com' }, 3)).toBe('wss://media.example.com');
    const named = { ...PLAIN, mediaUrl: 'wss://n{node}.example.com' };
    expect([mediaUrlOf(named, 3), mediaUrlOf(named)]).toEqual([
      'wss://n3.example.com',
      'wss://n0.example.com',
    ]);
  });

  it.each([
    ['127.0.0.1', true],
    ['127.9.9.9', true],
    ['::1', true],
    ['::ffff:127.0.0.1', true],
    ['localhost', true],
    ['0.0.0.0', false],
    ['::', false],
    ['10.0.0.1', false],
    ['localhost.example.com', false],
  ])('of %s are loopback: %s', (host, expected) => {
    expect(isLoopback(host)).toBe(expected);
  });
});
