import { execFile } from 'node:child_process';
import { readFile, stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import { hasCode, messageOf, VoiceError } from '../../base/errors.ts';
import { MIB } from '../../base/units.ts';
import { isSupported } from '../../media/codecs.ts';
import { encodeL16LittleInto } from '../../media/codecs/l16.ts';
import { l16, type AudioFormat } from '../../media/format.ts';
import { readWav } from '../../media/wav.ts';
import { rawFormatOf, streamOf, type Recording } from './recording.ts';
import { isRtpdump, readRtpdump } from './rtpdump.ts';

/** Five hours at 16 kHz. */
const FILE_BYTES_MAX = 600 * MIB;
const FFMPEG_HZ = 16_000;
const run = promisify(execFile);

export interface OpenOptions {
  /** What dynamic payload types of a capture carry. */
  readonly dynamic: AudioFormat | undefined;
  /** How sound without borders is cut into messages: 20 ms by default. */
  readonly messageBytes?: number | undefined;
}

/** Reads a WAV file, raw G.711, a capture of RTP, or whatever FFmpeg reads. */
export async function openRecording(file: string, options: OpenOptions): Promise<Recording> {
  const bytes = await contentOf(file);
  if (isRtpdump(bytes)) return readRtpdump(bytes, options.dynamic);
  const raw = rawFormatOf(file);
  if (raw !== undefined) return streamOf(raw, bytes, options.messageBytes);
  const wav = readWav(bytes);
  if ('samples' in wav && isSupported(l16(wav.sampleRateHz))) {
    return sound(wav.samples, wav.sampleRateHz, options);
  }
  const decoded = await throughFfmpeg(file, 'fault' in wav ? wav.detail : '');
  return streamOf(l16(FFMPEG_HZ), decoded, options.messageBytes);
}

async function contentOf(file: string): Promise<Uint8Array> {
  try {
    const { size, isDirectory } = await facts(file);
    if (isDirectory) throw new VoiceError('failed_precondition', `${file} is a directory`);
    if (size > FILE_BYTES_MAX) {
      throw new VoiceError('failed_precondition', `${file} has more than ${FILE_BYTES_MAX / MIB} MiB`);
    }
    if (size === 0) throw new VoiceError('unsupported_format', `${file} is empty`);
    return await readFile(file);
  } catch (error) {
    if (error instanceof VoiceError) throw error;
    throw new VoiceError('failed_precondition', `${file} cannot be read: ${messageOf(error)}`);
  }
}

async function facts(file: string): Promise<{ readonly size: number; readonly isDirectory: boolean }> {
  const found = await stat(file);
  return { size: found.size, isDirectory: found.isDirectory() };
}

function sound(samples: Int16Array, sampleRateHz: number, options: OpenOptions): Recording {
  const bytes = new Uint8Array(2 * samples.length);
  encodeL16LittleInto(samples, bytes);
  return streamOf(l16(sampleRateHz), bytes, options.messageBytes);
}

async function throughFfmpeg(file: string, why: string): Promise<Uint8Array> {
  const output = ['-vn', '-ac', '1', '-ar', `${FFMPEG_HZ}`, '-f', 's16le', 'pipe:1'];
  const args = ['-nostdin', '-loglevel', 'error', '-protocol_whitelist', 'file,pipe', '-i', `file:${file}`];
  try {
    const { stdout } = await run('ffmpeg', [...args, ...output], {
      encoding: 'buffer',
      maxBuffer: FILE_BYTES_MAX,
    });
    if (stdout.length >= 2) return stdout;
  } catch (error) {
    const isMissing = hasCode(error, 'ENOENT');
    const detail = isMissing ? `${why === '' ? 'its rate needs FFmpeg' : why}; FFmpeg is not installed` : '';
    throw unreadable(file, detail === '' ? lastLineOf(error) : detail);
  }
  throw unreadable(file, 'FFmpeg finds no sound in it');
}

function lastLineOf(error: unknown): string {
  const said = error instanceof Error && 'stderr' in error ? String(error.stderr) : messageOf(error);
  return said.trim().split('\n').at(-1) ?? 'FFmpeg failed';
}

function unreadable(file: string, why: string): VoiceError {
  return new VoiceError('unsupported_format', `no sound can be read from ${file}: ${why}`);
}
