import { describe, expect, it } from 'vitest';
import { isAddressIn, TrustedProxies } from '../../../src/gateway/door/addresses.ts';

describe('isAddressIn', () => {
  it('knows ranges and single addresses of both kinds', () => {
    expect(isAddressIn('203.0.113.7', ['203.0.113.0/24'])).toBe(true);
    expect(isAddressIn('203.0.114.7', ['203.0.113.0/24'])).toBe(false);
    expect(isAddressIn('203.0.113.7', ['203.0.113.7'])).toBe(true);
    expect(isAddressIn('2001:db8::1', ['2001:db8::/32'])).toBe(true);
    expect(isAddressIn('203.0.113.7', ['2001:db8::/32'])).toBe(false);
  });

  it('takes an IPv4 address in IPv6 clothes for what it is', () => {
    expect(isAddressIn('::ffff:203.0.113.7', ['203.0.113.0/24'])).toBe(true);
  });

  it('matches nothing with nonsense', () => {
    expect(isAddressIn('', ['0.0.0.0/0'])).toBe(false);
    expect(isAddressIn('203.0.113.7', ['everybody', '203.0.113.0/99', ''])).toBe(false);
    expect(isAddressIn('203.0.113.7', [])).toBe(false);
  });
});

describe('TrustedProxies', () => {
  const proxies = new TrustedProxies(['10.0.0.0/8', '192.0.2.1']);

  it('believes no stranger about who is calling', () => {
    expect(proxies.clientAddress('203.0.113.7', '198.51.100.1')).toBe('203.0.113.7');
  });

  it('believes a proxy about the peer it saw', () => {
    expect(proxies.clientAddress('10.0.0.1', '198.51.100.1')).toBe('198.51.100.1');
  });

  it('believes a chain of proxies, and not what the caller put before it', () => {
    expect(proxies.clientAddress('10.0.0.1', '1.2.3.4, 198.51.100.1, 192.0.2.1')).toBe('198.51.100.1');
  });

  it('stops at what is no address', () => {
    expect(proxies.clientAddress('10.0.0.1', 'unknown')).toBe('10.0.0.1');
    expect(proxies.clientAddress('10.0.0.1', '')).toBe('10.0.0.1');
    expect(proxies.clientAddress('10.0.0.1', undefined)).toBe('10.0.0.1');
  });
});
