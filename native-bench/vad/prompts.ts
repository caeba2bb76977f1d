import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readWav } from '../../src/media/wav.ts';
import { seedOf } from './dice.ts';
import { activeRms, ACTIVE_DBFS } from './labels.ts';
import { FULL_SCALE, ratioOf, scale } from './levels.ts';

export type Half = 'tuning' | 'scoring';
export type RateHz = 8000 | 16_000;

/** One recorded sentence, its active level at `ACTIVE_DBFS`. */
export interface Prompt {
  readonly name: string;
  readonly samples: Float32Array;
}

/** Where the packages put the recordings. */
export const VOICES = [
  { voice: 'en', folder: 'en_US_f_Allison' },
  { voice: 'fr', folder: 'fr_CA_f_June' },
  { voice: 'es', folder: 'es_MX_f_Allison' },
  { voice: 'it', folder: 'it_IT_m_Carlo' },
  { voice: 'ru', folder: 'ru_RU_f_IvrvoiceRU' },
  // Recorded at 8 kHz only, kept as GSM: more voices to tune with.
  { voice: 'fr, other', folder: 'fr' },
  { voice: 'es, other', folder: 'es' },
  // A voice that no tuning has heard; recorded at 8 kHz only.
  { voice: 'unheard', folder: 'it_IT_f_Menardi' },
] as const;

/** Who speaks in a half, at a rate. */
export function voicesOf(half: Half, rateHz: RateHz): Voice[] {
  return VOICES.map(({ voice }) => voice).filter((voice) => {
    if (voice === 'unheard') return half === 'scoring' && rateHz === 8000;
    return !voice.endsWith('other') || (half === 'tuning' && rateHz === 8000);
  });
}

export type Voice = (typeof VOICES)[number]['voice'];

const SOUNDS = '/usr/share/asterisk/sounds';
const MUSIC = '/usr/share/asterisk/moh';
const GAME_MUSIC = '/usr/share/games/etr/music';
const PIECE_S_MAX = 180;
const PACKAGES = [
  ...['en', 'fr', 'es', 'it', 'ru'].flatMap((voice) => [
    `asterisk-core-sounds-${voice}-wav`,
    `asterisk-core-sounds-${voice}-g722`,
  ]),
  'asterisk-prompt-fr-armelle',
  'asterisk-prompt-es-co',
  'asterisk-prompt-it-menardi-wav',
  'asterisk-moh-opsound-wav',
  'asterisk-moh-opsound-g722',
  'extremetuxracer-data',
  'ffmpeg',
];
/** Beeps, a choir and monkeys. */
const NOT_SPEECH = /(^|\/)(beep|beeperr|.*-2tone|tt-monkeys|confbridge-(join|leave)|.*glorious.*|silence.*)$/;
const DURATION_S_MIN = 0.4;
const DURATION_S_MAX = 12;

/** All recordings of a voice in one half. A prompt is in the same half in every language. */
export function readPrompts(voice: Voice, half: Half, rateHz: RateHz): Prompt[] {
  const { folder } = VOICES.find((candidate) => candidate.voice === voice)!;
  const prompts = readFolder(join(SOUNDS, folder), rateHz).filter(
    ({ name, samples }) =>
      !NOT_SPEECH.test(name) &&
      halfOf(name) === half &&
      samples.length >= DURATION_S_MIN * rateHz &&
      samples.length <= DURATION_S_MAX * rateHz,
  );
  for (const { samples } of prompts) {
    scale(samples, ratioOf(ACTIVE_DBFS) / activeRms(samples, rateHz / 100));
  }
  return prompts;
}

/** Five pieces of hold music, two of them for tuning; music of a game is for tuning only. */
export function readMusic(half: Half, rateHz: RateHz): Prompt[] {
  const pieces = readFolder(MUSIC, rateHz);
  if (half === 'scoring') return pieces.filter((_, index) => index % 2 === 0);
  return [...pieces.filter((_, index) => index % 2 === 1), ...readGameMusic(rateHz)];
}

function readGameMusic(rateHz: RateHz): Prompt[] {
  const names = namesIn(GAME_MUSIC, '.ogg');
  return names.map((name) => {
    const most = ['-t', String(PIECE_S_MAX), '-ac', '1', '-ar', String(rateHz)];
    const pcm = ffmpeg(['-i', join(GAME_MUSIC, name), ...most, '-f', 's16le', '-']);
    return { name, samples: samplesOf(pcm, 0, pcm.length >> 1) };
  });
}

function halfOf(name: string): Half {
  return seedOf('half', name) % 2 === 0 ? 'tuning' : 'scoring';
}

function readFolder(folder: string, rateHz: RateHz): Prompt[] {
  const extension = existsSync(folder) && isGsm(folder) ? '.gsm' : rateHz === 8000 ? '.wav' : '.g722';
  const names = namesIn(folder, extension);
  const files = names.map((name) => readFileSync(join(folder, name)));
  const sounds =
    extension === '.wav' ? files.map(readPcm) : decodeAll(files, extension === '.g722' ? G722 : GSM);
  return sounds.map((samples, index) => ({ name: names[index]!.slice(0, -extension.length), samples }));
}

function namesIn(folder: string, extension: string): string[] {
  if (!existsSync(folder)) {
    throw new Error(`${folder} is missing: apt-get install -y --no-install-recommends ${PACKAGES.join(' ')}`);
  }
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(extension))
    .toSorted();
}

function readPcm(file: Uint8Array): Float32Array {
  const wav = readWav(file);
  if (!('samples' in wav)) throw new Error(wav.detail);
  return Float32Array.from(wav.samples, (sample) => sample / FULL_SCALE);
}

// G.722 at 64 kbit/s makes two samples of every byte, GSM full rate 160 of 33 bytes.
const G722 = { name: 'g722', blockBytes: 1, blockSamples: 2 };
const GSM = { name: 'gsm', blockBytes: 33, blockSamples: 160 };

function isGsm(folder: string): boolean {
  return readdirSync(folder).some((name) => name.endsWith('.gsm'));
}

/** All files in one go. */
function decodeAll(
  files: readonly Uint8Array[],
  { name, blockBytes, blockSamples }: typeof G722,
): Float32Array[] {
  const blocks = files.map((file) => Math.floor(file.length / blockBytes));
  const whole = files.map((file, index) => file.subarray(0, blocks[index]! * blockBytes));
  const pcm = ffmpeg(['-f', name, '-i', '-', '-f', 's16le', '-'], Buffer.concat(whole));
  let at = 0;
  return blocks.map((count) => {
    const sound = samplesOf(pcm, at, count * blockSamples);
    at += count * blockSamples;
    return sound;
  });
}

function ffmpeg(args: readonly string[], input?: Uint8Array): Buffer {
  const options = { maxBuffer: 2 ** 30, ...(input === undefined ? {} : { input }) };
  return execFileSync('ffmpeg', ['-v', 'error', ...args], options);
}

/** Samples of 16 bits; what the decoder kept to itself at the end is silence. */
function samplesOf(pcm: Buffer, from: number, count: number): Float32Array {
  const out = new Float32Array(count);
  const there = Math.min(count, (pcm.length >> 1) - from);
  for (let i = 0; i < there; i++) out[i] = pcm.readInt16LE(2 * (from + i)) / FULL_SCALE;
  return out;
}
