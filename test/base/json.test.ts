import { describe, expect, it } from 'vitest';
import { numberOf, parseObject, textOf } from '../../src/base/json.ts';

describe('reading what strangers send', () => {
  it('takes an object from text or bytes', () => {
    expect(parseObject('{"a":1}')).toEqual({ a: 1 });
    expect(parseObject(new TextEncoder().encode('{"a":1}'))).toEqual({ a: 1 });
  });

  it.each(['', '{', 'null', '[]', '"text"', '7', '\u0000'])('answers %j with undefined', (text) => {
    expect(parseObject(text)).toBeUndefined();
  });

  it('reads numbers that are strings and strings that are numbers', () => {
    expect([numberOf('8000'), numberOf(8000), numberOf(''), numberOf('x'), numberOf(Infinity)]).toEqual([
      8000,
      8000,
      undefined,
      undefined,
      undefined,
    ]);
    expect([textOf('5'), textOf(5), textOf(null), textOf(NaN)]).toEqual(['5', '5', undefined, undefined]);
  });
});
