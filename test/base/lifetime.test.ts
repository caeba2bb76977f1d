import { describe, expect, it } from 'vitest';
import { Lifetime } from '../../src/base/lifetime.ts';

describe('a lifetime', () => {
  it('closes what it owns in reverse', async () => {
    const closed: string[] = [];
    const lifetime = new Lifetime();
    lifetime.defer(() => void closed.push('first opened'));
    lifetime.own({ close: () => void closed.push('last opened') });
    await lifetime.close();
    expect(closed).toEqual(['last opened', 'first opened']);
  });

  it('closes the rest when one close fails, and then says so', async () => {
    const closed: string[] = [];
    const lifetime = new Lifetime();
    lifetime.defer(() => void closed.push('store'));
    lifetime.defer(() => {
      throw new Error('stuck');
    });
    await expect(lifetime.close()).rejects.toThrow('stuck');
    expect(closed).toEqual(['store']);
  });

  it('closes everything once only', async () => {
    let closes = 0;
    const lifetime = new Lifetime();
    lifetime.defer(() => void closes++);
    await lifetime.close();
    await lifetime.close();
    expect(closes).toBe(1);
  });
});
