import { invariant } from '../../base/errors.ts';

/**
 * Linear samples, written in place, none of which is −1: jambonz puts that very sample between others to
 * find a mark again, and takes a real one for it (mod_audio_fork, AUDIO_MARKER). One step of 65 536 is not
 * heard.
 */
export class StreamedAudio {
  #bytes = new Uint8Array(0);
  #samples = new Int16Array(0);

  write(frame: Uint8Array): Uint8Array {
    if (frame.length !== this.#bytes.length) this.#resize(frame.length);
    this.#bytes.set(frame);
    const samples = this.#samples;
    for (let i = 0; i < samples.length; i++) if (samples[i] === -1) samples[i] = 0;
    return this.#bytes;
  }

  #resize(bytes: number): void {
    invariant(bytes % 2 === 0, 'linear samples are two bytes each');
    this.#bytes = new Uint8Array(bytes);
    // −1 is the same in either byte order.
    this.#samples = new Int16Array(this.#bytes.buffer);
  }
}
