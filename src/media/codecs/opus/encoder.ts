import { invariant, VoiceError } from '../../../base/errors.ts';
import { frameSamples } from '../../../base/units.ts';
import type { Libopus } from './libopus.ts';
import { encoderControls, type OpusSettings } from './settings.ts';

/** One frame of at most 20 ms (RFC 6716 §3.2.1). */
export const FRAME_BYTES_MAX = 1275;

/** Frames of 20 ms to packets. */
export interface OpusEncoder {
  encodeInto(source: Int16Array, target: Uint8Array): number;
  close(): void;
}

/** What `@discordjs/opus` gives, as much of it as is used. */
export interface NativeOpus {
  readonly OpusEncoder: new (sampleRateHz: number, channels: number) => NativeOpusEncoder;
}

interface NativeOpusEncoder {
  encode(pcm: Buffer): Buffer;
  applyEncoderCTL(request: number, value: number): void;
}

/**
 * libopus as a native addon. Its `encode` aborts the process when the buffer is not of a legal length, so it
 * only ever sees one buffer, made here: no foreign byte of a packet and no foreign size comes near it.
 */
export class NativeEncoder implements OpusEncoder {
  readonly #frame: Buffer;
  readonly #samples: Int16Array;
  #native: NativeOpusEncoder | undefined;

  constructor(native: NativeOpus, sampleRateHz: number, settings: OpusSettings) {
    this.#samples = new Int16Array(frameSamples(sampleRateHz));
    this.#frame = Buffer.from(this.#samples.buffer);
    const controls = encoderControls(settings);
    this.#native = new native.OpusEncoder(sampleRateHz, 1);
    for (const [request, value] of controls) this.#native.applyEncoderCTL(request, value);
  }

  encodeInto(source: Int16Array, target: Uint8Array): number {
    invariant(source.length === this.#samples.length, 'Opus is encoded in whole frames');
    invariant(this.#native !== undefined, 'a closed Opus encoder was asked');
    this.#samples.set(source);
    const packet = this.#native.encode(this.#frame);
    invariant(packet.length <= target.length, 'an Opus packet has no room in its target');
    target.set(packet);
    return packet.length;
  }

  /** The addon frees with its object. */
  close(): void {
    this.#native = undefined;
  }
}

/** libopus in the sandbox, where the addon did not install. */
export class WasmEncoder implements OpusEncoder {
  readonly #libopus: Libopus;
  readonly #frameSamples: number;
  /** 0 once closed. */
  #encoder: number;

  constructor(libopus: Libopus, sampleRateHz: number, settings: OpusSettings) {
    const [[, application], ...controls] = encoderControls(settings) as [
      [number, number],
      ...[number, number][],
    ];
    this.#libopus = libopus;
    this.#frameSamples = frameSamples(sampleRateHz);
    this.#encoder = libopus.openEncoder(sampleRateHz, application, this);
    for (const [request, value] of controls) {
      if (libopus.module._oc_encoder_ctl(this.#encoder, request, value) === 0) continue;
      this.close();
      throw new VoiceError('invalid_argument', `libopus refuses ${value} for its setting ${request}`);
    }
  }

  encodeInto(source: Int16Array, target: Uint8Array): number {
    invariant(source.length === this.#frameSamples, 'Opus is encoded in whole frames');
    invariant(this.#encoder !== 0, 'a closed Opus encoder was asked');
    const { module, packetAddress, pcmAddress } = this.#libopus;
    module.HEAP16.set(source, pcmAddress >> 1);
    const bytesMax = Math.min(target.length, FRAME_BYTES_MAX);
    const bytes = module._oc_encode(this.#encoder, pcmAddress, this.#frameSamples, packetAddress, bytesMax);
    invariant(bytes > 0, 'a whole frame can be encoded');
    const heap = module.HEAPU8;
    for (let i = 0; i < bytes; i++) target[i] = heap[packetAddress + i]!;
    return bytes;
  }

  close(): void {
    if (this.#encoder === 0) return;
    this.#libopus.closeEncoder(this.#encoder, this);
    this.#encoder = 0;
  }
}
