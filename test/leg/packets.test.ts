import { describe, expect, it } from 'vitest';
import { newFrameCounters } from '../../src/leg/counters.ts';
import { Ears } from '../../src/leg/hearing/ears.ts';
import { Egress } from '../../src/leg/egress.ts';
import { Ingress } from '../../src/leg/ingress.ts';
import { openCodec } from '../../src/media/codecs.ts';
import { loadOpus } from '../../src/media/codecs/opus/opus.ts';
import type { AudioFormat } from '../../src/media/format.ts';
import { FixedJitterBuffer } from '../../src/media/jitter/fixed-jitter-buffer.ts';
import { VOICE_DEFAULTS } from '../../src/media/voice-detector.ts';
import { VoiceEdges } from '../../src/media/voice/voice-edges.ts';
import { loudDetectors } from '../fakes/loud-detector.ts';
import { MemorySocket } from '../fakes/memory-socket.ts';
import { oddDialect } from '../fakes/odd-dialect.ts';

const facts = await loadOpus();
const OPUS: AudioFormat = { codec: 'opus', sampleRateHz: 48_000, littleEndian: true };

function openIngress() {
  const heard: Int16Array[] = [];
  const counters = newFrameCounters();
  const ingress = new Ingress({
    format: OPUS,
    jitter: new FixedJitterBuffer({ sampleRateHz: 16_000, targetMs: 0 }),
    ears: new Ears({
      sampleRateHz: 16_000,
      edges: new VoiceEdges(loudDetectors.open(16_000), VOICE_DEFAULTS),
      listener: { onVoice: () => undefined },
    }),
    counters,
    listener: { onFrame: (frame) => void heard.push(frame.slice()) },
  });
  const takes = (packet: Uint8Array): boolean => {
    // The payload is the front of a larger scratch.
    const payload = Buffer.concat([packet, Buffer.alloc(50, 0xff)]);
    return ingress.accept({ payload, payloadBytes: packet.length, sequence: -1, timestampMs: -1 }, 1_000);
  };
  return { ingress, takes, heard, counters };
}

/** A SILK packet of one wideband frame that says nothing: 10, 20, 40 or 60 ms (RFC 6716 §3.1). */
const quiet = (durationMs: 10 | 20 | 40 | 60): Uint8Array =>
  Uint8Array.of((8 + [10, 20, 40, 60].indexOf(durationMs)) << 3, 0, 0, 0);

describe('packets on their way in', () => {
  it('become whole frames, whatever they last', () => {
    const { takes, heard, counters, ingress } = openIngress();
    const framesAfter = ([10, 10, 60, 10, 40, 10, 20] as const).map((durationMs) => {
      expect(takes(quiet(durationMs))).toBe(true);
      return heard.length;
    });
    expect(framesAfter).toEqual([0, 1, 4, 4, 6, 7, 8]);
    expect(heard.every((frame) => frame.length === 320)).toBe(true);
    expect(counters.receivedFrames).toBe(8);
    ingress.close();
  });

  it('are counted and passed over where they are none', () => {
    const { takes, heard, counters, ingress } = openIngress();
    expect(takes(new Uint8Array(0))).toBe(true);
    expect(takes(Uint8Array.of(0xff, 0xff, 0x3f))).toBe(true);
    expect(counters.refusedMessages).toBe(2);
    takes(quiet(20));
    expect(heard.length).toBe(1);
    ingress.close();
  });
});

describe('packets on their way out', () => {
  it('are as long as they are, and are heard by a decoder', () => {
    const socket = new MemorySocket();
    const session = oddDialect({}).openSession({
      nowMs: 0,
      upgrade: { method: 'GET', headers: {}, target: '/', urls: [] },
      options: {},
    });
    const lengths: number[] = [];
    const codec = openCodec(OPUS);
    const target = new Int16Array(codec.packetSamplesMax);
    session.writeAudio = (packet) => {
      lengths.push(packet.length);
      expect(codec.decodeInto(packet, packet.length, target)).toBe(320);
      return packet;
    };
    const egress = new Egress(OPUS, session, socket, newFrameCounters());
    for (let i = 0; i < 20; i++) {
      const frame = Int16Array.from(
        { length: 320 },
        (_, n) => 8000 * Math.sin((320 * i + n) * (0.02 + 0.001 * i)),
      );
      expect(egress.send(frame)).toBe(1);
    }
    expect(new Set(lengths).size).toBeGreaterThan(1);
    expect(Math.max(...lengths)).toBeLessThan(200);
    egress.close();
    codec.close();
  });

  it('leave nothing in the sandbox once both ways are closed', () => {
    expect(facts.stats).toMatchObject({ decoders: 0, encoders: 0 });
  });
});
