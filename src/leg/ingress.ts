import type { AtMs } from '../base/clock.ts';
import { FRAME_MS, frameSamples, MIB } from '../base/units.ts';
import type { Inbound } from '../dialect/dialect.ts';
import { openCodec } from '../media/codecs.ts';
import type { Codec } from '../media/codec.ts';
import { decodedSampleRateHz, type AudioFormat } from '../media/format.ts';
import { FrameCutter } from '../media/frame-cutter.ts';
import type { JitterBuffer } from '../media/jitter/jitter-buffer.ts';
import { InterarrivalJitter } from '../media/quality/interarrival-jitter.ts';
import { openResampler, type Resampler } from '../media/resampler/resampler.ts';
import type { FrameCounters } from './counters.ts';
import type { Ears } from './hearing/ears.ts';
import { Losses } from './inbound/losses.ts';
import { PacketOrder } from './inbound/packet-order.ts';

/** Who listens to a leg's way in. */
export interface IngressListener {
  /** The next frame to be heard, valid until the call returns. */
  onFrame(frame: Int16Array, nowMs: AtMs): void;
  /** The wire has shown its first hole: it loses packets, or turns them round. */
  onHole?(): void;
}

export interface IngressOptions {
  readonly format: AudioFormat;
  readonly jitter: JitterBuffer;
  readonly ears: Pick<Ears, 'hear'>;
  readonly counters: FrameCounters;
  readonly listener: IngressListener;
  /** Of the frames that are heard; the wire's own by default. */
  readonly sampleRateHz?: number;
}

/** Agents say whole sentences in one message; the door has looked at its size. */
const RUN_BYTES_MAX = 4 * MIB;
const NUMBERS = 0x1_0000;

/**
 * The way into a leg: numbered packets are put in order, codec bytes become samples at the house's rate in
 * whole frames; ears, jitter buffer and whoever listens hear them. The ears hear a frame when it is next in
 * order, not when the jitter buffer plays it (media.md §2).
 */
export class Ingress {
  readonly stats = { receivedFrames: 0, refusedMessages: 0, playedFrames: 0, comfortFrames: 0 };
  readonly jitter: JitterBuffer;
  readonly arrivals = new InterarrivalJitter();
  /** What never came, came late or twice, and what was made up for it. */
  readonly losses: Losses;
  readonly #codec: Codec;
  /** Only where frames are of constant size: a packet carries its own borders, and is cut after decoding. */
  readonly #cutter: FrameCutter | undefined;
  readonly #packet: Int16Array;
  /** Of packets that are no whole frames, the samples that wait for the rest of theirs. */
  readonly #partial: Int16Array;
  #partialSamples = 0;
  readonly #order: PacketOrder;
  readonly #resampler: Resampler | undefined;
  /** As decoded, and as heard: the same where the wire has the house's rate. */
  readonly #wireFrame: Int16Array;
  readonly #frame: Int16Array;
  readonly #ears: Pick<Ears, 'hear'>;
  readonly #counters: FrameCounters;
  readonly #listener: IngressListener;
  readonly #samplesPerMs: number;
  /** Media time of the next frame, in frames: what is missing counts. */
  #mediaFrames = 0;
  /** Where the next frame stands in time, by the wire's own words; -1 where it has none. */
  #timestampSamples = -1;

  constructor(options: IngressOptions) {
    const wireHz = decodedSampleRateHz(options.format);
    const sampleRateHz = options.sampleRateHz ?? wireHz;
    this.#codec = openCodec(options.format);
    const { frameBytes, frameSamples: wireSamples, packetSamplesMax } = this.#codec;
    this.#cutter = frameBytes > 0 ? new FrameCutter(frameBytes, RUN_BYTES_MAX) : undefined;
    this.#packet = new Int16Array(frameBytes > 0 ? 0 : packetSamplesMax);
    this.#partial = new Int16Array(frameBytes > 0 ? 0 : wireSamples);
    this.#frame = new Int16Array(frameSamples(sampleRateHz));
    this.#resampler = wireHz === sampleRateHz ? undefined : openResampler(wireHz, sampleRateHz);
    this.#wireFrame = this.#resampler === undefined ? this.#frame : new Int16Array(wireSamples);
    this.#order = new PacketOrder(frameBytes);
    this.#samplesPerMs = sampleRateHz / 1000;
    this.#ears = options.ears;
    this.#counters = options.counters;
    this.#listener = options.listener;
    this.jitter = options.jitter;
    this.losses = new Losses(options.jitter, this.#order, options.counters);
  }

  get mediaMs(): number {
    return this.#mediaFrames * FRAME_MS;
  }

  /** Takes the audio of one message. False when it is not whole frames where the wire numbers them. */
  accept(inbound: Inbound, nowMs: AtMs): boolean {
    const isTaken = inbound.sequence < 0 ? this.#acceptNext(inbound, nowMs) : this.#offer(inbound, nowMs);
    this.losses.count();
    return isTaken;
  }

  /** Plays what the jitter buffer holds and is due: called by the node's metronome where it has a clock. */
  play(nowMs: AtMs): void {
    // A packet that is missed is waited for until its own turn has come, and no longer.
    if (this.#order.isWaiting) this.#drain(this.jitter.depthMs < FRAME_MS ? Infinity : nowMs, nowMs);
    const played = this.jitter.playInto(nowMs, this.#frame);
    this.losses.count();
    if (played === 'waiting') return;
    if (played === 'comfort') this.stats.comfortFrames++;
    this.#handOn(nowMs);
  }

  /** The wire starts over: a new socket of the same leg. */
  restart(): void {
    this.#order.reset();
    this.#cutter?.reset();
    this.#resampler?.reset();
    this.#partialSamples = 0;
    this.jitter.reset();
    this.arrivals.restart();
  }

  /** Nothing more comes: what waits for a missing packet is heard. */
  finish(nowMs: AtMs): void {
    if (this.#order.isWaiting) this.#drain(Infinity, nowMs);
    this.losses.count();
  }

  /** What the codec holds and what was lent is given back: the leg has ended. */
  close(): void {
    this.#codec.close();
    this.jitter.reset();
  }

  #refuse(): false {
    this.stats.refusedMessages++;
    this.#counters.refusedMessages++;
    return false;
  }

  #acceptNext({ payload, payloadBytes }: Inbound, nowMs: AtMs): boolean {
    this.#timestampSamples = -1;
    const firstFrame = this.#mediaFrames;
    this.#take(payload, payloadBytes, nowMs, nowMs);
    // Half a frame says nothing about when it was sent.
    if (this.#mediaFrames > firstFrame) this.arrivals.arrived(firstFrame * FRAME_MS, nowMs);
    return true;
  }

  #offer(inbound: Inbound, nowMs: AtMs): boolean {
    const { frameBytes } = this.#codec;
    const isWhole = frameBytes === 0 || inbound.payloadBytes % frameBytes === 0;
    if (!isWhole || inbound.payloadBytes === 0) return this.#refuse();
    const timestampSamples = inbound.timestampMs < 0 ? -1 : inbound.timestampMs * this.#samplesPerMs;
    if (!this.#order.offer(inbound, timestampSamples, nowMs)) return this.#refuse();
    this.#drain(this.jitter.targetMs > 0 ? nowMs : Infinity, nowMs);
    return true;
  }

  /** Hears what is next in order; what is missing is waited for until `patientUntilMs`. */
  #drain(patientUntilMs: AtMs, nowMs: AtMs): void {
    const order = this.#order;
    for (let found = order.next(patientUntilMs); found !== 'waiting'; found = order.next(patientUntilMs)) {
      if (found === 'lost' || order.skippedPackets > 0) this.#listener.onHole?.();
      if (found === 'lost') this.#makeUp(nowMs);
      else this.#takeOrdered(nowMs);
    }
  }

  #takeOrdered(nowMs: AtMs): void {
    const { packet, packetBytes, timestampSamples, arrivedAtMs, skippedPackets } = this.#order;
    this.#mediaFrames += skippedPackets * this.#order.packetFrames;
    this.#timestampSamples = timestampSamples;
    const firstFrame = this.#mediaFrames;
    this.arrivals.arrived(firstFrame * FRAME_MS, arrivedAtMs);
    this.#take(packet, packetBytes, arrivedAtMs, nowMs);
    if (this.#mediaFrames > firstFrame) this.#order.packetFrames = this.#mediaFrames - firstFrame;
  }

  /** A packet is given up. Where the codec knows what it said, or something like it, that is heard. */
  #makeUp(nowMs: AtMs): void {
    const codec = this.#codec;
    const order = this.#order;
    this.#timestampSamples = -1;
    if (codec.recoverInto === undefined) {
      this.#mediaFrames += order.packetFrames;
      return;
    }
    const receivedFrames = this.stats.receivedFrames;
    const samples = order.hasFollowing
      ? codec.recoverInto(order.packet, order.packetBytes, this.#packet)
      : (codec.concealInto?.(this.#packet) ?? 0);
    this.#cut(samples, nowMs, nowMs);
    this.losses.madeUp(this.stats.receivedFrames - receivedFrames);
    this.#counters.receivedFrames -= this.stats.receivedFrames - receivedFrames;
    this.stats.receivedFrames = receivedFrames;
  }

  #take(payload: Uint8Array, payloadBytes: number, arrivedAtMs: AtMs, nowMs: AtMs): void {
    const cutter = this.#cutter;
    if (cutter === undefined) return this.#takePacket(payload, payloadBytes, arrivedAtMs, nowMs);
    // Most messages are one frame: decoded where it lies, without being cut and copied first.
    if (payloadBytes === this.#codec.frameBytes && cutter.waitingBytes === 0) {
      this.#codec.decodeInto(payload, payloadBytes, this.#wireFrame);
      return this.#acceptFrame(arrivedAtMs, nowMs);
    }
    cutter.push(payload, payloadBytes);
    while (cutter.next()) {
      this.#codec.decodeInto(cutter.frame, cutter.frame.length, this.#wireFrame);
      this.#acceptFrame(arrivedAtMs, nowMs);
    }
  }

  // A packet is 2.5 to 120 ms: its samples are put together into frames. Bytes that are none are one packet
  // lost.
  #takePacket(payload: Uint8Array, payloadBytes: number, arrivedAtMs: AtMs, nowMs: AtMs): void {
    const samples = this.#codec.decodeInto(payload, payloadBytes, this.#packet);
    if (samples < 0) this.#refuse();
    this.#cut(samples, arrivedAtMs, nowMs);
  }

  #cut(samples: number, arrivedAtMs: AtMs, nowMs: AtMs): void {
    for (let i = 0; i < samples; i++) {
      this.#partial[this.#partialSamples++] = this.#packet[i]!;
      if (this.#partialSamples < this.#partial.length) continue;
      this.#partialSamples = 0;
      this.#wireFrame.set(this.#partial);
      this.#acceptFrame(arrivedAtMs, nowMs);
    }
  }

  // Times are handed on as they came: one that is kept in between is a new number on the heap.
  #acceptFrame(arrivedAtMs: AtMs, nowMs: AtMs): void {
    this.stats.receivedFrames++;
    this.#counters.receivedFrames++;
    this.#resampler?.resampleInto(this.#wireFrame, this.#wireFrame.length, this.#frame);
    this.#ears.hear(this.#frame, this.#mediaFrames * FRAME_MS, nowMs);
    const number = this.#mediaFrames++ % NUMBERS;
    this.jitter.insert(this.#frame, number, this.#timestampSamples, arrivedAtMs);
    if (this.#timestampSamples >= 0) this.#timestampSamples += this.#frame.length;
    if (this.jitter.targetMs > 0) return;
    // One source feeds the listener: the frame goes on in the turn it arrived (media.md §2).
    while (this.jitter.playInto(nowMs, this.#frame) !== 'waiting') this.#handOn(nowMs);
  }

  #handOn(nowMs: AtMs): void {
    this.stats.playedFrames++;
    this.#listener.onFrame(this.#frame, nowMs);
  }
}
