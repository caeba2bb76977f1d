import { describe, expect, it } from 'vitest';
import { FRAME_BYTES_MAX, frameHead, PeerFrames } from '../../../src/cluster/peers/peer-frames.ts';

function frameOf(type: number, handle: number, text: string): Buffer {
  return Buffer.concat([frameHead(type, handle, text.length), Buffer.from(text)]);
}

describe('frames of a peer link', () => {
  it('come out the same, wherever the stream is cut', () => {
    const stream = Buffer.concat([
      frameOf(16, 2 ** 53 - 1, 'first'),
      frameOf(2, 0, ''),
      frameOf(17, 7, 'x'.repeat(300)),
    ]);
    for (let chunkBytes = 1; chunkBytes <= stream.length; chunkBytes++) {
      const heard: [number, number, string][] = [];
      const frames = new PeerFrames((type, handle, payload) => {
        heard.push([type, handle, payload.toString()]);
      });
      for (let at = 0; at < stream.length; at += chunkBytes) {
        expect(frames.push(stream.subarray(at, at + chunkBytes))).toBeUndefined();
      }
      expect(heard).toEqual([
        [16, 2 ** 53 - 1, 'first'],
        [2, 0, ''],
        [17, 7, 'x'.repeat(300)],
      ]);
    }
  });

  it('are refused by their length alone, before anything is held', () => {
    for (const frameBytes of [0, 8, FRAME_BYTES_MAX + 1, 0xffff_ffff]) {
      const head = Buffer.alloc(4);
      head.writeUInt32BE(frameBytes);
      const frames = new PeerFrames(() => expect.unreachable());
      expect(frames.push(head)).toMatchObject({ fault: 'protocol_violation' });
    }
  });

  it('are refused where a handle is no whole number of ours', () => {
    const head = frameHead(16, 0, 0);
    head.fill(0xff, 5, 13);
    expect(new PeerFrames(() => expect.unreachable()).push(head)).toMatchObject({ type: 'refusal' });
  });
});
