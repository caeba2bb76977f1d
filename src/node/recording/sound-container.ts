import { frameSamples } from '../../base/units.ts';
import type { RecordingFormat } from '../../call/recording/tape.ts';
import { FRAME_BYTES_MAX } from '../../media/codecs/opus/encoder.ts';
import { openOpus } from '../../media/codecs/opus/opus.ts';
import { encodeMulawInto } from '../../media/codecs/g711.ts';
import { OggOpusWriter, pairInto } from '../../media/containers/ogg-opus-writer.ts';
import { mulawWavHeader, wavHeader } from '../../media/wav.ts';

/** Sound on its way to a file, a chunk of a second at a time. */
export interface SoundContainer {
  /** What the file begins with. */
  begin(): Uint8Array;
  /** One frame of each channel, copied; a chunk where one is whole, the taker's own. */
  write(left: Int16Array, right: Int16Array): Uint8Array | undefined;
  /** What is left. */
  end(): Uint8Array | undefined;
  close(): void;
}

const CHANNELS = 2;
const CHUNK_FRAMES = 50;

/** What a file begins with once it holds so many bytes of sound; undefined where that never changes. */
export function headerOf(
  format: RecordingFormat,
  sampleRateHz: number,
  dataBytes: number,
): Uint8Array | undefined {
  switch (format) {
    case 'wav_g711':
      return mulawWavHeader(sampleRateHz, CHANNELS, dataBytes);
    case 'wav_l16':
      return wavHeader(sampleRateHz, CHANNELS, dataBytes);
    default:
      return undefined;
  }
}

/** Bytes of one sample of both channels; of Opus there are none. */
export function sampleBytesOf(format: RecordingFormat): number {
  return { wav_g711: CHANNELS, wav_l16: 2 * CHANNELS, ogg_opus: 0 }[format];
}

/** How long so many bytes of sound last. */
export function wavDurationMs(format: RecordingFormat, sampleRateHz: number, dataBytes: number): number {
  return Math.round((1000 * dataBytes) / sampleBytesOf(format) / sampleRateHz);
}

export function openContainer(format: RecordingFormat, sampleRateHz: number, serial: number): SoundContainer {
  return format === 'ogg_opus'
    ? new OggContainer(sampleRateHz, serial)
    : new WavContainer(format, sampleRateHz);
}

/** Both channels sample by sample, as G.711 µ-law or 16-bit PCM. */
class WavContainer implements SoundContainer {
  readonly #format: 'wav_g711' | 'wav_l16';
  readonly #sampleRateHz: number;
  readonly #frameBytes: number;
  readonly #pair: Int16Array;
  #chunk: Uint8Array;
  #chunkFrames = 0;

  constructor(format: 'wav_g711' | 'wav_l16', sampleRateHz: number) {
    this.#format = format;
    this.#sampleRateHz = sampleRateHz;
    this.#frameBytes = frameSamples(sampleRateHz) * sampleBytesOf(format);
    this.#pair = new Int16Array(frameSamples(sampleRateHz) * CHANNELS);
    this.#chunk = this.#freshChunk();
  }

  begin(): Uint8Array {
    return headerOf(this.#format, this.#sampleRateHz, 0)!;
  }

  write(left: Int16Array, right: Int16Array): Uint8Array | undefined {
    const pair = this.#pair;
    for (let i = 0; i < left.length; i++) {
      pair[2 * i] = left[i]!;
      pair[2 * i + 1] = right[i]!;
    }
    const at = this.#chunkFrames++ * this.#frameBytes;
    const target = this.#chunk.subarray(at, at + this.#frameBytes);
    if (this.#format === 'wav_g711') encodeMulawInto(pair, target);
    else target.set(new Uint8Array(pair.buffer));
    return this.#chunkFrames === CHUNK_FRAMES ? this.#take() : undefined;
  }

  end(): Uint8Array | undefined {
    return this.#chunkFrames === 0 ? undefined : this.#take();
  }

  close(): void {
    // Nothing of it is anybody else's.
  }

  #take(): Uint8Array {
    const chunk = this.#chunk.subarray(0, this.#chunkFrames * this.#frameBytes);
    this.#chunk = this.#freshChunk();
    this.#chunkFrames = 0;
    return chunk;
  }

  // One buffer a second: the disk keeps it for as long as it takes.
  #freshChunk(): Uint8Array {
    return new Uint8Array(this.#frameBytes * CHUNK_FRAMES);
  }
}

/** Two mono streams of Opus in one Ogg: what is on the left cannot leak to the right. */
class OggContainer implements SoundContainer {
  readonly #writer: OggOpusWriter;
  readonly #codecs: readonly [ReturnType<typeof openOpus>, ReturnType<typeof openOpus>];
  readonly #left = { packet: new Uint8Array(FRAME_BYTES_MAX), bytes: 0 };
  readonly #right = { packet: new Uint8Array(FRAME_BYTES_MAX), bytes: 0 };
  readonly #packet = new Uint8Array(2 * FRAME_BYTES_MAX + 2);

  constructor(sampleRateHz: number, serial: number) {
    this.#writer = new OggOpusWriter({ serial, inputSampleRateHz: sampleRateHz, streams: 2 });
    this.#codecs = [openOpus(sampleRateHz), openOpus(sampleRateHz)];
  }

  begin(): Uint8Array {
    return this.#writer.begin();
  }

  write(left: Int16Array, right: Int16Array): Uint8Array | undefined {
    this.#left.bytes = this.#codecs[0].encodeInto(left, this.#left.packet);
    this.#right.bytes = this.#codecs[1].encodeInto(right, this.#right.packet);
    const bytes = pairInto(this.#left, this.#right, this.#packet);
    return this.#writer.write(this.#packet, bytes, 20);
  }

  end(): Uint8Array | undefined {
    return this.#writer.end();
  }

  close(): void {
    for (const codec of this.#codecs) codec.close();
  }
}
