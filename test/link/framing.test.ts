import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/base/json.ts';
import { encodeEvents, encodeMessage, FrameDecoder, MESSAGE_BYTES_MAX } from '../../src/link/framing.ts';
import { encodeRecord, payloadOf } from '../../src/link/spool/segment.ts';
import { eventRecord } from './link-fixtures.ts';

const ACKS = [1, 2, 3].map((record) => ({ type: 'ack', record }) as const);

function lengthPrefixed(text: string): Buffer {
  const body = Buffer.from(text);
  const head = Buffer.alloc(4);
  head.writeUInt32BE(body.length, 0);
  return Buffer.concat([head, body]);
}

describe('a stream of messages', () => {
  it('is read the same at every cut into two, and byte by byte', () => {
    const stream = Buffer.concat(ACKS.map((ack) => encodeMessage(ack)));
    for (let cut = 0; cut <= stream.length; cut++) {
      const heard: JsonObject[] = [];
      const decoder = new FrameDecoder((message) => heard.push(message));
      expect(decoder.push(stream.subarray(0, cut))).toBeUndefined();
      expect(decoder.push(stream.subarray(cut))).toBeUndefined();
      expect(heard).toEqual(ACKS);
      expect(decoder.heldBytes).toBe(0);
    }
    const heard: JsonObject[] = [];
    const decoder = new FrameDecoder((message) => heard.push(message));
    for (const byte of stream) decoder.push(Buffer.of(byte));
    expect(heard).toEqual(ACKS);
  });

  it('gives the records of a spool as they were, whatever their characters', () => {
    const records = [eventRecord(7), eventRecord(8, 'Grüße, 世界 "\\"'), eventRecord(9)];
    const heard: JsonObject[] = [];
    const message = encodeEvents(
      7,
      records.map((record) => payloadOf(encodeRecord(record))),
    );
    expect(new FrameDecoder((message) => heard.push(message)).push(message)).toBeUndefined();
    expect(heard).toEqual([{ type: 'events', first: 7, records }]);
  });

  it('may hold a message of the greatest length and none beyond it, before a byte of it has come', () => {
    const decoder = new FrameDecoder(() => {}, 10);
    expect(decoder.push(lengthPrefixed('{"a": 123}'))).toBeUndefined();
    const [announced] = [lengthPrefixed('{"a": 1234}').subarray(0, 4)];
    expect(decoder.push(announced)).toMatchObject({ type: 'refusal', fault: 'frame_too_large' });
    expect(MESSAGE_BYTES_MAX).toBe(8 * 1024 * 1024);
  });

  it.each(['', 'nonsense', '[1]', 'null', '"text"', '{"a":'])('refuses %j, which is no object', (text) => {
    const heard: JsonObject[] = [];
    const decoder = new FrameDecoder((message) => heard.push(message));
    expect(decoder.push(lengthPrefixed(text))).toMatchObject({ fault: 'not_json' });
    expect(heard).toEqual([]);
  });
});
