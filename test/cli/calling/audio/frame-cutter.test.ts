import { describe, expect, it } from 'vitest';
import { FrameCutter } from '../../../../src/cli/calling/audio/frame-cutter.ts';

function cut(frameBytes: number, messages: readonly (readonly number[])[]): number[][] {
  const cutter = new FrameCutter(frameBytes);
  const frames: number[][] = [];
  for (const message of messages) {
    cutter.cut(Uint8Array.from(message), message.length, (frame, bytes) => {
      frames.push([...frame.subarray(0, bytes)]);
    });
  }
  return frames;
}

describe('frames', () => {
  it('are cut out of messages of any length, in order', () => {
    expect(cut(2, [[1, 2], [3], [4, 5, 6, 7], [8]])).toEqual([
      [1, 2],
      [3, 4],
      [5, 6],
      [7, 8],
    ]);
  });

  it('are the messages themselves where a codec has no fixed size', () => {
    expect(cut(0, [[1, 2, 3], [4]])).toEqual([[1, 2, 3], [4]]);
  });
});
