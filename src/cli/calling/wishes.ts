import { FRAME_MS } from '../../base/units.ts';
import { messageOf, VoiceError } from '../../base/errors.ts';
import type { Dialect } from '../../dialect/dialect.ts';
import { dialectOf, DIALECTS } from '../../dialect/registry.ts';
import { isSupported } from '../../media/codecs.ts';
import { formatName, type AudioFormat } from '../../media/format.ts';
import type { OptionValues } from '../../dialect/capabilities.ts';
import type { ImpairmentWish } from './impairments.ts';
import { readTerms, type LineTerms, type TermFlags } from './line-terms.ts';

/** The flags of `omnivoice call`, each already a number where it is one. */
export interface CallFlags extends TermFlags {
  readonly as: string;
  readonly agent?: string;
  readonly from: string;
  readonly to: string;
  readonly count: number;
  readonly rate: number;
  readonly hangupAfter?: number;
  readonly duration?: number;
  readonly repeat?: boolean;
  readonly offset?: number | true;
  readonly dtmf?: string;
  readonly record?: string;
  readonly codec?: string;
  readonly sampleRate?: number;
  readonly channels?: number;
  readonly loss?: number;
  readonly jitter?: number;
  readonly reorder?: number;
  readonly drift?: number;
  readonly seed?: number;
  /** `host:port` of AudioSocket. */
  readonly audiosocket?: string;
  readonly credential?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** What somebody wants to be called, checked as a whole. */
export interface CallWishes {
  readonly dialect: Dialect;
  readonly format: AudioFormat;
  /** What comes back. */
  readonly heardFormat: AudioFormat;
  readonly terms: LineTerms;
  readonly agentId: string | null;
  readonly expectsEcho: boolean;
  readonly from: string;
  readonly to: string;
  readonly files: readonly string[];
  readonly count: number;
  readonly ratePerS: number;
  readonly repeat: boolean;
  /** The call is hung up after so many frames at the latest. */
  readonly framesMax: number;
  /** Milliseconds into the sound by which each caller begins after the one before; `spread`: evenly. */
  readonly offset: number | 'spread';
  readonly digits: string;
  readonly recordTo: string | null;
  readonly impairment: ImpairmentWish | null;
  readonly seed: number | null;
  readonly credentialUrl: string | null;
  readonly audioSocket: string | null;
}

/** The wishes of a command line; what does not go together is said in one sentence. */
export function readWishes(files: readonly string[], flags: CallFlags): CallWishes {
  const dialect = dialectOf(flags.as);
  if (dialect === undefined) {
    throw wrong(`--as ${flags.as}: known are ${DIALECTS.map(({ name }) => name).join(', ')}`);
  }
  const digits = (flags.dtmf ?? '').toUpperCase();
  if (!/^[0-9A-D*#]*$/.test(digits)) throw wrong('--dtmf takes the keys 0–9, *, #, A–D');
  if (flags.duration !== undefined && flags.hangupAfter !== undefined) {
    throw wrong('--duration and --hangup-after both say when the call ends: give one');
  }
  const credentialUrl = flags.credential ?? null;
  const terms = readTerms(flags, dialect);
  const format = formatOf(flags, dialect, terms.options);
  return {
    dialect,
    format,
    heardFormat: heardFormatOf(format, dialect, terms.options),
    terms,
    agentId: flags.agent ?? (credentialUrl === null ? 'echo' : null),
    expectsEcho: (flags.agent ?? (credentialUrl === null ? 'echo' : '')) === 'echo',
    from: flags.from,
    to: flags.to,
    files,
    count: flags.count,
    ratePerS: flags.rate,
    repeat: flags.repeat === true || flags.duration !== undefined,
    framesMax: framesMaxOf(flags),
    offset: flags.offset === true ? 'spread' : (flags.offset ?? 0),
    digits,
    recordTo: flags.record ?? null,
    impairment: impairmentOf(flags, dialect),
    seed: flags.seed ?? null,
    credentialUrl,
    audioSocket: audioSocketOf(flags, dialect),
  };
}

/** `out.wav` for one call, `out-1.wav` and so on for many. */
export function recordFileOf(file: string, index: number, count: number): string {
  if (count === 1) return file;
  const number = String(index + 1).padStart(String(count).length, '0');
  return file.replace(/(\.[^./\\]+)?$/, (extension) => `-${number}${extension}`);
}

/** One of the formats the provider has, in the byte order of its wire; mono where nothing else is said. */
function formatOf(flags: CallFlags, dialect: Dialect, options: OptionValues): AudioFormat {
  const codec = flags.codec ?? usualCodecOf(dialect);
  const ofCodec = dialect.formats.filter((format) => format.codec === codec);
  const format = ofCodec.find(
    ({ sampleRateHz }) => flags.sampleRate === undefined || sampleRateHz === flags.sampleRate,
  );
  if (format === undefined) {
    const rate = flags.sampleRate === undefined ? '' : ` at ${flags.sampleRate} Hz`;
    const known = dialect.formats.map(formatName).join(', ');
    throw wrong(`--codec and --sample-rate: ${dialect.name} has no ${codec}${rate}; it has ${known}`);
  }
  const order = options['l16_byte_order'];
  const ordered = order === undefined ? format : { ...format, littleEndian: order === 'little' };
  return flags.channels === 2 ? { ...ordered, channels: 2 } : ordered;
}

/** Telephone audio where the provider has it, else what it has first. */
function usualCodecOf({ formats }: Dialect): string {
  return formats.some(({ codec }) => codec === 'pcmu') ? 'pcmu' : (formats[0]?.codec ?? 'pcmu');
}

// What a dialect can speak, and hears then, it says when a caller is opened.
function heardFormatOf(format: AudioFormat, dialect: Dialect, options: OptionValues): AudioFormat {
  const nobody = { from: null, to: null, parameters: {}, streamId: '', callId: '' };
  let heard: AudioFormat | undefined;
  try {
    heard = dialect.openCaller({ ...nobody, options, nowMs: 0, format, rtpHeaders: false }).heardFormat;
  } catch (error) {
    throw wrong(`--codec and --sample-rate: ${messageOf(error)}`);
  }
  if (format.channels === 2 && heard === undefined) {
    throw wrong(`--channels 2: ${dialect.name} sends one channel`);
  }
  for (const one of [format, heard ?? format]) {
    if (!isSupported(one)) throw wrong(`no codec for ${formatName(one)}`);
  }
  return heard ?? format;
}

function audioSocketOf({ audiosocket, credential }: CallFlags, { name }: Dialect): string | null {
  if (name !== 'audiosocket') {
    if (audiosocket === undefined) return null;
    throw wrong('--audiosocket goes with --as audiosocket');
  }
  if (credential !== undefined) throw wrong('AudioSocket has no URL: leave --credential out');
  if (audiosocket === undefined) throw wrong('--as audiosocket needs --audiosocket host:port');
  if (!URL.canParse(`tcp://${audiosocket}`)) throw wrong('--audiosocket is host:port');
  return audiosocket;
}

function framesMaxOf({ duration, hangupAfter }: CallFlags): number {
  const endMs = duration === undefined ? hangupAfter : duration * 1000;
  return endMs === undefined ? Number.POSITIVE_INFINITY : Math.max(1, Math.round(endMs / FRAME_MS));
}

function impairmentOf(flags: CallFlags, dialect: Dialect): ImpairmentWish | null {
  const { loss, jitter, reorder, drift } = flags;
  const named = Object.entries({ loss, jitter, reorder, drift }).find(([, value]) => value !== undefined);
  if (named === undefined) return null;
  if (!dialect.capabilities.sequenced) {
    const lack = `needs audio that carries sequence numbers, and ${dialect.name} has none`;
    throw wrong(`--${named[0]} ${lack}: use --as native`);
  }
  return {
    lossPercent: loss ?? 0,
    jitterMs: jitter ?? 0,
    reorderPercent: reorder ?? 0,
    driftPpm: drift ?? 0,
  };
}

function wrong(sentence: string): VoiceError {
  return new VoiceError('invalid_argument', sentence);
}
