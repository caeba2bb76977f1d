import { describe, expect, it } from 'vitest';
import { BAD_ADDRESSES } from '../../fakes/bad-addresses.ts';
import { checkUrl, isReachable, parseEgressAllow, verdictOf } from '../../../src/delivery/wire/guard.ts';

const NOTHING = parseEgressAllow([]);

describe('the guard', () => {
  it.each(BAD_ADDRESSES)('keeps hooks from %s', (address) => {
    expect(isReachable(verdictOf(address, NOTHING))).toBe(false);
  });

  it.each([
    '1.1.1.1',
    '8.8.8.8',
    '100.128.0.1',
    '172.32.0.1',
    '168.63.129.17',
    '2606:4700::1111',
    '::ffff:1.1.1.1',
  ])('lets hooks to %s', (address) => {
    expect(verdictOf(address, NOTHING)).toBe('public');
  });

  it.each(['', 'localhost', '127.1', '0x7f.0.0.1', '1.2.3', '1.2.3.4.5', '::g', '2130706433'])(
    'forbids %j, which is no address at all',
    (address) => {
      expect(verdictOf(address, NOTHING)).toBe('forbidden');
    },
  );

  it('opens a private network to whom the operator names, and nothing beside it', () => {
    const allow = parseEgressAllow(['10.1.0.0/16', 'fd00::/8', ' 192.168.1.7 ']);
    expect(verdictOf('10.1.2.3', allow)).toBe('allowed');
    expect(verdictOf('::ffff:10.1.2.3', allow)).toBe('allowed');
    expect(verdictOf('fd12::1', allow)).toBe('allowed');
    expect(verdictOf('192.168.1.7', allow)).toBe('allowed');
    expect(verdictOf('10.2.0.1', allow)).toBe('private');
    expect(verdictOf('192.168.1.8', allow)).toBe('private');
    expect(verdictOf('127.0.0.1', allow)).toBe('forbidden');
  });

  it('opens what is forbidden only to its own name, never to a wide network', () => {
    const wide = parseEgressAllow(['0.0.0.0/0', '::/0', '128.0.0.0/1', '168.0.0.0/6']);
    expect(verdictOf('10.0.0.1', wide)).toBe('allowed');
    expect(verdictOf('fd00::1', wide)).toBe('allowed');
    for (const address of ['127.0.0.1', '169.254.169.254', '168.63.129.16', '::1', 'fe80::1', '0.0.0.0']) {
      expect(verdictOf(address, wide)).toBe('forbidden');
    }
    const exact = parseEgressAllow(['127.0.0.0/8', '::1', '169.254.169.254/32', '168.63.129.16']);
    for (const address of ['127.0.0.1', '169.254.169.254', '168.63.129.16', '::1', '::ffff:127.0.0.9']) {
      expect(verdictOf(address, exact)).toBe('allowed');
    }
    expect(verdictOf('169.254.169.253', exact)).toBe('forbidden');
  });

  it('opens whatever a named host leads to, and only that host', () => {
    const allow = parseEgressAllow(['Hooks.Internal.']);
    expect(verdictOf('10.0.0.1', allow, 'hooks.internal')).toBe('allowed');
    expect(verdictOf('127.0.0.1', allow, 'HOOKS.internal.')).toBe('allowed');
    expect(verdictOf('10.0.0.1', allow, 'other.internal')).toBe('private');
    expect(verdictOf('10.0.0.1', allow)).toBe('private');
  });

  it.each([
    '10.0.0.0/33',
    '10.0.0.0/x',
    '::/129',
    '999.1.1.1',
    '10.0.0',
    'a b',
    'http://x',
    '10.0.0.0/',
    '-x',
  ])('refuses to be told %j', (entry) => {
    expect(() => parseEgressAllow(['10.0.0.0/8', entry])).toThrow('neither a network nor a host');
  });
});

describe('a URL', () => {
  it.each([
    'http://127.0.0.1/',
    'http://2130706433/',
    'http://0x7f.1/',
    'http://0177.0.0.1/',
    'http://127.1/',
    'http://127.0.0.1./',
    'http://①②⑦.0.0.1/',
    'http://[::1]/',
    'http://[::ffff:127.0.0.1]/',
    'http://[::127.0.0.1]/',
    'http://0/',
    'http://0.0.0.0/',
    'http://[::]/',
    'https://169.254.169.254/latest/meta-data',
    'http://10.0.0.1:8080/',
    'https://[127.0.0.1]/',
    'http://[::1%lo]/',
    'http://::1/',
    'ftp://example.com/',
    'file:///etc/passwd',
    'javascript:alert(1)',
    'http://user:secret@example.com/',
    'http://',
    '/hook',
    '',
  ])('%j is refused', (url) => {
    expect(checkUrl(url, NOTHING)).toMatchObject({ type: 'refusal' });
  });

  it.each(['https://example.com/hook?x=1', 'http://1.1.1.1/', 'https://[2606:4700::1111]:8443/'])(
    '%j may be saved',
    (url) => {
      expect(checkUrl(url, NOTHING)).toBeInstanceOf(URL);
    },
  );

  it('may name what the operator opened', () => {
    const allow = parseEgressAllow(['127.0.0.0/8']);
    expect(checkUrl('http://2130706433:8080/', allow)).toBeInstanceOf(URL);
    expect(checkUrl('http://[::1]/', allow)).toMatchObject({ fault: 'failed_precondition' });
  });
});
