import { VoiceError } from '../../../base/errors.ts';

/** Rates libopus works at; a stream has none of its own (RFC 6716 §2). */
export const OPUS_SAMPLE_RATES_HZ: readonly number[] = [8000, 12_000, 16_000, 24_000, 48_000];

/** How speech is encoded. */
export interface OpusSettings {
  /** 0 is the cheapest, 10 the best. */
  readonly complexity: number;
  readonly bitRateBps: number;
  /** Each packet carries a coarse copy of the one before, where `lossPercent` is above 0. */
  readonly fec: boolean;
  /** How much loss the encoder prepares for. */
  readonly lossPercent: number;
  /** Silence is sent as packets of at most `DTX_BYTES_MAX`. */
  readonly dtx: boolean;
  /** Absent: native where it installed. */
  readonly encoder?: 'native' | 'wasm';
}

export const OPUS_DEFAULTS: OpusSettings = {
  complexity: 5,
  bitRateBps: 24_000,
  fec: false,
  lossPercent: 0,
  dtx: false,
};

const RANGES = { complexity: [0, 10], bitRateBps: [6000, 510_000], lossPercent: [0, 100] } as const;

// opus_defines.h; both implementations are told by number.
const APPLICATION_VOIP = 2048;
const SET_APPLICATION = 4000;
const SET_BITRATE = 4002;
const SET_COMPLEXITY = 4010;
const SET_INBAND_FEC = 4012;
const SET_PACKET_LOSS_PERCENT = 4014;
const SET_DTX = 4016;

/** What an encoder is told, in order: the application must be first. Throws for what is out of range. */
export function encoderControls(
  settings: OpusSettings,
): readonly (readonly [request: number, value: number])[] {
  for (const name of ['complexity', 'bitRateBps', 'lossPercent'] as const) {
    const [min, max] = RANGES[name];
    const value = settings[name];
    if (Number.isInteger(value) && value >= min && value <= max) continue;
    const sentence = `Opus ${name} is a whole number from ${min} to ${max}, not ${value}`;
    throw new VoiceError('invalid_argument', sentence, { field: name });
  }
  return [
    [SET_APPLICATION, APPLICATION_VOIP],
    [SET_BITRATE, settings.bitRateBps],
    [SET_COMPLEXITY, settings.complexity],
    [SET_INBAND_FEC, settings.fec ? 1 : 0],
    [SET_PACKET_LOSS_PERCENT, settings.lossPercent],
    [SET_DTX, settings.dtx ? 1 : 0],
  ];
}
