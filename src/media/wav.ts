import { refuse, type Refusal } from '../base/errors.ts';
import { decodeAlawInto, decodeMulawInto } from './codecs/g711.ts';
import { decodeL16LittleInto, encodeL16LittleInto } from './codecs/l16.ts';

/** The sound of a WAV file, mixed to mono. */
export interface WavAudio {
  readonly sampleRateHz: number;
  readonly samples: Int16Array;
}

interface WavFormat {
  readonly tag: number;
  readonly channels: number;
  readonly sampleRateHz: number;
  readonly bitsPerSample: number;
}

interface Chunk {
  readonly at: number;
  readonly bytes: number;
}

// Format tags of RFC 2361 and of Microsoft's WAVEFORMATEXTENSIBLE.
const PCM = 1;
const ALAW = 6;
const MULAW = 7;
const EXTENSIBLE = 0xfffe;

const RIFF_HEADER_BYTES = 12;
const CHUNK_HEADER_BYTES = 8;
const FMT_BYTES_MIN = 16;
const SUBFORMAT_AT = 24;
const HEADER_BYTES = 44;
const MULAW_HEADER_BYTES = 58;
const SAMPLE_RATE_HZ_MAX = 192_000;
// A writer that cannot seek back leaves the length open: ffmpeg writes 2^32 - 1, sox close to 2^31.
const OPEN_LENGTH_MIN = 0x7fff_0000;

/** Reads RIFF/WAVE: 16-bit PCM, A-law or µ-law, mono or stereo. Anything else is refused by name. */
export function readWav(file: Uint8Array): WavAudio | Refusal {
  if (tagAt(file, 0) !== 'RIFF' || tagAt(file, 8) !== 'WAVE') return malformed('it has no RIFF/WAVE header');
  const fmt = findChunk(file, 'fmt ');
  if (fmt === undefined || fmt.bytes < FMT_BYTES_MIN) return malformed('it has no whole fmt chunk');
  const data = findChunk(file, 'data');
  if (data === undefined) return malformed('it has no whole data chunk');
  const format = readFormat(file, fmt);
  return refusalOf(format) ?? { sampleRateHz: format.sampleRateHz, samples: readSamples(file, data, format) };
}

/** The 44 bytes before 16-bit PCM. */
export function wavHeader(sampleRateHz: number, channels: number, dataBytes: number): Uint8Array {
  const header = Buffer.alloc(HEADER_BYTES);
  header.write('RIFF', 0, 'latin1');
  header.writeUInt32LE(HEADER_BYTES - CHUNK_HEADER_BYTES + dataBytes, 4);
  header.write('WAVEfmt ', 8, 'latin1');
  header.writeUInt32LE(FMT_BYTES_MIN, 16);
  header.writeUInt16LE(PCM, 20);
  header.writeUInt16LE(channels, 22);
  header.writeUInt32LE(sampleRateHz, 24);
  header.writeUInt32LE(sampleRateHz * channels * 2, 28);
  header.writeUInt16LE(channels * 2, 32);
  header.writeUInt16LE(16, 34);
  header.write('data', 36, 'latin1');
  header.writeUInt32LE(dataBytes, 40);
  return header;
}

/** The 58 bytes before µ-law: what is not PCM says how many samples there are (RFC 2361; `fact`). */
export function mulawWavHeader(sampleRateHz: number, channels: number, dataBytes: number): Uint8Array {
  const header = Buffer.alloc(MULAW_HEADER_BYTES);
  header.write('RIFF', 0, 'latin1');
  header.writeUInt32LE(MULAW_HEADER_BYTES - CHUNK_HEADER_BYTES + dataBytes, 4);
  header.write('WAVEfmt ', 8, 'latin1');
  header.writeUInt32LE(FMT_BYTES_MIN + 2, 16);
  header.writeUInt16LE(MULAW, 20);
  header.writeUInt16LE(channels, 22);
  header.writeUInt32LE(sampleRateHz, 24);
  header.writeUInt32LE(sampleRateHz * channels, 28);
  header.writeUInt16LE(channels, 32);
  header.writeUInt16LE(8, 34);
  header.write('fact', 38, 'latin1');
  header.writeUInt32LE(4, 42);
  header.writeUInt32LE(dataBytes / channels, 46);
  header.write('data', 50, 'latin1');
  header.writeUInt32LE(dataBytes, 54);
  return header;
}

/** A whole mono file of 16-bit PCM. */
export function writeWav(samples: Int16Array, sampleRateHz: number): Uint8Array {
  const file = new Uint8Array(HEADER_BYTES + 2 * samples.length);
  file.set(wavHeader(sampleRateHz, 1, 2 * samples.length));
  encodeL16LittleInto(samples, file.subarray(HEADER_BYTES));
  return file;
}

function findChunk(file: Uint8Array, wanted: string): Chunk | undefined {
  let at = RIFF_HEADER_BYTES;
  while (at + CHUNK_HEADER_BYTES <= file.length) {
    const name = tagAt(file, at);
    const bytes = uint32At(file, at + 4);
    at += CHUNK_HEADER_BYTES;
    if (name === 'data' && bytes >= OPEN_LENGTH_MIN && at + bytes > file.length) {
      return name === wanted ? { at, bytes: file.length - at } : undefined;
    }
    if (name === wanted) return at + bytes <= file.length ? { at, bytes } : undefined;
    // Chunks begin at even places.
    at += bytes + (bytes & 1);
  }
  return undefined;
}

function readFormat(file: Uint8Array, { at, bytes }: Chunk): WavFormat {
  const tag = uint16At(file, at);
  const isExtended = tag === EXTENSIBLE && bytes >= SUBFORMAT_AT + 2;
  return {
    tag: isExtended ? uint16At(file, at + SUBFORMAT_AT) : tag,
    channels: uint16At(file, at + 2),
    sampleRateHz: uint32At(file, at + 4),
    bitsPerSample: uint16At(file, at + 14),
  };
}

function refusalOf({ tag, channels, sampleRateHz, bitsPerSample }: WavFormat): Refusal | undefined {
  if (tag !== PCM && tag !== ALAW && tag !== MULAW) return unsupported(`format tag ${tag}`);
  if (bitsPerSample !== (tag === PCM ? 16 : 8)) return unsupported(`${bitsPerSample} bits per sample`);
  if (channels !== 1 && channels !== 2) return unsupported(`${channels} channels`);
  if (sampleRateHz === 0 || sampleRateHz > SAMPLE_RATE_HZ_MAX) return unsupported(`${sampleRateHz} Hz`);
  return undefined;
}

function readSamples(file: Uint8Array, { at, bytes }: Chunk, { tag, channels }: WavFormat): Int16Array {
  const source = file.subarray(at, at + bytes);
  const samples = new Int16Array(tag === PCM ? bytes >> 1 : bytes);
  if (tag === PCM) decodeL16LittleInto(source, bytes, samples);
  else if (tag === ALAW) decodeAlawInto(source, bytes, samples);
  else decodeMulawInto(source, bytes, samples);
  return channels === 1 ? samples : mixToMono(samples);
}

function mixToMono(stereo: Int16Array): Int16Array {
  return Int16Array.from(
    { length: stereo.length >> 1 },
    (_, i) => (stereo[2 * i]! + stereo[2 * i + 1]!) >> 1,
  );
}

function tagAt(file: Uint8Array, at: number): string {
  return String.fromCharCode(...file.subarray(at, at + 4));
}

function uint16At(file: Uint8Array, at: number): number {
  return file[at]! | (file[at + 1]! << 8);
}

function uint32At(file: Uint8Array, at: number): number {
  return (uint16At(file, at) | (uint16At(file, at + 2) << 16)) >>> 0;
}

function malformed(what: string): Refusal {
  return refuse('invalid_argument', `not a readable WAV file: ${what}`);
}

function unsupported(what: string): Refusal {
  return refuse('unsupported_format', `a WAV file with ${what}; 16-bit PCM, A-law and µ-law are read`);
}
