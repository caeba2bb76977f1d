import { describe, expect, it } from 'vitest';
import { analyse, type AnalysisResult } from '../../../src/cli/analysing/analysis.ts';
import { readRtpdump } from '../../../src/cli/analysing/rtpdump.ts';
import { openCodec } from '../../../src/media/codecs.ts';
import { loadOpus } from '../../../src/media/codecs/opus/opus.ts';
import { l16, PCMU_8K, type AudioFormat } from '../../../src/media/format.ts';
import { openResampler } from '../../../src/media/resampler/resampler.ts';
import { DTMF_DEFAULTS } from '../../../src/media/tones/dtmf/dtmf-settings.ts';
import { DtmfTone } from '../../../src/media/tones/dtmf/dtmf-tone.ts';
import { VOICE_DEFAULTS } from '../../../src/media/voice-detector.ts';
import { loadDetectors } from '../../../src/media/voice/detectors.ts';
import { readHello } from '../../fakes/hello.ts';
import { rtpdump, type CapturedPacket } from '../../fakes/rtpdump.ts';

const detectors = await loadDetectors();
await loadOpus();
const G722: AudioFormat = { codec: 'g722', sampleRateHz: 8000, littleEndian: false };
const L16 = l16(16_000, false);
const OPUS: AudioFormat = { codec: 'opus', sampleRateHz: 48_000, littleEndian: false };
const JITTER = { mode: 'adaptive', targetMs: 0, maxMs: 200 } as const;

function hear(packets: readonly CapturedPacket[], dynamic?: AudioFormat): AnalysisResult {
  const settings = { voice: VOICE_DEFAULTS, hearing: { dtmf: DTMF_DEFAULTS }, jitter: JITTER };
  return analyse({ recording: readRtpdump(rtpdump(packets), dynamic), detectors, settings });
}

/** The sample in a codec, a packet every 20 ms. */
function packetsOf(format: AudioFormat, payloadType: number, clockHz: number): CapturedPacket[] {
  const codec = openCodec(format);
  const hello = readHello();
  const samples = new Int16Array((hello.samples.length * codec.sampleRateHz) / hello.sampleRateHz);
  if (codec.sampleRateHz === hello.sampleRateHz) samples.set(hello.samples);
  else upsample(hello.samples, samples, codec.sampleRateHz);
  const packets: CapturedPacket[] = [];
  const payload = new Uint8Array(codec.packetBytesMax);
  for (let k = 0; (k + 1) * codec.frameSamples <= samples.length; k++) {
    const frame = samples.slice(k * codec.frameSamples, (k + 1) * codec.frameSamples);
    const bytes = codec.encodeInto(frame, payload);
    const timestamp = 0xffff_fc00 + (k * clockHz) / 50;
    packets.push({ atMs: 20 * k, sequence: k, timestamp, payload: payload.slice(0, bytes), payloadType });
  }
  codec.close();
  return packets;
}

function upsample(said: Int16Array, target: Int16Array, toHz: number): void {
  const resampler = openResampler(8000, toHz);
  const frame = new Int16Array(toHz / 50);
  for (let k = 0; (k + 1) * 160 <= said.length; k++) {
    resampler.resampleInto(said.subarray(k * 160, (k + 1) * 160), 160, frame);
    target.set(frame, k * frame.length);
  }
}

/** A key told beside the sound: as many packets as it lasts frames, and its end thrice. */
function told(
  code: number,
  { atMs, frames, clockHz = 8000 }: { atMs: number; frames: number; clockHz?: number },
): CapturedPacket[] {
  const perFrame = clockHz / 50;
  const timestamp = 0xffff_fc00 + (atMs * clockHz) / 1000;
  return Array.from({ length: frames + 2 }, (_, k) => {
    const duration = Math.min(k + 1, frames) * perFrame;
    const payload = Uint8Array.of(code, k + 1 >= frames ? 0x8a : 0x0a, duration >> 8, duration & 0xff);
    return { atMs: atMs + 20 * k, sequence: 5000 + k, timestamp, payload, payloadType: 101 };
  });
}

const inOrder = (packets: readonly CapturedPacket[]): readonly CapturedPacket[] =>
  packets.toSorted((a, b) => a.atMs - b.atMs);
const keysIn = ({ events }: AnalysisResult) => events.filter(({ type }) => type === 'dtmf_received');
const voicesIn = ({ events }: AnalysisResult): number[] =>
  events.filter(({ type }) => type === 'voice_detected').map(({ onset_ms }) => Number(onset_ms));

describe('a capture with telephone events', () => {
  it('tells its keys with their times, and they are no other packets', () => {
    const keys = [...told(5, { atMs: 400, frames: 5 }), ...told(11, { atMs: 900, frames: 3 })];
    const result = hear(inOrder([...packetsOf(PCMU_8K, 0, 8000), ...keys]));
    expect(keysIn(result)).toEqual([
      key({ digit: '5', at_ms: 400, onset_ms: 400, duration_ms: 100 }),
      key({ digit: '#', at_ms: 900, onset_ms: 900, duration_ms: 60 }),
    ]);
    expect(result.stats['other_packets']).toBe(0);
    const times = result.events.map(({ at_ms }) => Number(at_ms));
    expect(times).toEqual(times.toSorted((a, b) => a - b));
  });

  it('tells a key once that is in the sound, too', () => {
    const tone = new Int16Array(8000);
    new DtmfTone('5', 8000).fillInto(tone.subarray(1600));
    const codec = openCodec(PCMU_8K);
    const packets = Array.from({ length: 50 }, (_, k): CapturedPacket => {
      const payload = new Uint8Array(160);
      codec.encodeInto(tone.subarray(160 * k, 160 * (k + 1)), payload);
      return { atMs: 20 * k, sequence: k, timestamp: 0xffff_fc00 + 160 * k, payload };
    });
    expect(keysIn(hear(packets)).map(({ source }) => source)).toEqual(['in_band']);
    const both = keysIn(hear(inOrder([...packets, ...told(5, { atMs: 200, frames: 5 })])));
    expect(both.map(({ source }) => source)).toEqual(['out_of_band']);
  });

  it('is known beside Opus under another dynamic number', () => {
    const keys = told(10, { atMs: 600, frames: 4, clockHz: 48_000 });
    const result = hear(inOrder([...packetsOf(OPUS, 111, 48_000), ...keys]), OPUS);
    expect(keysIn(result)).toEqual([key({ digit: '*', at_ms: 600, onset_ms: 600, duration_ms: 80 })]);
  });
});

describe.each([
  ['G.722', G722, 9, 8000, undefined],
  ['Opus', OPUS, 111, 48_000, OPUS],
] as const)('a capture of %s', (_, format, payloadType, clockHz, dynamic) => {
  const packets = packetsOf(format, payloadType, clockHz);
  const plain = voicesIn(hear(packetsOf(L16, 96, 16_000), L16));

  it('has every voice near where plain samples have it', () => {
    const result = hear(packets, dynamic);
    expect(result.stats['sample_rate_hz']).toBe(16_000);
    expect(result.stats['jitter']).toMatchObject({ received_frames: packets.length, lost_frames: 0 });
    const onsets = voicesIn(result);
    expect(onsets).toHaveLength(plain.length);
    // The first word begins softly after digital silence: a lossy codec may hide 100 ms of it.
    onsets.forEach((onsetMs, i) => expect(Math.abs(onsetMs - plain[i]!)).toBeLessThanOrEqual(120));
  });

  it('with a packet lost has it counted', () => {
    const result = hear(
      packets.filter((_packet, k) => k !== 40),
      dynamic,
    );
    expect(result.stats['jitter']).toMatchObject({ lost_frames: 1 });
  });
});

/** The sound of one capture in packets of so many ms, in order. */
function inPacketsOf(ms: number, { payloadType = 0, packets = packetsOf(PCMU_8K, 0, 8000) } = {}) {
  const bytes = Buffer.concat(packets.map(({ payload }) => payload));
  const step = 8 * ms;
  return Array.from({ length: Math.floor(bytes.length / step) }, (_, k): CapturedPacket => {
    const payload = bytes.subarray(step * k, step * (k + 1));
    return { atMs: ms * k, sequence: k, timestamp: 0xffff_fc00 + step * k, payload, payloadType };
  });
}

it('says the same of G.722 in packets of 10 to 60 ms', () => {
  const g722 = { payloadType: 9, packets: packetsOf(G722, 9, 8000) };
  const plain = hear(inPacketsOf(20, g722)).events;
  expect(plain).not.toHaveLength(0);
  for (const ms of [10, 30, 40, 60]) expect(hear(inPacketsOf(ms, g722)).events).toEqual(plain);
});

describe('a capture of packets that are no whole frames', () => {
  const lossOf = (packets: readonly CapturedPacket[]): unknown => hear(packets).stats['jitter'];

  it.each([10, 30, 50])('has the voices of the same sound in frames: %i ms', (ms) => {
    const result = hear(inPacketsOf(ms));
    expect(voicesIn(result)).toEqual(voicesIn(hear(inPacketsOf(20))));
    expect(result.stats['jitter']).toMatchObject({ lost_frames: 0, duplicate_frames: 0 });
  });

  it('has as many frames lost as lack a piece', () => {
    expect(lossOf(inPacketsOf(10).toSpliced(40, 1))).toMatchObject({ lost_frames: 1 });
    expect(lossOf(inPacketsOf(30).toSpliced(40, 1))).toMatchObject({ lost_frames: 2 });
  });

  it('loses nothing where packets come twice, or change places', () => {
    const packets = inPacketsOf(10).map((packet) => ({ ...packet, atMs: packet.atMs + 40 }));
    const [before, first, second, after] = [
      packets.slice(0, 40),
      packets[40]!,
      packets[41]!,
      packets.slice(42),
    ];
    const late = { ...first, atMs: second.atMs };
    expect(lossOf([...before, second, late, late, ...after])).toMatchObject({ lost_frames: 0 });
  });

  it('loses nothing where silence is not sent', () => {
    const packets = inPacketsOf(10);
    const silent = packets.slice(41).map((packet) => ({
      ...packet,
      atMs: packet.atMs + 1010,
      timestamp: packet.timestamp + 8 * 1010,
    }));
    expect(lossOf([...packets.slice(0, 41), ...silent])).toMatchObject({ lost_frames: 0 });
  });
});

function key(fields: object): object {
  return { type: 'dtmf_received', ...fields, source: 'out_of_band' };
}
