import prism from 'prism-media';
import type { Clock } from '../base/clock.ts';
import { messageOf, VoiceError } from '../base/errors.ts';
import { decodeL16LittleInto } from '../media/codecs/l16.ts';

export interface TranscodeLimits {
  /** Sound beyond this is cut off. */
  readonly durationMsMax: number;
  /** A file that takes longer is given up. */
  readonly timeoutMs: number;
}

// Node cannot tell the names of this CommonJS module apart; vitest can, and would let them pass.
const { FFmpeg } = prism;

/** FFmpeg as it is installed, for the log of a start; undefined where it is not. Runs it once, and waits. */
export function findFfmpeg(): string | undefined {
  try {
    return FFmpeg.getInfo().version;
  } catch {
    // Not installed is an answer: files other than WAV are then refused.
    return undefined;
  }
}

/**
 * The sound of a file of any kind FFmpeg reads, as mono samples at the rate wanted. The file goes in by a
 * pipe and FFmpeg may open nothing else: a playlist that names other files or hosts finds none.
 */
export function transcode(
  file: Uint8Array,
  sampleRateHz: number,
  { durationMsMax, timeoutMs, clock }: TranscodeLimits & { readonly clock: Pick<Clock, 'after'> },
): Promise<Int16Array> {
  const { promise, resolve, reject } = Promise.withResolvers<Int16Array>();
  if (findFfmpeg() === undefined) throw new VoiceError('failed_precondition', 'FFmpeg is not installed');
  const ffmpeg = new FFmpeg({ args: argumentsOf(sampleRateHz, durationMsMax) });
  const { stdin, stdout, stderr } = ffmpeg.process;
  const bytesMax = 2 * Math.ceil((durationMsMax * sampleRateHz) / 1000);
  const chunks: Buffer[] = [];
  let bytes = 0;
  let complaint = '';
  const cancel = clock.after(timeoutMs, () => fail(`it took longer than ${timeoutMs} ms`));
  const fail = (detail: string): void => {
    ffmpeg.destroy();
    reject(new VoiceError('unsupported_format', `no sound can be read from the file: ${detail}`));
  };
  stderr?.on('data', (text: Buffer) => {
    complaint = (complaint + text.toString()).slice(-400);
  });
  stdout?.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    // `-t` keeps it below; an FFmpeg that does not is stopped.
    if (bytes > bytesMax) fail('it does not end');
    else chunks.push(chunk);
  });
  // FFmpeg may close its input before it has read all: what it has understood by then is what counts.
  stdin?.on('error', () => undefined);
  ffmpeg.process.once('error', (error) => fail(messageOf(error)));
  ffmpeg.process.once('close', (code) => {
    cancel();
    if (code !== 0 || bytes < 2) return fail(complaint.trim() || `FFmpeg ended with ${code}`);
    const samples = new Int16Array(bytes >> 1);
    decodeL16LittleInto(Buffer.concat(chunks), bytes, samples);
    resolve(samples);
  });
  stdin?.end(file);
  return promise;
}

function argumentsOf(sampleRateHz: number, durationMsMax: number): string[] {
  const input = ['-protocol_whitelist', 'pipe', '-loglevel', 'error', '-i', 'pipe:0'];
  const output = ['-vn', '-sn', '-dn', '-t', `${durationMsMax / 1000}`];
  return [...input, ...output, '-ac', '1', '-ar', `${sampleRateHz}`, '-f', 's16le'];
}
