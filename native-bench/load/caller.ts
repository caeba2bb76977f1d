import { systemClock } from '../../src/base/clock.ts';
import type { Samples } from './distribution.ts';
import type { Speech } from './speech.ts';
import { connectedWords, mediaHead, mediaTail, startWords, stopWords } from './twilio-words.ts';
import { Wire } from './wire.ts';

const PAYLOAD_KEY = Buffer.from('"payload":"');
const FRAMES_AT_FIRST = 4096;
/** A second of lost echoes is looked past to find which frame an echo answers. */
const LOST_FRAMES_MAX = 50;

/** Where a caller writes down what it hears. */
export interface Notebook {
  /** From the write of a frame to the arrival of its echo. */
  roundTripMs: Samples;
  sentFrames: number;
  echoedFrames: number;
  /** Frames whose echo was missing when a later one came. */
  lostFrames: number;
  /** Echoes that are no frame this caller sent lately. */
  wrongFrames: number;
  /** Connections that ended although nobody had hung up. */
  lostCalls: number;
  /** Frames that waited in our own socket. */
  blockedFrames: number;
}

/**
 * One caller as Twilio's media servers are one: speaks the sample in a loop from its own place in it, and
 * knows of each echo which frame it answers.
 */
export class Caller {
  readonly callSid: string;
  /** When each frame was written, on CLOCK_MONOTONIC: frame k is media time 20 k. */
  sentAtMs = new Float64Array(FRAMES_AT_FIRST);
  startedAtMs = Number.NaN;
  stoppedAtMs = Number.NaN;
  isSpeaking = false;
  isClosed = true;
  readonly #streamSid: string;
  readonly #tail: string;
  readonly #speech: Speech;
  readonly #offset: number;
  readonly #notes: Notebook;
  #wire: Wire | undefined;
  #sentFrames = 0;
  #heardFrames = 0;

  constructor(callSid: string, offset: number, speech: Speech, notes: Notebook) {
    this.callSid = callSid;
    this.#streamSid = callSid.replace(/^CA/, 'MZ');
    this.#tail = mediaTail(this.#streamSid);
    this.#speech = speech;
    this.#offset = offset;
    this.#notes = notes;
  }

  /** Dials and says the protocol's start; answers how long it took to be let in. */
  async dial(url: string): Promise<number> {
    const dialledAtMs = systemClock.nowMs();
    this.#wire = await Wire.open(url, {
      onText: (bytes, start, end) => this.#hear(bytes, start, end),
      onClosed: () => this.#closed(),
    });
    this.isClosed = false;
    const setupMs = systemClock.nowMs() - dialledAtMs;
    this.#wire.send(connectedWords());
    this.startedAtMs = systemClock.nowMs();
    this.#wire.send(startWords(this.#streamSid, this.callSid));
    return setupMs;
  }

  /** Sends the next frame; the caller of this keeps the time. */
  speak(): void {
    const wire = this.#wire;
    if (wire === undefined || !wire.isOpen) return;
    const frame = this.#sentFrames++;
    if (frame === this.sentAtMs.length) this.#grow();
    const head = mediaHead(frame + 2, frame);
    const payload = this.#payloadOf(frame);
    const blocked = wire.stats.blockedFrames;
    this.sentAtMs[frame] = systemClock.nowMs();
    wire.send(head, payload, this.#tail);
    this.#notes.sentFrames++;
    this.#notes.blockedFrames += wire.stats.blockedFrames - blocked;
  }

  /** The protocol's stop and a clean close. */
  hangUp(): void {
    this.isSpeaking = false;
    if (this.#wire === undefined || !this.#wire.isOpen) return;
    this.stoppedAtMs = systemClock.nowMs();
    this.#wire.send(stopWords(this.#streamSid, this.callSid, this.#sentFrames + 2));
    this.#wire.close();
  }

  destroy(): void {
    this.#wire?.destroy();
  }

  #hear(bytes: Buffer, start: number, end: number): void {
    const nowMs = systemClock.nowMs();
    const key = bytes.indexOf(PAYLOAD_KEY, start);
    // Only media has a payload; nothing else is sent to an echo's caller.
    if (key < 0 || key >= end) return;
    const lost = this.#lostBefore(bytes, key + PAYLOAD_KEY.length);
    if (lost < 0) {
      this.#notes.wrongFrames++;
      return;
    }
    this.#notes.lostFrames += lost;
    this.#heardFrames += lost;
    this.#notes.echoedFrames++;
    this.#notes.roundTripMs.push(nowMs - this.sentAtMs[this.#heardFrames++]!);
  }

  /** How many frames were skipped by the echo whose payload begins at `at`; -1 where it answers none. */
  #lostBefore(bytes: Buffer, at: number): number {
    const lostMax = Math.min(LOST_FRAMES_MAX, this.#sentFrames - this.#heardFrames - 1);
    for (let lost = 0; lost <= lostMax; lost++) {
      const expected = this.#payloadOf(this.#heardFrames + lost);
      if (bytes.compare(expected, 0, expected.length, at, at + expected.length) === 0) return lost;
    }
    return -1;
  }

  #payloadOf(frame: number): Buffer {
    const { payloads } = this.#speech;
    return payloads[(this.#offset + frame) % payloads.length]!;
  }

  #closed(): void {
    this.isClosed = true;
    this.isSpeaking = false;
    if (Number.isNaN(this.stoppedAtMs)) this.#notes.lostCalls++;
  }

  #grow(): void {
    const grown = new Float64Array(2 * this.sentAtMs.length);
    grown.set(this.sentAtMs);
    this.sentAtMs = grown;
  }
}
