import { describe, expect, it } from 'vitest';
import { Cipher } from '../../src/store/cipher.ts';
import { FakeClock } from '../fakes/clock.ts';

const clock = new FakeClock();
const old = { id: 'k1', key: new Uint8Array(32).fill(1) };
const fresh = { id: 'k2', key: new Uint8Array(32).fill(2) };
const place = { rowId: 'whk_1', field: 'secrets' };

describe('the cipher', () => {
  it('gives back what it sealed, in the documented form', () => {
    const cipher = new Cipher([old], clock);
    const sealed = cipher.seal('whsec_geheim ü', place);
    expect(sealed).toMatch(/^enc:v1:k1:[\w-]{16}:[\w-]+$/);
    expect(sealed).not.toContain('whsec');
    expect(cipher.open(sealed, place)).toBe('whsec_geheim ü');
  });

  it('never seals the same text to the same bytes', () => {
    const cipher = new Cipher([old], clock);
    expect(cipher.seal('x', place)).not.toBe(cipher.seal('x', place));
  });

  it('writes with the newest key and reads with every key of the ring', () => {
    const sealed = new Cipher([old], clock).seal('x', place);
    const rotated = new Cipher([fresh, old], clock);
    expect(rotated.open(sealed, place)).toBe('x');
    expect(rotated.seal('y', place)).toMatch(/^enc:v1:k2:/);
  });

  it('names the key that is missing', () => {
    const sealed = new Cipher([old], clock).seal('x', place);
    expect(() => new Cipher([fresh], clock).open(sealed, place)).toThrow(
      'the secret secrets of whk_1 is encrypted with key "k1", which is not in OMNIVOICE_ENCRYPTION_KEYS',
    );
  });

  it.each([
    ['another row', { rowId: 'whk_2', field: 'secrets' }],
    ['another field', { rowId: 'whk_1', field: 'headers' }],
  ])('does not open a value copied to %s', (_, elsewhere) => {
    const cipher = new Cipher([old], clock);
    expect(() => cipher.open(cipher.seal('x', place), elsewhere)).toThrow(/wrong key, or altered/);
  });

  it('does not open what was altered anywhere, or is not sealed at all', () => {
    const cipher = new Cipher([old], clock);
    const sealed = cipher.seal('secret', place);
    const [head, iv, text] = [sealed.slice(0, 10), sealed.split(':')[3]!, sealed.split(':')[4]!];
    const flipped = (part: string, at: number) =>
      part.slice(0, at) + (part[at] === 'A' ? 'B' : 'A') + part.slice(at + 1);
    for (let at = 0; at < text.length - 1; at++) {
      expect(() => cipher.open(`${head}${iv}:${flipped(text, at)}`, place)).toThrow(/altered/);
    }
    expect(() => cipher.open(`${head}${flipped(iv, 3)}:${text}`, place)).toThrow(/altered/);
    expect(() => cipher.open(`${head}${iv}:AAAA`, place)).toThrow(/altered/);
    for (const foreign of ['whsec_plain', '', 'enc:v1:', 'enc:v2:k1:a:b']) {
      expect(() => cipher.open(foreign, place)).toThrow(/is not encrypted/);
    }
  });

  it('is not made without a key, with a short one, or with an id that breaks its form', () => {
    expect(() => new Cipher([], clock)).toThrow(/needs an encryption key/);
    expect(() => new Cipher([{ id: 'k', key: new Uint8Array(16) }], clock)).toThrow(/not 32 bytes/);
    expect(() => new Cipher([{ id: 'a:b', key: new Uint8Array(32) }], clock)).toThrow(/letters, digits/);
  });
});
