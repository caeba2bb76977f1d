import { FRAME_MS } from '../../base/units.ts';
import { messageOf, VoiceError } from '../../base/errors.ts';
import type { Dialect } from '../../dialect/dialect.ts';
import { dialectOf, DIALECTS } from '../../dialect/registry.ts';
import { isSupported } from '../../media/codecs.ts';
import type { AudioFormat, CodecName } from '../../media/format.ts';
import type { ImpairmentWish } from './impairments.ts';

/** The flags of `omnivoice call`, each already a number where it is one. */
export interface CallFlags {
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
  readonly loss?: number;
  readonly jitter?: number;
  readonly reorder?: number;
  readonly drift?: number;
  readonly seed?: number;
  readonly credential?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** What somebody wants to be called, checked as a whole. */
export interface CallWishes {
  readonly dialect: Dialect;
  readonly format: AudioFormat;
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
}

const CODECS: readonly string[] = ['pcmu', 'pcma', 'l16'] satisfies readonly CodecName[];

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
  return {
    dialect,
    format: formatOf(flags, dialect),
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
  };
}

/** `out.wav` for one call, `out-1.wav` and so on for many. */
export function recordFileOf(file: string, index: number, count: number): string {
  if (count === 1) return file;
  const number = String(index + 1).padStart(String(count).length, '0');
  return file.replace(/(\.[^./\\]+)?$/, (extension) => `-${number}${extension}`);
}

function formatOf({ codec, sampleRate }: CallFlags, dialect: Dialect): AudioFormat {
  const name = codec ?? usualCodecOf(dialect);
  if (!CODECS.includes(name)) throw wrong(`--codec ${name}: known are ${CODECS.join(', ')}`);
  const format = { codec: name as CodecName, sampleRateHz: sampleRate ?? 8000, littleEndian: true };
  const isG711 = format.codec !== 'l16';
  if (!isSupported(format) || (isG711 && format.sampleRateHz !== 8000)) {
    throw wrong(`no ${name} at ${format.sampleRateHz} Hz: pcmu and pcma have 8000, l16 has 8000 and 16000`);
  }
  requireSpoken(format, dialect);
  return format;
}

/** Telephone audio where the provider has it, else what it has first. */
function usualCodecOf({ formats }: Dialect): string {
  return formats.some(({ codec }) => codec === 'pcmu') ? 'pcmu' : (formats[0]?.codec ?? 'pcmu');
}

// What a dialect can speak it says when a caller is opened.
function requireSpoken(format: AudioFormat, dialect: Dialect): void {
  const nobody = { from: null, to: null, parameters: {}, options: {}, streamId: '', callId: '' };
  try {
    dialect.openCaller({ ...nobody, nowMs: 0, format, rtpHeaders: false });
  } catch (error) {
    throw wrong(`--codec and --sample-rate: ${messageOf(error)}`);
  }
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
