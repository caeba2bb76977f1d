import { describe, expect, it } from 'vitest';
import { eventTypesOf, keysOf, type EventPacket } from '../../../src/cli/analysing/telephone-events.ts';

const STARTED = { startedAt: 0xffff_ff00, clockHz: 8000 };

/** One packet of a key (RFC 4733 §2.3): its code, when it went down, and how long it lasted so far. */
function packet(code: number, timestamp: number, duration: number, hasEnded = false): EventPacket {
  const payload = Uint8Array.of(code, hasEnded ? 0x8a : 0x0a, duration >> 8, duration & 0xff);
  return { payloadType: 101, timestamp: (STARTED.startedAt + timestamp) >>> 0, payload };
}

describe('telephone events', () => {
  it('tell every key once, with the longest duration it was told, across a wrap of the timestamps', () => {
    const packets = [
      packet(5, 160, 160),
      packet(5, 160, 320),
      packet(5, 160, 800, true),
      packet(5, 160, 800, true),
      packet(11, 4000, 160),
      packet(11, 4000, 480, true),
    ];
    expect(keysOf(packets, STARTED)).toEqual([
      { digit: '5', onsetMs: 20, durationMs: 100 },
      { digit: '#', onsetMs: 500, durationMs: 60 },
    ]);
  });

  it('tell the same however their packets are lost, doubled or turned round', () => {
    const packets = [
      packet(1, 0, 160),
      packet(1, 0, 400, true),
      packet(1, 1600, 160),
      packet(1, 1600, 400, true),
    ];
    const keys = keysOf(packets, STARTED);
    expect(keys.map(({ onsetMs }) => onsetMs)).toEqual([0, 200]);
    expect(keysOf(packets.toReversed(), STARTED)).toEqual(keys);
    expect(keysOf([...packets, ...packets], STARTED)).toEqual(keys);
    expect(keysOf([packets[1]!, packets[3]!], STARTED)).toEqual(keys);
  });

  it('tell a key that is held longer than a duration can say once', () => {
    const packets = [packet(0, 0, 0x8000), packet(0, 0, 0xffff), packet(0, 0xffff, 8000, true)];
    expect(keysOf(packets, STARTED)).toEqual([{ digit: '0', onsetMs: 0, durationMs: 9192 }]);
  });

  it('are known by their four bytes, where nothing else comes under the same number', () => {
    const sound = { payloadType: 101, timestamp: 0, payload: new Uint8Array(60) };
    const text = { payloadType: 97, timestamp: 0, payload: Uint8Array.of(200, 1, 1, 1) };
    expect([...eventTypesOf([packet(3, 0, 160), text])]).toEqual([101]);
    expect([...eventTypesOf([packet(3, 0, 160), sound])]).toEqual([]);
    expect([...eventTypesOf([{ ...packet(3, 0, 160), payloadType: 0 }])]).toEqual([]);
  });
});
