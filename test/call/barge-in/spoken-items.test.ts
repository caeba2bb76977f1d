import { describe, expect, it } from 'vitest';
import { SpokenItems } from '../../../src/call/barge-in/spoken-items.ts';

function say(items: SpokenItems, frames: number): void {
  for (let i = 0; i < frames; i++) items.said(i + 1);
}

describe('what was heard of an agent', () => {
  it('is counted from the beginning of the item that is being heard', () => {
    const items = new SpokenItems();
    items.began('one');
    say(items, 100);
    items.ended();
    items.began('two');
    say(items, 50);
    expect(items.heard(80)).toEqual({ itemId: 'one', playedFrames: 70 });
    expect(items.heard(20)).toEqual({ itemId: 'two', playedFrames: 30 });
    expect(items.heard(50)).toEqual({ itemId: 'two', playedFrames: 0 });
  });

  it('does not begin anew when the queue runs empty in the middle of an item', () => {
    const items = new SpokenItems();
    items.began('one');
    say(items, 30);
    say(items, 10);
    expect(items.heard(4)).toEqual({ itemId: 'one', playedFrames: 36 });
  });

  it('begins where the queue was empty, for an agent that names no items', () => {
    const items = new SpokenItems();
    say(items, 30);
    say(items, 10);
    expect(items.heard(4)).toEqual({ itemId: null, playedFrames: 6 });
  });

  it('goes on counting after a cut, without what was cut', () => {
    const items = new SpokenItems();
    items.began('one');
    say(items, 100);
    items.cut(60);
    expect(items.heard(0)).toEqual({ itemId: 'one', playedFrames: 40 });
    items.began('two');
    say(items, 10);
    expect(items.heard(3)).toEqual({ itemId: 'two', playedFrames: 7 });
  });

  it('remembers so many items and counts the rest', () => {
    const items = new SpokenItems();
    for (let i = 0; i < 100; i++) items.began(`item ${i}`);
    expect(items.stats.forgottenItems).toBe(36);
    expect(items.heard(0)).toEqual({ itemId: 'item 99', playedFrames: 0 });
  });
});
