import type { AtMs } from '../base/clock.ts';
import { FRAME_MS, MIB } from '../base/units.ts';
import type { Inbound } from '../dialect/dialect.ts';
import { openCodec } from '../media/codecs.ts';
import type { Codec } from '../media/codec.ts';
import type { AudioFormat } from '../media/format.ts';
import { FrameCutter } from '../media/frame-cutter.ts';
import type { JitterBuffer } from '../media/jitter/jitter-buffer.ts';
import type { VoiceEdge, VoiceEdges } from '../media/voice/voice-edges.ts';
import type { FrameCounters } from './counters.ts';

/** Who listens to a leg's way in. */
export interface IngressListener {
  /** The next frame to be heard, valid until the call returns. */
  onFrame(frame: Int16Array, nowMs: AtMs): void;
  onVoice(edge: VoiceEdge, nowMs: AtMs): void;
}

/** Sequence numbers wrap at 16 bits (RFC 3550 §5.1). */
const SEQUENCE_SPAN = 0x1_0000;
/** A jump of more than five seconds is a sender that started over, not five seconds of silence. */
const GAP_FRAMES_MAX = 250;
/** Agents say whole sentences in one message; the door has looked at its size. */
const RUN_BYTES_MAX = 4 * MIB;

/**
 * The way into a leg: codec bytes → whole frames → samples → ears → jitter buffer → whoever listens. The
 * ears hear a
 * frame when it is next in order, not when the jitter buffer plays it (media.md §2).
 */
export class Ingress {
  readonly stats = { receivedFrames: 0, refusedMessages: 0 };
  readonly jitter: JitterBuffer;
  readonly #codec: Codec;
  /** Only where frames are of constant size: a packet carries its own borders, and is cut after decoding. */
  readonly #cutter: FrameCutter | undefined;
  readonly #packet: Int16Array;
  /** Of packets that are no whole frames, the samples that wait for the rest of theirs. */
  readonly #partial: Int16Array;
  #partialSamples = 0;
  readonly #edges: VoiceEdges;
  readonly #counters: FrameCounters;
  readonly #frame: Int16Array;
  #listener: IngressListener;
  /** Our own numbering, where the wire has none. */
  #sequence = 0;
  #heardSequence = -1;
  /** Media time of the next frame for the ears: gaps in the sequence count. */
  #mediaFrames = 0;

  constructor(options: {
    format: AudioFormat;
    jitter: JitterBuffer;
    edges: VoiceEdges;
    counters: FrameCounters;
    listener: IngressListener;
  }) {
    this.#codec = openCodec(options.format);
    const { frameBytes, frameSamples, packetSamplesMax } = this.#codec;
    this.#cutter = frameBytes > 0 ? new FrameCutter(frameBytes, RUN_BYTES_MAX) : undefined;
    this.#packet = new Int16Array(frameBytes > 0 ? 0 : packetSamplesMax);
    this.#partial = new Int16Array(frameBytes > 0 ? 0 : frameSamples);
    this.#edges = options.edges;
    this.#counters = options.counters;
    this.#listener = options.listener;
    this.#frame = new Int16Array(frameSamples);
    this.jitter = options.jitter;
  }

  get mediaMs(): number {
    return this.#mediaFrames * FRAME_MS;
  }

  /** Takes the audio of one message. False when it is not whole frames where the wire numbers them. */
  accept(inbound: Inbound, nowMs: AtMs): boolean {
    if (this.#cutter === undefined) return this.#acceptPacket(inbound, nowMs);
    const isNumbered = inbound.sequence >= 0;
    if (isNumbered && inbound.payloadBytes !== this.#codec.frameBytes) return this.#refuse();
    // Most messages are one frame: decoded where it lies, without being cut and copied first.
    if (inbound.payloadBytes === this.#codec.frameBytes && this.#cutter.waitingBytes === 0) {
      this.#codec.decodeInto(inbound.payload, inbound.payloadBytes, this.#frame);
      this.#acceptFrame(isNumbered ? inbound.sequence : this.#nextSequence(), nowMs);
      return true;
    }
    this.#cutter.push(inbound.payload, inbound.payloadBytes);
    while (this.#cutter.next()) {
      this.#codec.decodeInto(this.#cutter.frame, this.#cutter.frame.length, this.#frame);
      this.#acceptFrame(isNumbered ? inbound.sequence : this.#nextSequence(), nowMs);
    }
    return true;
  }

  /**
   * Plays what the jitter buffer holds and is due: called by the node's metronome where the target is above
   * 0.
   */
  play(nowMs: AtMs): void {
    const played = this.jitter.playInto(nowMs, this.#frame);
    if (played === 'waiting') return;
    if (played === 'concealed') this.#counters.concealedFrames++;
    this.#listener.onFrame(this.#frame, nowMs);
  }

  /** The wire starts over: a new socket of the same leg. */
  restart(): void {
    this.#heardSequence = -1;
    this.#partialSamples = 0;
    this.jitter.reset();
  }

  /** What the codec holds is given back: the leg has ended. */
  close(): void {
    this.#codec.close();
  }

  #refuse(): false {
    this.stats.refusedMessages++;
    this.#counters.refusedMessages++;
    return false;
  }

  // A packet is 2.5 to 120 ms: its samples are put together into frames of our own numbering. Bytes that
  // are none are one packet lost.
  #acceptPacket({ payload, payloadBytes }: Inbound, nowMs: AtMs): boolean {
    const samples = this.#codec.decodeInto(payload, payloadBytes, this.#packet);
    if (samples < 0) this.#refuse();
    for (let i = 0; i < samples; i++) {
      this.#partial[this.#partialSamples++] = this.#packet[i]!;
      if (this.#partialSamples < this.#partial.length) continue;
      this.#partialSamples = 0;
      this.#frame.set(this.#partial);
      this.#acceptFrame(this.#nextSequence(), nowMs);
    }
    return true;
  }

  #acceptFrame(sequence: number, nowMs: AtMs): void {
    this.stats.receivedFrames++;
    this.#counters.receivedFrames++;
    this.#listen(sequence, nowMs);
    const { lateFrames, lostFrames, duplicateFrames } = this.jitter.stats;
    this.jitter.insert(this.#frame, sequence, this.#mediaFrames * this.#frame.length, nowMs);
    this.#counters.lateFrames += this.jitter.stats.lateFrames - lateFrames;
    this.#counters.lostFrames += this.jitter.stats.lostFrames - lostFrames;
    this.#counters.duplicateFrames += this.jitter.stats.duplicateFrames - duplicateFrames;
    if (this.jitter.targetMs > 0) return;
    // One source feeds the listener: the frame goes on in the turn it arrived (media.md §2).
    while (this.jitter.playInto(nowMs, this.#frame) !== 'waiting') this.#listener.onFrame(this.#frame, nowMs);
  }

  #listen(sequence: number, nowMs: AtMs): void {
    const jump = this.#heardSequence < 0 ? 1 : stepOf(this.#heardSequence, sequence);
    const step = Math.abs(jump) > GAP_FRAMES_MAX ? 1 : jump;
    // A frame that comes after a later one was heard is for playing only: ears do not go back.
    if (step <= 0) return;
    this.#heardSequence = sequence;
    this.#mediaFrames += step - 1;
    const edge = this.#edges.hear(this.#frame, this.#mediaFrames * FRAME_MS);
    this.#mediaFrames++;
    if (edge !== undefined) this.#listener.onVoice(edge, nowMs);
  }

  #nextSequence(): number {
    this.#sequence = (this.#sequence + 1) % SEQUENCE_SPAN;
    return this.#sequence;
  }
}

/** How far `to` is ahead of `from` on the 16-bit circle: negative when it is behind. */
function stepOf(from: number, to: number): number {
  const ahead = (to - from + SEQUENCE_SPAN) % SEQUENCE_SPAN;
  return ahead < SEQUENCE_SPAN / 2 ? ahead : ahead - SEQUENCE_SPAN;
}
