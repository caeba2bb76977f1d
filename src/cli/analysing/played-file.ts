import { closeSync, openSync, writeSync } from 'node:fs';
import { messageOf, VoiceError } from '../../base/errors.ts';
import { encodeL16LittleInto } from '../../media/codecs/l16.ts';
import { wavHeader } from '../../media/wav.ts';

const HEADER_BYTES = 44;
const CHUNK_FRAMES = 250;

/** What a listener would have heard, as a WAV file. */
export class PlayedFile {
  readonly #file: number;
  readonly #sampleRateHz: number;
  readonly #chunk: Uint8Array;
  readonly #view: Uint8Array[];
  #frames = 0;
  #writtenBytes = 0;

  constructor(path: string, sampleRateHz: number, frameSamples: number) {
    this.#sampleRateHz = sampleRateHz;
    const frameBytes = 2 * frameSamples;
    this.#chunk = new Uint8Array(CHUNK_FRAMES * frameBytes);
    this.#view = Array.from({ length: CHUNK_FRAMES }, (_, i) =>
      this.#chunk.subarray(i * frameBytes, (i + 1) * frameBytes),
    );
    try {
      this.#file = openSync(path, 'w');
    } catch (error) {
      throw new VoiceError('failed_precondition', `${path} cannot be written: ${messageOf(error)}`);
    }
    writeSync(this.#file, new Uint8Array(HEADER_BYTES));
  }

  write(frame: Int16Array): void {
    encodeL16LittleInto(frame, this.#view[this.#frames++]!);
    if (this.#frames === CHUNK_FRAMES) this.#flush();
  }

  close(): void {
    this.#flush();
    writeSync(this.#file, wavHeader(this.#sampleRateHz, 1, this.#writtenBytes), 0, HEADER_BYTES, 0);
    closeSync(this.#file);
  }

  #flush(): void {
    const bytes = this.#frames * this.#view[0]!.length;
    for (let from = 0; from < bytes;) from += writeSync(this.#file, this.#chunk, from, bytes - from);
    this.#writtenBytes += bytes;
    this.#frames = 0;
  }
}
