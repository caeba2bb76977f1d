import { describe, expect, it } from 'vitest';
import { AUDIO } from '../../../src/dialect/dialect.ts';
import { nativeDialect } from '../../../src/dialect/native/dialect.ts';
import { rtpClockHz, RtpReader, writeRtpNumbers, writeRtpStart } from '../../../src/dialect/native/rtp.ts';
import { frameBytes, type AudioFormat } from '../../../src/media/format.ts';
import { given, openInbound, openStartedLine, payloadOf, rampFrame } from '../wire.ts';

const L16_16K: AudioFormat = { codec: 'l16', sampleRateHz: 16000, littleEndian: true };

function packet(sequence: number, timestamp: number, payload = rampFrame()): Buffer {
  const bytes = Buffer.alloc(12 + payload.length);
  writeRtpStart(bytes, 'pcmu', 1);
  writeRtpNumbers(bytes, sequence, timestamp);
  bytes.set(payload, 12);
  return bytes;
}

/** The numbers a fresh reader finds in packets of these timestamps. */
function clocksOf(timestamps: readonly number[], sampleRateHz = 8000): number[] {
  const reader = new RtpReader(sampleRateHz);
  const into = openInbound();
  return timestamps.map((timestamp) => {
    expect(reader.readInto(packet(0, timestamp), into)).toBe(true);
    return into.timestampMs;
  });
}

describe('an RTP header', () => {
  it('is the twelve bytes of RFC 3550', () => {
    const bytes = Buffer.alloc(12, 0xff);
    writeRtpStart(bytes, 'pcma', 1);
    writeRtpNumbers(bytes, 0x1234, 0x89abcdef);
    expect(bytes.toString('hex')).toBe('8008123489abcdef00000001');
    writeRtpStart(bytes, 'l16', 2);
    expect([bytes[1], bytes[11]]).toEqual([96, 2]);
  });

  it.each([0, 127, 32_767, 32_768, 65_534, 65_535])(
    'carries sequence %i and the one after it',
    (sequence) => {
      const into = openInbound();
      const reader = new RtpReader(8000);
      for (const next of [sequence, sequence + 1]) {
        reader.readInto(packet(next, 0), into);
        expect(into.sequence).toBe(next % 65_536);
      }
    },
  );

  it.each([0, 127, 0x7fff_ff60, 0x7fff_ffff, 0xffff_ff60, 0xffff_ffff])(
    'keeps one clock from timestamp %i on, across the wrap',
    (first) => expect(clocksOf([first, first + 160, first + 320, first + 480])).toEqual([0, 20, 40, 60]),
  );

  it('tells the time of packets out of order, also of one before the first', () => {
    expect(clocksOf([1_000, 1_320, 1_160, 1_480])).toEqual([0, 40, 20, 60]);
    expect(clocksOf([160, 0, 320])).toEqual([0, 0, 40]);
  });

  it('counts samples of its own rate', () => {
    expect(clocksOf([0, 320, 480], 16000)).toEqual([0, 20, 30]);
  });

  it.each([
    ['version 1', 0x40],
    ['padding', 0xa0],
    ['an extension', 0x90],
    ['a CSRC', 0x81],
    ['nothing known', 0x00],
  ])('is refused with %s', (_, firstByte) => {
    const bytes = packet(0, 0);
    bytes[0] = firstByte;
    expect(new RtpReader(8000).readInto(bytes, openInbound())).toBe(false);
  });

  it('is refused when it is too short', () => {
    expect(new RtpReader(8000).readInto(packet(0, 0).subarray(0, 11), openInbound())).toBe(false);
  });
});

describe('a line with RTP headers', () => {
  it('shows the caller’s holes and disorder', () => {
    const { caller, say, inbound } = openStartedLine(nativeDialect, { rtpHeaders: true });
    const heard = [0, 1, 3, 2, 65_535, 65_536].map((index) => {
      expect(say(given(caller.audio(rampFrame(index), index)))).toBe(AUDIO);
      expect(payloadOf(inbound).equals(rampFrame(index))).toBe(true);
      return [inbound.sequence, inbound.timestampMs];
    });
    expect(heard).toEqual([
      [0, 0],
      [1, 20],
      [3, 60],
      [2, 40],
      [65_535, 1_310_700],
      [0, 1_310_720],
    ]);
  });

  it('numbers what the server writes, and what it drops before writing or after', () => {
    const { caller, session } = openStartedLine(nativeDialect, { rtpHeaders: true, format: L16_16K });
    const heard = openInbound();
    const numbers: number[][] = [];
    for (let i = 0; i < 6; i++) {
      if (i === 1) {
        session.skipAudio?.();
        continue;
      }
      const message = given(session.writeAudio(rampFrame(i, 640)));
      if (i === 3) continue;
      expect(caller.read(message, true, heard)).toBe(AUDIO);
      numbers.push([heard.sequence, heard.timestampMs]);
    }
    expect(numbers).toEqual([
      [0, 0],
      [2, 40],
      [4, 80],
      [5, 100],
    ]);
  });

  it('wraps what the server writes', () => {
    const { caller, session } = openStartedLine(nativeDialect, { rtpHeaders: true });
    const heard = openInbound();
    const frame = rampFrame();
    for (let i = 0; i < 65_537; i++) caller.read(given(session.writeAudio(frame)), true, heard);
    expect([heard.sequence, heard.timestampMs]).toEqual([0, 65_536 * 20]);
  });

  it('refuses all but one frame of 20 ms', () => {
    for (const bytes of [0, 80, 159, 161, 320]) {
      const { session, inbound } = openStartedLine(nativeDialect, { rtpHeaders: true });
      const result = session.read(packet(0, 0, rampFrame(0, bytes)), true, inbound);
      expect(result, `${bytes} bytes`).toMatchObject({ type: 'refusal', fault: 'protocol_violation' });
    }
  });

  it('refuses audio without the header that was agreed', () => {
    const { session, inbound } = openStartedLine(nativeDialect, { rtpHeaders: true });
    expect(session.read(rampFrame(0, 172), true, inbound)).toMatchObject({ fault: 'protocol_violation' });
  });
});

describe('RTP clocks', () => {
  const G722: AudioFormat = { codec: 'g722', sampleRateHz: 16_000, littleEndian: true };
  const OPUS: AudioFormat = { codec: 'opus', sampleRateHz: 48_000, littleEndian: true };

  it.each([
    [L16_16K, 16_000],
    [G722, 8000],
    [{ ...G722, sampleRateHz: 8000 }, 8000],
    [OPUS, 48_000],
    [{ ...OPUS, sampleRateHz: 16_000 }, 48_000],
  ])('of %j count at %i Hz', (format, clockHz) => {
    expect(rtpClockHz(format)).toBe(clockHz);
    const { caller, session, say, inbound } = openStartedLine(nativeDialect, { rtpHeaders: true, format });
    const frame = rampFrame(0, frameBytes(format) || 71);
    const stamps = [0, 1, 2].map((index) => {
      const { bytes } = given(caller.audio(frame, index));
      expect(say({ bytes, isBinary: true })).toBe(AUDIO);
      expect(payloadOf(inbound).equals(frame)).toBe(true);
      expect(inbound.timestampMs).toBe(20 * index);
      return Buffer.from(bytes).readUInt32BE(4);
    });
    expect(stamps).toEqual([0, clockHz / 50, clockHz / 25]);
    expect(Buffer.from(given(session.writeAudio(frame))).readUInt32BE(4)).toBe(0);
    expect(Buffer.from(given(session.writeAudio(frame))).readUInt32BE(4)).toBe(clockHz / 50);
  });

  it('let packets of Opus be as long as they are, but not empty', () => {
    const { say, inbound } = openStartedLine(nativeDialect, { rtpHeaders: true, format: OPUS });
    for (const bytes of [1, 40, 1_275]) {
      expect(say({ bytes: packet(0, 0, rampFrame(0, bytes)), isBinary: true })).toBe(AUDIO);
      expect(inbound.payloadBytes).toBe(bytes);
    }
    const empty = { bytes: packet(0, 0, rampFrame(0, 0)), isBinary: true };
    expect(say(empty)).toMatchObject({ fault: 'protocol_violation' });
  });
});
