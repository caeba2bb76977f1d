import { refuse, type Refusal } from '../../base/errors.ts';
import { AUDIO, IGNORED, type Inbound } from '../dialect.ts';

/**
 * Reads a binary message that is audio and nothing else, of any length that holds whole samples. An empty
 * one means nothing.
 */
export function readAudioBytes(
  message: Uint8Array,
  sampleBytes: number,
  into: Inbound,
): typeof AUDIO | typeof IGNORED | Refusal {
  const { length } = message;
  if (length === 0) return IGNORED;
  if (length > into.payload.length) return refuse('frame_too_large', `${length} bytes of audio`);
  if (length % sampleBytes !== 0) return refuse('protocol_violation', 'half a sample');
  into.payload.set(message);
  into.payloadBytes = length;
  into.sequence = -1;
  into.timestampMs = -1;
  return AUDIO;
}

/** Audio as it is, written in place: what `write` returned before is overwritten. */
export class AudioBytes {
  #bytes = new Uint8Array(0);

  write(frame: Uint8Array): Uint8Array {
    // Frames of one leg are of one size; another size is a packet codec's.
    if (frame.length !== this.#bytes.length) this.#bytes = new Uint8Array(frame.length);
    this.#bytes.set(frame);
    return this.#bytes;
  }
}
