import { findPackageJSON } from 'node:module';
import { pathToFileURL } from 'node:url';
import { invariant, VoiceError } from '../../../base/errors.ts';

/** Longest packet taken: 120 ms at 510 kbit/s, the most that libopus sends, are 7650 bytes. */
export const PACKET_BYTES_MAX = 8192;
/** 120 ms at 48 kHz. */
const PCM_SAMPLES_MAX = 5760;
const BYTES_PER_SAMPLE = 2;

/** The functions of libopus as the WASM module exports them; addresses and error codes are numbers. */
export interface LibopusModule {
  /** New views after the memory has grown: looked up with each call. */
  readonly HEAPU8: Uint8Array;
  readonly HEAP16: Int16Array;
  readonly HEAP32: Int32Array;
  UTF8ToString(address: number): string;
  _malloc(bytes: number): number;
  _free(address: number): void;
  _oc_get_version_string(): number;
  _oc_create_decoder(sampleRateHz: number, channels: number, error: number): number;
  _oc_destroy_decoder(decoder: number): void;
  _oc_decode(d: number, packet: number, bytes: number, pcm: number, samples: number, fec: number): number;
  _oc_packet_get_nb_samples(packet: number, bytes: number, sampleRateHz: number): number;
  _oc_create_encoder(sampleRateHz: number, channels: number, application: number, error: number): number;
  _oc_destroy_encoder(encoder: number): void;
  _oc_encoder_ctl(encoder: number, request: number, value: number): number;
  _oc_encode(e: number, pcm: number, samples: number, packet: number, bytesMax: number): number;
}

/** One sandbox for all Opus of the process, and the scratch through which packets and samples pass. */
export class Libopus {
  readonly module: LibopusModule;
  readonly version: string;
  readonly packetAddress: number;
  readonly pcmAddress: number;
  /** What is open in the sandbox; `collected` were never closed, and given back when their owner was gone. */
  readonly stats = { decoders: 0, encoders: 0, collected: 0, trapped: 0 };
  readonly #errorAddress: number;
  readonly #abandoned = new FinalizationRegistry<() => void>((giveBack) => {
    this.stats.collected++;
    giveBack();
  });

  private constructor(module: LibopusModule) {
    this.module = module;
    this.version = module.UTF8ToString(module._oc_get_version_string());
    this.packetAddress = module._malloc(PACKET_BYTES_MAX);
    this.pcmAddress = module._malloc(PCM_SAMPLES_MAX * BYTES_PER_SAMPLE);
    this.#errorAddress = module._malloc(4);
    if (this.packetAddress === 0 || this.pcmAddress === 0 || this.#errorAddress === 0) throw outOfMemory();
  }

  /**
   * The package opens its handles asynchronously, allocates with each packet and throws on malformed ones;
   * a leg opens in the turn its call starts. So the module inside is asked directly.
   */
  static async load(): Promise<Libopus> {
    const manifest = findPackageJSON('libopus-wasm', import.meta.url);
    invariant(manifest !== undefined, 'libopus-wasm is installed');
    const url = new URL('dist/generated/libopus.generated.mjs', pathToFileURL(manifest));
    const { default: open } = (await import(url.href)) as { default: () => Promise<LibopusModule> };
    return new Libopus(await open());
  }

  /** A mono decoder's address. `owner` gives it back by `closeDecoder`, or by being collected. */
  openDecoder(sampleRateHz: number, owner: object): number {
    const decoder = this.module._oc_create_decoder(sampleRateHz, 1, this.#errorAddress);
    if (decoder === 0) throw outOfMemory();
    this.stats.decoders++;
    this.#abandoned.register(owner, () => this.#freeDecoder(decoder), owner);
    return decoder;
  }

  closeDecoder(decoder: number, owner: object): void {
    this.#abandoned.unregister(owner);
    this.#freeDecoder(decoder);
  }

  /** A mono encoder's address; closed as decoders are. */
  openEncoder(sampleRateHz: number, application: number, owner: object): number {
    const encoder = this.module._oc_create_encoder(sampleRateHz, 1, application, this.#errorAddress);
    if (encoder === 0) throw outOfMemory();
    this.stats.encoders++;
    this.#abandoned.register(owner, () => this.#freeEncoder(encoder), owner);
    return encoder;
  }

  closeEncoder(encoder: number, owner: object): void {
    this.#abandoned.unregister(owner);
    this.#freeEncoder(encoder);
  }

  /** Copies a packet into the sandbox, where it fits. */
  takePacket(source: Uint8Array, bytes: number): boolean {
    if (bytes < 1 || bytes > PACKET_BYTES_MAX || bytes > source.length) return false;
    const heap = this.module.HEAPU8;
    const address = this.packetAddress;
    // `set` would need a view made per packet.
    for (let i = 0; i < bytes; i++) heap[address + i] = source[i]!;
    return true;
  }

  #freeDecoder(decoder: number): void {
    this.module._oc_destroy_decoder(decoder);
    this.stats.decoders--;
  }

  #freeEncoder(encoder: number): void {
    this.module._oc_destroy_encoder(encoder);
    this.stats.encoders--;
  }
}

function outOfMemory(): VoiceError {
  return new VoiceError('overloaded', 'no memory for one more Opus codec');
}
