import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OggOpusWriter } from '../../../../src/media/containers/ogg-opus-writer.ts';
import { PacketDemuxer } from '../../../../src/media/containers/demuxer.ts';
import { readWav } from '../../../../src/media/wav.ts';

/** What opusenc makes of a WAV file, or of raw samples: packets, and what a player drops at the start. */
export function opusenc(file: Uint8Array, ...flags: string[]) {
  const stream = inFolder('in.wav', file, 'out.opus', (input, output) =>
    execFileSync('opusenc', ['--quiet', ...flags, input, output]),
  );
  const packets: Uint8Array[] = [];
  const demuxer = new PacketDemuxer('ogg', (packet) => packets.push(packet));
  const refusal = demuxer.push(stream);
  if (refusal !== undefined) throw new Error(refusal.detail);
  return { packets, stream, preSkipSamples: demuxer.preSkipSamples };
}

/** An Ogg Opus file of packets of 20 ms. */
export function oggOf(packets: readonly Uint8Array[], inputSampleRateHz: number): Uint8Array {
  const writer = new OggOpusWriter({ serial: 7, inputSampleRateHz });
  const pages = [writer.begin()];
  for (const packet of packets) {
    const page = writer.write(packet, packet.length, 20);
    if (page !== undefined) pages.push(page);
  }
  return Buffer.concat([...pages, writer.end()]);
}

/** What opusdec hears in a file, at the rate wanted. `--packet-loss` and the like go in `flags`. */
export function opusdec(stream: Uint8Array, sampleRateHz: number, ...flags: string[]): Int16Array {
  const wav = inFolder('in.opus', stream, 'out.wav', (input, output) =>
    execFileSync('opusdec', ['--quiet', '--no-dither', '--rate', `${sampleRateHz}`, ...flags, input, output]),
  );
  const heard = readWav(wav);
  if (!('samples' in heard)) throw new Error(heard.detail);
  return heard.samples;
}

function inFolder(
  inputName: string,
  bytes: Uint8Array,
  outputName: string,
  run: (input: string, output: string) => unknown,
): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), 'opus-tools-'));
  try {
    writeFileSync(join(folder, inputName), bytes);
    run(join(folder, inputName), join(folder, outputName));
    return readFileSync(join(folder, outputName));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
