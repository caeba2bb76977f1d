import { open, type FileHandle } from 'node:fs/promises';
import { messageOf, VoiceError } from '../../../base/errors.ts';
import { msToSamples } from '../../../base/units.ts';
import { openCodec } from '../../../media/codecs.ts';
import { encodeL16LittleInto } from '../../../media/codecs/l16.ts';
import type { Codec } from '../../../media/codec.ts';
import { decodedSampleRateHz, type AudioFormat } from '../../../media/format.ts';
import { wavHeader } from '../../../media/wav.ts';

const CHUNK_MS = 1_000;
const HEADER_BYTES = 44;

/** What a caller hears, as a WAV file of 16-bit PCM. */
export class Recorder {
  readonly file: string;
  readonly #handle: FileHandle;
  readonly #sampleRateHz: number;
  readonly #codec: Codec;
  readonly #frame: Int16Array;
  readonly #chunk: Int16Array;
  #chunkSamples = 0;
  #writtenSamples = 0;
  #writing: Promise<unknown> = Promise.resolve();
  #failure: unknown;

  private constructor(file: string, handle: FileHandle, format: AudioFormat) {
    this.file = file;
    this.#handle = handle;
    this.#sampleRateHz = decodedSampleRateHz(format);
    this.#codec = openCodec(format);
    this.#frame = new Int16Array(msToSamples(CHUNK_MS, this.#sampleRateHz));
    this.#chunk = new Int16Array(this.#frame.length);
  }

  static async open(file: string, format: AudioFormat): Promise<Recorder> {
    try {
      return new Recorder(file, await open(file, 'w'), format);
    } catch (error) {
      const sentence = `cannot write ${file}: ${messageOf(error)}`;
      throw new VoiceError('invalid_argument', sentence, { cause: error, field: 'record' });
    }
  }

  /** Appends the codec bytes of one message; of more than a second only the first. */
  hear(payload: Uint8Array): void {
    const samples = this.#codec.decodeInto(payload, payload.length, this.#frame);
    if (samples > 0) this.#append(this.#frame.subarray(0, samples));
  }

  /** Nothing came for so long, and the caller heard nothing. */
  pause(durationMs: number): void {
    for (let restMs = durationMs; restMs > 0; restMs -= CHUNK_MS) {
      const samples = Math.floor((Math.min(restMs, CHUNK_MS) * this.#sampleRateHz) / 1000);
      this.#append(this.#frame.fill(0).subarray(0, samples));
    }
  }

  /** The last of what was appended has not been heard after all. */
  takeBack(durationMs: number): void {
    const samples = Math.round((durationMs * this.#sampleRateHz) / 1000);
    const fromChunk = Math.min(samples, this.#chunkSamples);
    this.#chunkSamples -= fromChunk;
    this.#writtenSamples = Math.max(0, this.#writtenSamples - (samples - fromChunk));
  }

  async close(): Promise<void> {
    this.#flush();
    this.#codec.close();
    await this.#writing;
    try {
      if (this.#failure !== undefined) throw this.#failure;
      const dataBytes = 2 * this.#writtenSamples;
      await this.#handle.write(wavHeader(this.#sampleRateHz, 1, dataBytes), 0, HEADER_BYTES, 0);
      await this.#handle.truncate(HEADER_BYTES + dataBytes);
    } catch (error) {
      const sentence = `cannot write ${this.file}: ${messageOf(error)}`;
      throw new VoiceError('failed_precondition', sentence, { cause: error });
    } finally {
      await this.#handle.close();
    }
  }

  #append(samples: Int16Array): void {
    if (this.#chunkSamples + samples.length > this.#chunk.length) this.#flush();
    this.#chunk.set(samples, this.#chunkSamples);
    this.#chunkSamples += samples.length;
  }

  #flush(): void {
    const bytes = new Uint8Array(2 * this.#chunkSamples);
    encodeL16LittleInto(this.#chunk.subarray(0, this.#chunkSamples), bytes);
    const position = HEADER_BYTES + 2 * this.#writtenSamples;
    this.#writtenSamples += this.#chunkSamples;
    this.#chunkSamples = 0;
    this.#writing = this.#writing
      .then(() => this.#handle.write(bytes, 0, bytes.length, position))
      .catch((error: unknown) => {
        this.#failure ??= error;
      });
  }
}
