import type { DialectSession } from '../dialect/dialect.ts';
import { openCodec } from '../media/codecs.ts';
import type { Codec } from '../media/codec.ts';
import type { AudioFormat } from '../media/format.ts';
import { openResampler, type Resampler } from '../media/resampler/resampler.ts';
import type { FrameCounters } from './counters.ts';
import type { FrameSink } from './frame-sink.ts';

/** A source that speaks just in time leaves its queue empty after every frame; three ticks are a pause. */
const QUIET_TICKS = 3;
/** Who speaks in longer messages leaves it empty for as long as one lasts, and is late by so much. */
const LATE_TICKS = 2;

/** Hears every frame that goes out to a leg. Per frame: it must not allocate, or keep the frame. */
export type FrameTap = (frame: Int16Array) => void;

/** The way out of a leg: samples, at the wire's rate, as codec bytes, in messages. No frame allocates. */
export class Egress {
  readonly stats = { sentFrames: 0, droppedFrames: 0 };
  readonly #codec: Codec;
  readonly #wire: Uint8Array;
  readonly #resampler: Resampler | undefined;
  readonly #wireFrame: Int16Array;
  readonly #counters: FrameCounters;
  #session: DialectSession;
  #sink: FrameSink;
  #taps: readonly FrameTap[] = [];
  #isHeld = false;
  #collectedFrames = 0;
  #quietTicks = 0;
  /** Of the last message that was sent. */
  #messageFrames = 1;
  /** The provider holds back what was sent last until its tail follows. */
  #owesTail = false;

  /** `sampleRateHz` is the rate of the frames that are sent; the wire's own by default. */
  constructor(
    format: AudioFormat,
    session: DialectSession,
    sink: FrameSink,
    counters: FrameCounters,
    sampleRateHz?: number,
  ) {
    this.#codec = openCodec(format);
    const wireHz = this.#codec.sampleRateHz;
    const isOther = sampleRateHz !== undefined && sampleRateHz !== wireHz;
    this.#resampler = isOther ? openResampler(sampleRateHz, wireHz) : undefined;
    this.#wireFrame = new Int16Array(isOther ? this.#codec.frameSamples : 0);
    this.#wire = new Uint8Array(this.#codec.packetBytesMax);
    this.#session = session;
    this.#sink = sink;
    this.#counters = counters;
  }

  /** Frames that wait in the session for a message to be whole; a tail that is owed waits as one. */
  get collectedFrames(): number {
    return this.#collectedFrames + (this.#owesTail ? 1 : 0);
  }

  /** From now on `tap` hears what goes out, at the leg's own rate; what comes back takes it off again. */
  tap(tap: FrameTap): () => void {
    this.#taps = [...this.#taps, tap];
    return () => {
      this.#taps = this.#taps.filter((other) => other !== tap);
    };
  }

  /** The leg came back on another socket. */
  attach(session: DialectSession, sink: FrameSink): void {
    this.#drop(this.#collectedFrames);
    this.#collectedFrames = 0;
    this.#owesTail = false;
    this.#isHeld = false;
    this.#session = session;
    this.#sink = sink;
  }

  /** The provider's own queue is full, or has room again. */
  hold(isHeld: boolean): void {
    this.#isHeld = isHeld;
  }

  get isHeld(): boolean {
    return this.#isHeld;
  }

  /**
   * Sends one frame now; how many have left with it. Where the socket or the provider is busy it is dropped,
   * never queued behind older audio.
   */
  send(frame: Int16Array): number {
    // The session's template may still be what the socket is waiting to write: only an idle socket gets a
    // frame.
    if (this.#isHeld || this.#sink.bufferedBytes > 0) {
      // A numbered wire shows the hole where the frame would have been.
      this.#session.skipAudio?.();
      this.#drop(1);
      return 0;
    }
    this.#quietTicks = 0;
    for (let i = 0; i < this.#taps.length; i++) this.#taps[i]!(frame);
    const bytes = this.#codec.encodeInto(this.#converted(frame), this.#wire);
    // Only a packet codec needs a view: its packets vary.
    const audio = bytes === this.#wire.length ? this.#wire : this.#wire.subarray(0, bytes);
    const head = this.#session.writeHead?.();
    if (head !== undefined) this.#sink.send(head);
    const message = this.#session.writeAudio(audio);
    this.#collectedFrames++;
    // A frame that was only collected goes with a later one.
    return message === undefined ? 0 : this.#sendCollected(message);
  }

  /** Speech has ended: what was collected goes out, padded as the provider wants it; how much has left. */
  flush(): number {
    // A mark that follows may need audio behind it, too.
    this.#owesTail = this.#session.writeTail !== undefined;
    if (this.#collectedFrames === 0) return 0;
    const isBusy = this.#isHeld || this.#sink.bufferedBytes > 0;
    const message = this.#session.flushAudio?.();
    if (message !== undefined && !isBusy) return this.#sendCollected(message);
    this.discard();
    return 0;
  }

  /** What was collected is not to be heard any more. */
  discard(): void {
    this.#owesTail = false;
    if (this.#collectedFrames === 0) return;
    this.#session.flushAudio?.();
    this.#drop(this.#collectedFrames);
    this.#collectedFrames = 0;
  }

  /** Nothing was sent in this tick: a pause is an end of speech, a moment's wait for a frame is none. */
  rest(): void {
    const message = Math.max(this.#messageFrames, this.#collectedFrames);
    const patienceTicks = Math.max(QUIET_TICKS, message + LATE_TICKS);
    if (this.collectedFrames === 0 || ++this.#quietTicks < patienceTicks) return;
    this.flush();
    this.#sendTail();
  }

  /** What the codec holds is given back: the leg has ended. */
  close(): void {
    this.#codec.close();
  }

  #converted(frame: Int16Array): Int16Array {
    if (this.#resampler === undefined) return frame;
    this.#resampler.resampleInto(frame, frame.length, this.#wireFrame);
    return this.#wireFrame;
  }

  #sendCollected(message: Uint8Array): number {
    const frames = this.#collectedFrames;
    this.#messageFrames = frames;
    this.#collectedFrames = 0;
    this.#owesTail = this.#session.writeTail !== undefined;
    if (!this.#sink.sendAudio(message, this.#session.audioIsBinary)) {
      this.#drop(frames);
      return 0;
    }
    this.stats.sentFrames += frames;
    this.#counters.playedFrames += frames;
    return frames;
  }

  #sendTail(): void {
    const tail = this.#session.writeTail?.();
    this.#owesTail = false;
    if (tail !== undefined) this.#sink.send(tail);
  }

  #drop(frames: number): void {
    this.stats.droppedFrames += frames;
    this.#counters.droppedBusyFrames += frames;
  }
}
