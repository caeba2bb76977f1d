import { describe, expect, it } from 'vitest';
import { advance, type LegState } from '../../src/leg/state.ts';

const active: LegState = { name: 'active', enteredAtMs: 0 };

describe('the state of a leg', () => {
  it('may be lost and come back', () => {
    const lost = advance(active, { type: 'socket_lost' }, 10);
    expect(lost).toEqual({ name: 'lost', enteredAtMs: 10 });
    expect(advance(lost, { type: 'socket_resumed' }, 20)).toEqual({ name: 'active', enteredAtMs: 20 });
  });

  it('ends once: the first reason stays', () => {
    const ended = advance(active, { type: 'ended', reason: 'hangup' }, 10);
    expect(advance(ended, { type: 'ended', reason: 'connection_lost' }, 20)).toBe(ended);
    expect(advance(ended, { type: 'socket_resumed' }, 20)).toBe(ended);
  });

  it('is the same object where nothing happened', () => {
    const lost = advance(active, { type: 'socket_lost' }, 10);
    expect(advance(lost, { type: 'socket_lost' }, 20)).toBe(lost);
  });
});
