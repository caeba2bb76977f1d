import type { DialectSession } from '../dialect/dialect.ts';
import { openCodec } from '../media/codecs.ts';
import type { Codec } from '../media/codec.ts';
import type { AudioFormat } from '../media/format.ts';
import type { FrameCounters } from './counters.ts';
import type { FrameSink } from './frame-sink.ts';

/** The way out of a leg: samples → codec bytes → wire message → socket. Allocates nothing per frame. */
export class Egress {
  readonly stats = { sentFrames: 0, droppedFrames: 0 };
  readonly #codec: Codec;
  readonly #wire: Uint8Array;
  readonly #counters: FrameCounters;
  #session: DialectSession;
  #sink: FrameSink;

  constructor(format: AudioFormat, session: DialectSession, sink: FrameSink, counters: FrameCounters) {
    this.#codec = openCodec(format);
    this.#wire = new Uint8Array(this.#codec.frameBytes);
    this.#session = session;
    this.#sink = sink;
    this.#counters = counters;
  }

  /** The leg came back on another socket. */
  attach(session: DialectSession, sink: FrameSink): void {
    this.#session = session;
    this.#sink = sink;
  }

  /**
   * Sends one frame now. False when the socket was busy: the frame is dropped, never queued behind older
   * audio.
   */
  send(frame: Int16Array): boolean {
    // The session's template may still be what the socket is waiting to write: only an idle socket gets a
    // frame.
    if (this.#sink.bufferedBytes === 0 && this.#sendAudio(frame)) {
      this.stats.sentFrames++;
      this.#counters.playedFrames++;
      return true;
    }
    // A numbered wire shows the hole where the frame would have been.
    this.#session.skipAudio?.();
    this.stats.droppedFrames++;
    this.#counters.droppedBusyFrames++;
    return false;
  }

  #sendAudio(frame: Int16Array): boolean {
    this.#codec.encodeInto(frame, this.#wire);
    const message = this.#session.writeAudio(this.#wire);
    // A frame that was only collected goes with a later one.
    return message === undefined || this.#sink.sendAudio(message, this.#session.audioIsBinary);
  }
}
