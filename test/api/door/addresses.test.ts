import { expect, it } from 'vitest';
import { countedAs, isAddressRange, isAllowed } from '../../../src/api/door/addresses.ts';

it('lets everybody in when nobody is listed', () => {
  expect(isAllowed('203.0.113.7', [])).toBe(true);
});

it.each([
  ['203.0.113.7', '203.0.113.0/24', true],
  ['203.0.114.7', '203.0.113.0/24', false],
  ['203.0.113.7', '203.0.113.7', true],
  ['::ffff:203.0.113.7', '203.0.113.7', true],
  ['2001:db8::1', '2001:db8::/32', true],
  ['2001:db8::1', '203.0.113.0/24', false],
  ['not an address', '0.0.0.0/0', false],
])('holds %s against %s', (address, range, allowed) => {
  expect(isAllowed(address, [range])).toBe(allowed);
});

it('knows addresses and ranges from other text', () => {
  expect(['10.0.0.0/8', '::1', '10.0.0.0/33', 'example.com', ''].map(isAddressRange)).toEqual([
    true,
    true,
    false,
    false,
    false,
  ]);
});

it('counts a whole IPv6 /64 as one client, and IPv4 the same in either notation', () => {
  expect(countedAs('2001:db8:1:2::1')).toBe(countedAs('2001:db8:1:2:ffff::9'));
  expect(countedAs('2001:db8:1:2::1')).not.toBe(countedAs('2001:db8:1:3::1'));
  expect(countedAs('::ffff:203.0.113.7')).toBe(countedAs('203.0.113.7'));
});
