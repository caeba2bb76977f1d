import { describe, expect, it } from 'vitest';
import { incarnationOfSocket, newbornPathOf, peerPathOf, socketPathOf } from '../../src/link/places.ts';

describe('where a node listens', () => {
  it('is named after its incarnation, and the names beside it are no longer', () => {
    const path = socketPathOf('/tmp/omnivoice-0-0a1b2c3d', 'nod_1');
    expect(path).toBe('/tmp/omnivoice-0-0a1b2c3d/nod_1.sock');
    expect(incarnationOfSocket('nod_1.sock')).toBe('nod_1');
    for (const beside of [newbornPathOf(path), peerPathOf(path)]) {
      expect(beside.length).toBeLessThanOrEqual(path.length);
      expect(incarnationOfSocket(beside.slice(beside.lastIndexOf('/') + 1))).toBeUndefined();
    }
  });

  it('is refused in a sentence where the kernel would cut it off', () => {
    const longest = 107 - '/tmp/run/.sock'.length;
    expect(socketPathOf('/tmp/run', 'n'.repeat(longest))).toHaveLength(107);
    expect(() => socketPathOf('/tmp/run', 'n'.repeat(longest + 1))).toThrow(/the socket path is over 107/);
  });
});
