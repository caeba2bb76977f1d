import type { Command } from 'commander';
import { VoiceError } from '../base/errors.ts';
import { isSupported } from '../media/codecs.ts';
import { loadOpus } from '../media/codecs/opus/opus.ts';
import type { AudioFormat, CodecName } from '../media/format.ts';
import { loadDetectors } from '../media/voice/detectors.ts';
import { analyse, type AnalysisResult } from './analysing/analysis.ts';
import { openRecording } from './analysing/open-file.ts';
import { PlayedFile } from './analysing/played-file.ts';
import { addTuningFlags, settingsOf, type TuningFlags } from './analysing/tuning.ts';
import { wholeIn } from './number-flags.ts';
import { textTable } from './text-table.ts';

const CODECS: readonly CodecName[] = ['pcmu', 'pcma', 'l16', 'g722', 'opus'];
const BYTES_MAX = 1_000_000;

const EXAMPLES = `
Examples:
  $ omnivoice analyse call.wav
  $ omnivoice analyse call.rtp --codec opus --out played.wav --json
  $ omnivoice analyse call.ul --vad-aggressiveness 3 --vad-stop-ms 500 --frames --json

Exit code 0: it was heard to its end; 1: it cannot be read; 2: wrong usage.`;

/** `omnivoice analyse`: what the runtime would have reported of a recording. */
export function register(program: Command): void {
  const command = program
    .command('analyse')
    .description('Runs a recording or an RTP capture through the runtime’s own ears at virtual speed.')
    .argument('<file>', 'WAV, raw .ul or .al, a capture of rtpdump, or whatever FFmpeg reads')
    .option('--json', 'everything as one JSON object')
    .option('--frames', 'the detector’s raw decision, a digit for every 20 ms')
    .option('--out <file>', 'write what would have been played, as WAV')
    .option('--codec <name>', `of dynamic payload types in a capture: ${CODECS.join(', ')}`)
    .option('--sample-rate <hz>', 'of --codec (default: 48000 of opus, else 8000)', wholeIn(8000, 48_000))
    .option('--message-bytes <n>', 'how a file is cut into messages (default: 20 ms)', wholeIn(1, BYTES_MAX));
  addTuningFlags(command)
    .addHelpText('after', EXAMPLES)
    .action(async (file: string, flags: TuningFlags) => {
      const result = await analyseFile(file, flags);
      process.stdout.write(flags['json'] === true ? jsonOf(result, flags) : textOf(result, flags));
    });
}

async function analyseFile(file: string, flags: TuningFlags): Promise<AnalysisResult> {
  const settings = settingsOf(flags);
  const { detector } = settings.voice;
  const modelFile = flags['vadModel'];
  const [detectors] = await Promise.all([
    loadDetectors({
      isNeuralNeeded: detector === 'neural',
      modelFile: typeof modelFile === 'string' ? modelFile : undefined,
    }),
    loadOpus(),
  ]);
  const messageBytes = flags['messageBytes'];
  const recording = await openRecording(file, {
    dynamic: dynamicOf(flags),
    messageBytes: typeof messageBytes === 'number' ? messageBytes : undefined,
  });
  const { out } = flags;
  const played =
    typeof out === 'string'
      ? { openPlayed: (rateHz: number, samples: number) => new PlayedFile(out, rateHz, samples) }
      : {};
  return analyse({ recording, detectors, settings, ...played });
}

function dynamicOf(flags: TuningFlags): AudioFormat | undefined {
  const { codec: name, sampleRate } = flags;
  if (name === undefined) return undefined;
  const codec = CODECS.find((known) => known === name);
  if (codec === undefined) {
    throw new VoiceError('invalid_argument', `--codec is one of ${CODECS.join(', ')}`, { field: 'codec' });
  }
  const usualHz = codec === 'opus' ? 48_000 : 8000;
  // On RTP the high byte of L16 comes first (RFC 3551 §4.5.11).
  const sampleRateHz = typeof sampleRate === 'number' ? sampleRate : usualHz;
  const format: AudioFormat = { codec, sampleRateHz, littleEndian: false };
  if (isSupported(format)) return format;
  throw new VoiceError('invalid_argument', `no ${codec} at ${sampleRateHz} Hz`, { field: 'sample-rate' });
}

function jsonOf({ events, stats, frames }: AnalysisResult, flags: TuningFlags): string {
  return `${JSON.stringify({ events, stats, ...(flags['frames'] === true && { frames }) })}\n`;
}

function textOf({ events, stats, frames }: AnalysisResult, flags: TuningFlags): string {
  const rows = events.map(({ type, at_ms, ...rest }) => [
    (Number(at_ms) / 1000).toFixed(2),
    String(type),
    Object.entries(rest)
      .map(([name, value]) => `${name} ${String(value)}`)
      .join(', '),
  ]);
  const heard = rows.length === 0 ? 'nothing was heard\n' : textTable(['AT S', 'EVENT', 'WHAT'], rows);
  const raw = flags['frames'] === true ? `\n${frames}\n` : '';
  return `${heard}\n${JSON.stringify(stats, undefined, 2)}\n${raw}`;
}
