import type { AtMs } from '../../base/clock.ts';
import { frameSamples } from '../../base/units.ts';
import type { Leg } from '../../leg/leg.ts';
import type { PauseReason, PlayedMark, Playout } from '../../leg/playout.ts';
import { FrameRing } from '../../media/frame-ring.ts';
import { openResampler, type Resampler } from '../../media/resampler/resampler.ts';
import type { Party } from '../parties/party.ts';
import { SpeechGate } from './speech-gate.ts';

/** The way from one speaker to one listener. */
export interface Channel {
  readonly listenerId: string;
  /** Frames that were said and not heard yet. */
  readonly waitingFrames: number;
  /** Somebody asked for it to wait. */
  readonly isPaused: boolean;
  /** One frame of the speaker, valid until this returns. Per frame: it must not allocate. */
  hear(frame: Int16Array, nowMs: AtMs): void;
  /** The speaker started or stopped. */
  onVoice(isSpeaking: boolean, nowMs: AtMs): void;
  /** Drops what the listener has not heard yet of this speaker. */
  clear(nowMs: AtMs): void;
  /** Asks for `name` when all that was said so far has been played; false where nothing is ever played. */
  mark(name: string, nowMs: AtMs): boolean;
}

/** Live sound is this many frames late at most: what waits longer is overwritten by what was said since. */
const RING_FRAMES = 3;

/**
 * Where the frames of a speaker go at a leg. `direct`: out in the turn they came. `queue`: into the leg's own
 * queue. `ring` and `second`: they wait to be mixed, three frames of a live voice or a minute of a paced one.
 */
export type Way = 'direct' | 'queue' | 'ring' | 'second';

/** The way from a speaker to a party with a line of its own. Its ear says which way frames go. */
export class LegChannel implements Channel {
  readonly speaker: Party;
  /** Its place in the listener's mix. */
  readonly place: number;
  readonly #leg: Leg;
  readonly #ring: FrameRing;
  readonly #second: Playout | undefined;
  readonly #gate: SpeechGate | undefined;
  readonly #resampler: Resampler | undefined;
  readonly #resampled: Int16Array;
  readonly #onMark: (mark: PlayedMark) => void;
  readonly #pausedBy = new Set<PauseReason>();
  #way: Way;

  /** Marks of what waits to be mixed come back by `onMark`, as those of the leg's own queue by the leg. */
  constructor(speaker: Party, leg: Leg, place: number, onMark: (mark: PlayedMark) => void) {
    this.#onMark = onMark;
    this.speaker = speaker;
    this.place = place;
    this.#leg = leg;
    const samples = frameSamples(leg.sampleRateHz);
    this.#ring = new FrameRing(RING_FRAMES, samples);
    this.#second = speaker.isPaced ? leg.playout.beside() : undefined;
    this.#way = speaker.isPaced ? 'second' : 'direct';
    const isOther = speaker.sampleRateHz !== leg.sampleRateHz;
    this.#resampler = isOther ? openResampler(speaker.sampleRateHz, leg.sampleRateHz) : undefined;
    this.#resampled = new Int16Array(isOther ? samples : 0);
    this.#gate = leg.started.speechOnly
      ? new SpeechGate(leg.sampleRateHz, (frame) => this.#take(frame))
      : undefined;
  }

  get listenerId(): string {
    return this.#leg.id;
  }

  get way(): Way {
    return this.#way;
  }

  /** Live frames that came too fast to be mixed. */
  get overwrittenFrames(): number {
    return this.#ring.stats.overwrittenFrames;
  }

  /** Whether a live frame waits to be mixed. */
  get hasFrame(): boolean {
    return this.#ring.length > 0;
  }

  get waitingFrames(): number {
    if (this.#way === 'second') return this.#second?.waitingFrames ?? 0;
    return this.#way === 'ring' ? this.#ring.length : this.#leg.playout.waitingFrames;
  }

  get isPaused(): boolean {
    return this.#pausedBy.has('asked');
  }

  get refusedFrames(): number {
    return this.#second?.stats.refusedFrames ?? 0;
  }

  hear(frame: Int16Array, nowMs: AtMs): void {
    let heard = frame;
    if (this.#resampler !== undefined) {
      this.#resampler.resampleInto(frame, frame.length, this.#resampled);
      heard = this.#resampled;
    }
    if (this.#gate === undefined) this.#take(heard);
    else this.#gate.hear(heard, nowMs);
  }

  onVoice(isSpeaking: boolean, nowMs: AtMs): void {
    this.#gate?.onVoice(isSpeaking, nowMs);
  }

  /** Changes the way between two frames: what waits goes before what is yet to come, and nothing twice. */
  go(way: Way, scratch: Int16Array): void {
    if (way === this.#way) return;
    this.#way = way;
    if (way !== 'ring') while (this.#ring.shiftInto(scratch)) this.#leg.queue(scratch);
    if (way === 'second' || this.#second === undefined) return;
    // What is told as played of this speech counts from its beginning, wherever that was.
    if (this.#second.isSpeaking) this.#leg.playout.carryOn(this.#second.playedOfSpeechFrames);
    while (this.#second.waitingFrames > 0) this.#moveNext(this.#second, scratch);
    this.#moveMarks(this.#second);
    for (const reason of this.#pausedBy) this.#leg.playout.pause(reason);
  }

  /** Of a paced speaker: what was said waits, and so does what is said meanwhile. */
  pause(reason: PauseReason): void {
    this.#pausedBy.add(reason);
    this.#waiting?.pause(reason);
  }

  /** It goes on with the very frame it was about to play, where nothing else keeps it waiting. */
  resume(reason: PauseReason): void {
    this.#pausedBy.delete(reason);
    this.#waiting?.resume(reason);
  }

  /** The next frame that waits to be mixed; false when none does. */
  takeInto(frame: Int16Array): boolean {
    if (this.#way === 'ring') return this.#ring.shiftInto(frame);
    if (this.#way !== 'second' || this.#second === undefined) return false;
    const isTaken = this.#second.playInto(frame);
    if (this.#second.waitingFrames === 0) this.#second.rest();
    return isTaken;
  }

  mark(name: string, nowMs: AtMs): boolean {
    if (this.#way === 'second') this.#second?.mark(name);
    else this.#leg.mark(name, nowMs, !this.speaker.isPaced);
    return true;
  }

  /** The next mark whose words have all been mixed. */
  takeMark(): PlayedMark | undefined {
    return this.#way === 'second' ? this.#second?.takeMark() : undefined;
  }

  clear(nowMs: AtMs): void {
    for (const mark of this.drop()) this.#onMark(mark);
    if (this.#way === 'queue' || this.#way === 'direct') this.#leg.clear(nowMs);
  }

  /** Forgets what waits to be mixed, and gives its slots back; the marks that never came. */
  drop(): readonly PlayedMark[] {
    this.#pausedBy.delete('interrupted');
    this.#ring.clear();
    return this.#second?.clear().marks ?? [];
  }

  get #waiting(): Playout | undefined {
    if (this.#way === 'second') return this.#second;
    return this.#way === 'queue' ? this.#leg.playout : undefined;
  }

  #moveNext(second: Playout, scratch: Int16Array): void {
    this.#moveMarks(second);
    second.moveInto(scratch);
    this.#leg.queue(scratch);
  }

  #moveMarks(second: Playout): void {
    for (let mark = second.takeMark(); mark !== undefined; mark = second.takeMark()) {
      this.#leg.playout.mark(mark.name);
    }
  }

  #take(frame: Int16Array): void {
    switch (this.#way) {
      case 'direct':
        this.#leg.forward(frame);
        return;
      case 'queue':
        this.#leg.queue(frame);
        return;
      case 'ring':
        this.#ring.push(frame);
        return;
      case 'second':
        this.#second?.push(frame);
    }
  }
}
