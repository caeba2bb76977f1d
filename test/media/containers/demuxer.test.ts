import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import {
  type ContainerName,
  PacketDemuxer,
  SILENT_BYTES_MAX,
} from '../../../src/media/containers/demuxer.ts';
import { FakeClock } from '../../fakes/clock.ts';
import { writeWav } from '../../../src/media/wav.ts';
import { opusenc } from '../codecs/opus/opus-tools.ts';

const seed = Number(process.env['OMNIVOICE_TEST_SEED'] ?? 4711);
const STREAMS = process.env['OMNIVOICE_TEST_LONG'] === '1' ? 20_000 : 200;

const tone = Int16Array.from({ length: 48_000 }, (_, i) => 8000 * Math.sin((2 * Math.PI * 330 * i) / 16_000));
const ogg = opusenc(writeWav(tone, 16_000), '--speech', '--bitrate', '24').stream;
// As MediaRecorder writes it: live, its sizes unknown, its packets in simple blocks.
const webm = execFileSync(
  'ffmpeg',
  ['-v', 'error', '-i', 'pipe:0', '-c:a', 'copy', '-f', 'webm', '-live', '1', 'pipe:1'],
  { input: ogg },
);

function demux(container: ContainerName, stream: Uint8Array, sizeOf: () => number) {
  const packets: string[] = [];
  const demuxer = new PacketDemuxer(container, (packet) => packets.push(Buffer.from(packet).toString('hex')));
  let refusal;
  for (let at = 0; at < stream.length;) {
    const piece = Uint8Array.from(stream.subarray(at, at + sizeOf()));
    at += piece.length;
    refusal = demuxer.push(piece);
    piece.fill(0xee);
  }
  return { packets, refusal, demuxer };
}

describe.each([
  { container: 'ogg', stream: ogg },
  { container: 'webm', stream: webm },
] as const)('an Opus stream in $container', ({ container, stream }) => {
  it('is its packets, however it is cut', () => {
    const whole = demux(container, stream, () => stream.length);
    expect(whole.refusal).toBeUndefined();
    // Three seconds and the encoder's delay; the last packet of a WebM file lies in a block that live streams have not.
    expect(whole.packets.length).toBeGreaterThanOrEqual(149);
    expect(whole.demuxer.preSkipSamples).toBe(312);
    expect(whole.demuxer.stats).toEqual({ packets: whole.packets.length, bytes: stream.length });
    for (const size of [1, 7, 26, 27, 1000]) {
      expect(demux(container, stream, () => size).packets).toEqual(whole.packets);
    }
  });

  it(`ends, in packets or refused, however it is spoiled: seed ${seed}`, () => {
    const clock = new FakeClock({ seed });
    const below = (limit: number): number => clock.randomBytes(4).readUInt32LE() % limit;
    for (let run = 0; run < STREAMS; run++) {
      const spoiled = Uint8Array.from(stream.subarray(0, below(4000)));
      for (let flips = below(12); flips > 0 && spoiled.length > 0; flips--) {
        // The headers are what a reader goes by: half of the changes hit them.
        spoiled[below(below(2) === 0 ? Math.min(spoiled.length, 400) : spoiled.length)] = below(256);
      }
      const size = 1 + below(1500);
      const { packets, demuxer } = demux(container, spoiled, () => size);
      // Whatever came out was in what went in.
      expect(packets.reduce((sum, packet) => sum + packet.length / 2, 0)).toBeLessThanOrEqual(spoiled.length);
      expect(demuxer.stats.packets).toBe(packets.length);
    }
  });

  it('is refused where it is something else, and stays so', () => {
    const demuxer = new PacketDemuxer(container, () => expect.unreachable());
    expect(demuxer.push(Buffer.from('RIFF0000WAVEfmt and so on, and on'))).toMatchObject({ type: 'refusal' });
    expect(demuxer.push(stream)).toMatchObject({ type: 'refusal' });
    expect(demuxer.stats.packets).toBe(0);
  });

  it('is refused where so much comes without a packet', () => {
    const demuxer = new PacketDemuxer(container, () => undefined);
    // Headers that announce what never comes.
    demuxer.push(stream.subarray(0, container === 'ogg' ? 100 : 60));
    const filler = new Uint8Array(64 * 1024);
    let refusal;
    for (let bytes = 0; bytes <= SILENT_BYTES_MAX; bytes += filler.length) refusal = demuxer.push(filler);
    expect(refusal).toMatchObject({ type: 'refusal', fault: 'invalid_argument' });
  });
});

describe('a WebM element whose length turns negative in 32 bits', () => {
  it('is refused, where a reader that believed it would go in circles', () => {
    const circle = Buffer.from('1a45dfa380ec01ffffffffffff9000', 'hex');
    const demuxer = new PacketDemuxer('webm', () => undefined);
    expect(demuxer.push(Buffer.concat([circle, Buffer.alloc(100)]))).toMatchObject({ type: 'refusal' });
    const still = Buffer.from('1a45dfa380ec01fffffffffffff7', 'hex');
    expect(
      new PacketDemuxer('webm', () => undefined).push(Buffer.concat([still, Buffer.alloc(100)])),
    ).toMatchObject({
      type: 'refusal',
    });
  });
});
