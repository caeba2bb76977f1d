import { describe, expect, it } from 'vitest';
import { Handshakes } from '../../../src/gateway/door/handshakes.ts';

describe('Handshakes', () => {
  it('counts each address by itself, and each handshake until it is settled once', () => {
    const handshakes = new Handshakes();
    const settle = handshakes.begin('192.0.2.1');
    handshakes.begin('192.0.2.1');
    handshakes.begin('192.0.2.2');
    expect(handshakes.of('192.0.2.1')).toBe(2);
    settle();
    settle();
    expect(handshakes.of('192.0.2.1')).toBe(1);
    expect(handshakes.of('192.0.2.2')).toBe(1);
    expect(handshakes.of('192.0.2.3')).toBe(0);
  });
});
