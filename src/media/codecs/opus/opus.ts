import { createRequire } from 'node:module';
import { invariant, messageOf, VoiceError } from '../../../base/errors.ts';
import { frameSamples, msToSamples } from '../../../base/units.ts';
import type { Codec } from '../../codec.ts';
import { PACKET_MS_MAX } from '../byte-codec.ts';
import { OpusDecoder } from './decoder.ts';
import { FRAME_BYTES_MAX, NativeEncoder, type NativeOpus, type OpusEncoder, WasmEncoder } from './encoder.ts';
import { Libopus } from './libopus.ts';
import { OPUS_DEFAULTS, OPUS_SAMPLE_RATES_HZ, type OpusSettings } from './settings.ts';

/** Which implementations serve, for the log of a start. */
export interface OpusFacts {
  readonly decoder: 'wasm';
  readonly encoder: 'native' | 'wasm';
  /** Of the sandbox. */
  readonly version: string;
  /** Why the addon does not serve; null where it does. */
  readonly nativeFailure: string | null;
  /** Live: what is open in the sandbox. */
  readonly stats: Libopus['stats'];
}

interface Loaded {
  readonly libopus: Libopus;
  readonly native: NativeOpus | undefined;
  readonly facts: OpusFacts;
}

let loading: Promise<OpusFacts> | undefined;
let loaded: Loaded | undefined;

/** Loads both implementations, once per process: done at start, so that codecs open at once afterwards. */
export function loadOpus(): Promise<OpusFacts> {
  loading ??= load();
  return loading;
}

/** Whether `openOpus` can serve. */
export function isOpusLoaded(): boolean {
  return loaded !== undefined;
}

/** Opus of one direction. Decoder and encoder come to be when first asked: most codecs need one of them. */
export function openOpus(sampleRateHz: number, wanted: Partial<OpusSettings> = {}): Codec {
  invariant(loaded !== undefined, 'Opus is loaded before it is opened');
  if (!OPUS_SAMPLE_RATES_HZ.includes(sampleRateHz)) {
    throw new VoiceError('unsupported_format', `Opus has no ${sampleRateHz} Hz`, { field: 'format' });
  }
  return new Opus(loaded, sampleRateHz, { ...OPUS_DEFAULTS, ...wanted });
}

class Opus implements Codec {
  readonly sampleRateHz: number;
  readonly frameSamples: number;
  readonly frameBytes = 0;
  readonly packetSamplesMax: number;
  readonly packetBytesMax = FRAME_BYTES_MAX;
  readonly #loaded: Loaded;
  readonly #settings: OpusSettings;
  #decoder: OpusDecoder | undefined;
  #encoder: OpusEncoder | undefined;
  #isClosed = false;

  constructor(from: Loaded, sampleRateHz: number, settings: OpusSettings) {
    this.#loaded = from;
    this.#settings = settings;
    this.sampleRateHz = sampleRateHz;
    this.frameSamples = frameSamples(sampleRateHz);
    this.packetSamplesMax = msToSamples(PACKET_MS_MAX, sampleRateHz);
  }

  decodeInto(source: Uint8Array, sourceBytes: number, target: Int16Array): number {
    return (this.#decoder ?? this.#openDecoder()).decodeInto(source, sourceBytes, target);
  }

  encodeInto(source: Int16Array, target: Uint8Array): number {
    return (this.#encoder ?? this.#openEncoder()).encodeInto(source, target);
  }

  concealInto(target: Int16Array): number {
    return (this.#decoder ?? this.#openDecoder()).concealInto(target);
  }

  recoverInto(nextPacket: Uint8Array, nextPacketBytes: number, target: Int16Array): number {
    return (this.#decoder ?? this.#openDecoder()).recoverInto(nextPacket, nextPacketBytes, target);
  }

  close(): void {
    this.#isClosed = true;
    this.#decoder?.close();
    this.#encoder?.close();
  }

  #openDecoder(): OpusDecoder {
    invariant(!this.#isClosed, 'a closed Opus codec was asked');
    this.#decoder = new OpusDecoder(this.#loaded.libopus, this.sampleRateHz);
    return this.#decoder;
  }

  #openEncoder(): OpusEncoder {
    invariant(!this.#isClosed, 'a closed Opus codec was asked');
    const { libopus, native } = this.#loaded;
    const isNative = native !== undefined && this.#settings.encoder !== 'wasm';
    this.#encoder = isNative
      ? new NativeEncoder(native, this.sampleRateHz, this.#settings)
      : new WasmEncoder(libopus, this.sampleRateHz, this.#settings);
    return this.#encoder;
  }
}

async function load(): Promise<OpusFacts> {
  const libopus = await Libopus.load();
  let native: NativeOpus | undefined;
  let nativeFailure: string | null = null;
  try {
    native = createRequire(import.meta.url)('@discordjs/opus') as NativeOpus;
  } catch (error) {
    nativeFailure = messageOf(error);
  }
  const facts: OpusFacts = {
    decoder: 'wasm',
    encoder: native === undefined ? 'wasm' : 'native',
    version: libopus.version,
    nativeFailure,
    stats: libopus.stats,
  };
  loaded = { libopus, native, facts };
  return facts;
}
