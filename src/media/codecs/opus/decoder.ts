import { frameSamples, msToSamples } from '../../../base/units.ts';
import { MALFORMED } from '../../codec.ts';
import { PACKET_MS_MAX } from '../byte-codec.ts';
import type { Libopus } from './libopus.ts';

/**
 * Opus packets to mono samples, always in the WASM sandbox: packets are strangers' bytes. Stereo packets are
 * mixed by libopus.
 */
export class OpusDecoder {
  readonly #libopus: Libopus;
  readonly #sampleRateHz: number;
  readonly #frameSamples: number;
  readonly #packetSamplesMax: number;
  /** 0 once closed. */
  #decoder: number;

  constructor(libopus: Libopus, sampleRateHz: number) {
    this.#libopus = libopus;
    this.#sampleRateHz = sampleRateHz;
    this.#frameSamples = frameSamples(sampleRateHz);
    this.#packetSamplesMax = msToSamples(PACKET_MS_MAX, sampleRateHz);
    this.#decoder = libopus.openDecoder(sampleRateHz, this);
  }

  decodeInto(source: Uint8Array, sourceBytes: number, target: Int16Array): number {
    if (!this.#libopus.takePacket(source, sourceBytes)) return MALFORMED;
    return this.#run(sourceBytes, Math.min(target.length, this.#packetSamplesMax), 0, target);
  }

  concealInto(target: Int16Array): number {
    if (target.length < this.#frameSamples) return MALFORMED;
    return this.#run(0, this.#frameSamples, 0, target);
  }

  recoverInto(nextPacket: Uint8Array, nextPacketBytes: number, target: Int16Array): number {
    if (!this.#libopus.takePacket(nextPacket, nextPacketBytes)) return MALFORMED;
    const { module, packetAddress } = this.#libopus;
    const samples = module._oc_packet_get_nb_samples(packetAddress, nextPacketBytes, this.#sampleRateHz);
    if (samples <= 0 || samples > target.length || samples > this.#packetSamplesMax) return MALFORMED;
    return this.#run(nextPacketBytes, samples, 1, target);
  }

  close(): void {
    if (this.#decoder === 0) return;
    this.#libopus.closeDecoder(this.#decoder, this);
    this.#decoder = 0;
  }

  /** `bytes` 0 is a lost packet. */
  #run(bytes: number, samplesMax: number, fec: number, target: Int16Array): number {
    if (this.#decoder === 0) return MALFORMED;
    const { module, packetAddress, pcmAddress } = this.#libopus;
    const address = bytes === 0 ? 0 : packetAddress;
    let samples: number;
    try {
      samples = module._oc_decode(this.#decoder, address, bytes, pcmAddress, samplesMax, fec);
    } catch {
      // A trap of the sandbox is one packet lost, never the process.
      this.#libopus.stats.trapped++;
      return MALFORMED;
    }
    if (samples < 0) return MALFORMED;
    const heap = module.HEAP16;
    const from = pcmAddress >> 1;
    for (let i = 0; i < samples; i++) target[i] = heap[from + i]!;
    return samples;
  }
}
