import { FRAME_MS, frameSamples } from '../../../base/units.ts';
import type { Codec } from '../../../media/codec.ts';
import { openCodec } from '../../../media/codecs.ts';
import { decodedSampleRateHz, type AudioFormat } from '../../../media/format.ts';
import type { SentTimes } from '../sent-times.ts';
import { alignedSimilarity } from './alignment.ts';
import { resample } from './resample.ts';
import type { Script } from './script.ts';

/** What is judged of a call; its end sounds like its beginning. */
const JUDGED_MS = 20_000;

/** Holds an echo against what was said where a codec or another rate on the way changes every sample. */
export class SignalCheck {
  readonly stats = { unjudgedSamples: 0 };
  readonly #script: Pick<Script, 'frameAt'>;
  readonly #sent: SentTimes;
  readonly #spokenFormat: AudioFormat;
  readonly #heardRateHz: number;
  readonly #codec: Codec;
  readonly #packet: Int16Array;
  readonly #heard: Int16Array;
  #heardSamples = 0;
  #totalSamples = 0;

  constructor(options: {
    script: Pick<Script, 'frameAt'>;
    sent: SentTimes;
    spokenFormat: AudioFormat;
    heardFormat: AudioFormat;
  }) {
    this.#script = options.script;
    this.#sent = options.sent;
    this.#spokenFormat = options.spokenFormat;
    this.#heardRateHz = decodedSampleRateHz(options.heardFormat);
    this.#codec = openCodec(options.heardFormat);
    this.#packet = new Int16Array(this.#heardRateHz);
    this.#heard = new Int16Array((this.#heardRateHz * JUDGED_MS) / 1000);
  }

  /** As much came back as was sent. */
  get isComplete(): boolean {
    return (this.#totalSamples * 1000) / this.#heardRateHz >= this.#sent.frames * FRAME_MS;
  }

  /** Takes the audio of one message. */
  receive(payload: Uint8Array, payloadBytes: number): void {
    const samples = this.#codec.decodeInto(payload, payloadBytes, this.#packet);
    this.#totalSamples += samples;
    const kept = Math.min(samples, this.#heard.length - this.#heardSamples);
    this.#heard.set(this.#packet.subarray(0, kept), this.#heardSamples);
    this.#heardSamples += kept;
    this.stats.unjudgedSamples += samples - kept;
  }

  /** How like what was said it is, in percent: the correlation of both, one moved upon the other. */
  similarityPercent(): number {
    const spokenRateHz = decodedSampleRateHz(this.#spokenFormat);
    const frames = Math.min(this.#sent.frames, JUDGED_MS / FRAME_MS);
    const length = frameSamples(spokenRateHz);
    const spoken = new Int16Array(frames * length);
    const codec = openCodec(this.#spokenFormat);
    for (let i = 0; i < frames; i++) {
      const frame = this.#script.frameAt(i);
      codec.decodeInto(frame, frame.length, spoken.subarray(i * length, (i + 1) * length));
    }
    const reference = resample(spoken, spokenRateHz, this.#heardRateHz);
    const heard = this.#heard.subarray(0, this.#heardSamples);
    return 100 * Math.max(0, alignedSimilarity(reference, heard, this.#heardRateHz));
  }
}
