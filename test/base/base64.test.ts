import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  base64Bytes,
  decodeBase64Into,
  decodePlainBase64Into,
  encodeBase64Into,
} from '../../src/base/base64.ts';

const LONG = process.env['OMNIVOICE_TEST_LONG'] !== undefined;
const numRuns = LONG ? 100_000 : 1_000;
const anyBytes = fc.uint8Array({ maxLength: 700 });

function decode(text: string, target = new Uint8Array(1_000)): Buffer | undefined {
  const source = Buffer.from(`##${text}##`);
  const written = decodeBase64Into(source, 2, source.length - 2, target);
  return written < 0 ? undefined : Buffer.from(target.subarray(0, written));
}

describe('decoding base64', () => {
  it('agrees with Buffer on every length and content', () => {
    fc.assert(
      fc.property(anyBytes, (bytes) => {
        const expected = Buffer.from(bytes);
        expect(decode(expected.toString('base64'))).toEqual(expected);
      }),
      { numRuns },
    );
  });

  it('forgives missing padding, and blanks and line breaks anywhere', () => {
    fc.assert(
      fc.property(
        anyBytes,
        fc.array(fc.tuple(fc.nat(1_000), fc.constantFrom(' ', '\r\n', '\n', '\t'))),
        (bytes, blanks) => {
          let text = Buffer.from(bytes).toString('base64');
          for (const [at, blank] of blanks) text = text.slice(0, at) + blank + text.slice(at);
          expect(decode(text)).toEqual(Buffer.from(bytes));
          expect(decode(text.replaceAll('=', ''))).toEqual(Buffer.from(bytes));
        },
      ),
      { numRuns },
    );
  });

  it('refuses any character outside the alphabet, wherever it stands', () => {
    const good = Buffer.from('sixteen bytes, ok').toString('base64').replaceAll('=', '');
    for (const bad of ['-', '_', '*', '"', '\\', '\0', 'é']) {
      for (let at = 0; at <= good.length; at++) {
        expect(decode(good.slice(0, at) + bad + good.slice(at)), `${bad} at ${at}`).toBeUndefined();
      }
    }
  });

  it.each(['A', 'AAAAA', 'QUJD=', 'QUJD====', 'QQ===', '=', '==', 'QQ=A', 'QQ==QQ==', 'Q=Q='])(
    'refuses %s, which is no whole number of bytes',
    (text) => expect(decode(text)).toBeUndefined(),
  );

  it('takes one pad where two are due, and blanks between them', () => {
    expect(decode('QQ=')).toEqual(Buffer.from('A'));
    expect(decode('QQ= \r\n=')).toEqual(Buffer.from('A'));
  });

  it('decodes nothing into nothing', () => {
    expect(decode('')).toHaveLength(0);
    expect(decode(' \r\n')).toHaveLength(0);
  });

  it('fills a target that is just large enough and refuses one byte less', () => {
    for (let count = 1; count <= 12; count++) {
      const text = Buffer.alloc(count, 0xa5).toString('base64');
      expect(decode(text, new Uint8Array(count))).toEqual(Buffer.alloc(count, 0xa5));
      expect(decode(text, new Uint8Array(count - 1))).toBeUndefined();
    }
  });

  it('reads nothing beyond the source, whatever end it is told', () => {
    expect(decodeBase64Into(Buffer.from('QUJD'), 0, 400, new Uint8Array(8))).toBe(3);
  });
});

describe('decoding base64 that has to be plain', () => {
  const plain = (text: string): number =>
    decodePlainBase64Into(Buffer.from(text), 0, text.length, new Uint8Array(99));

  it('takes whole groups with their padding, and nothing else', () => {
    expect(['QUJD', 'QUJDRA==', 'QUJDREU='].map(plain)).toEqual([3, 4, 5]);
    for (const text of ['', 'QQ', 'QUJDRA', 'QUJD\nQUJ', 'QUJ QUJD', '====', 'Q===', 'QU-_']) {
      expect(plain(text)).toBe(-1);
    }
  });

  it('agrees with Buffer on all that Buffer writes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 700 }), (bytes) => {
        const text = Buffer.from(bytes).toString('base64');
        const target = new Uint8Array(1_000);
        const written = decodePlainBase64Into(Buffer.from(text), 0, text.length, target);
        expect(written).toBe(bytes.length);
        expect(target.subarray(0, written)).toEqual(bytes);
      }),
      { numRuns },
    );
  });
});

describe('encoding base64', () => {
  it('agrees with Buffer, and touches only what it writes', () => {
    fc.assert(
      fc.property(anyBytes, fc.nat(9), (bytes, offset) => {
        const target = new Uint8Array(offset + base64Bytes(bytes.length) + 3).fill(0x21);
        const written = encodeBase64Into(bytes, bytes.length, target, offset);
        expect(written).toBe(base64Bytes(bytes.length));
        const expected = '!'.repeat(offset) + Buffer.from(bytes).toString('base64') + '!!!';
        expect(Buffer.from(target).toString('latin1')).toBe(expected);
      }),
      { numRuns },
    );
  });

  it('encodes only the first bytes it is told to', () => {
    const target = new Uint8Array(4);
    expect(encodeBase64Into(Buffer.from('ABCDEF'), 1, target, 0)).toBe(4);
    expect(Buffer.from(target).toString()).toBe('QQ==');
  });
});
