import { systemClock } from '../../src/base/clock.ts';
import { decodeMulawInto, encodeMulawInto } from '../../src/media/codecs/g711.ts';
import { FRAME_MS, FRAME_SAMPLES, type Speech } from '../load/speech.ts';
import { dialLine, type CallerLine, type LineDialect } from './caller-line.ts';
import { EchoPath } from './echo-path.ts';

/** A caller listens for so long before it speaks: this, and up to as much again. */
const PATIENCE_FRAMES = 25;
/** A line brings a frame every 20 ms: where the load was late by two, it was no line. */
const TURN_MS_MAX = 3 * FRAME_MS;
const NOISE_LEVEL = 10;
const SAMPLES_PER_MS = FRAME_SAMPLES / FRAME_MS;
const ONSET_STEP_SAMPLES = 37;
/** Levels of the callers, from 6 dB above the sample's to 6 dB below it. */
const LEVELS = 13;

export interface TalkerPlan {
  readonly name: string;
  readonly index: number;
  readonly dialect: LineDialect;
  /** Whether the line brings back what is played to it. */
  readonly hasEcho: boolean;
  /** What it says, one after the other. */
  readonly words: readonly Int16Array[];
  /** What its agent says: where in the sample, and how much. */
  readonly offset: number;
  readonly itemFrames: number;
}

/** What became of one item of the agent. */
export interface HeardItem {
  readonly caller: string;
  readonly itemId: string;
  readonly dialect: LineDialect;
  readonly hasEcho: boolean;
  readonly heardFrames: number;
  /** Of those, the ones that were not what the agent said there. */
  readonly wrongFrames: number;
  readonly wasCleared: boolean;
  /** The load came too late to be a line: there is a hole in a word, or in its echo. */
  readonly isTorn: boolean;
  /** Between two frames, while it was heard. */
  readonly gapMaxMs: number;
  /** Null where the caller said nothing, or was not heeded. */
  readonly sinceOnsetMs: number | null;
  /** From the write of the frame that holds the onset. */
  readonly sinceWriteMs: number | null;
  readonly hasSpoken: boolean;
}

interface Onset {
  readonly writtenAtMs: number;
  /** Sound of the caller in that frame. */
  readonly voicedMs: number;
}

/** A caller that listens to an agent for a while and speaks over it, in a real voice, on its own line. */
export class Talker {
  readonly plan: TalkerPlan;
  isClosed = true;
  hasHungUp = false;
  readonly #speech: Speech;
  readonly #onItem: (item: HeardItem) => void;
  readonly #echo: EchoPath | undefined;
  readonly #mix = new Float64Array(FRAME_SAMPLES);
  readonly #frame = new Int16Array(FRAME_SAMPLES);
  readonly #codes = Buffer.alloc(FRAME_SAMPLES);
  #line: CallerLine | undefined;
  #dice: number;
  #items = 0;
  #heardFrames = 0;
  #wrongFrames = 0;
  #heardAtMs = 0;
  #gapMaxMs = 0;
  #isTorn = false;
  #turnAtMs = Infinity;
  #onset: Onset | undefined;
  /** Samples of the present word that were said; undefined while it is silent. */
  #saidSamples: number | undefined;

  constructor(plan: TalkerPlan, speech: Speech, onItem: (item: HeardItem) => void) {
    this.plan = plan;
    this.#speech = speech;
    this.#onItem = onItem;
    this.#dice = plan.index + 1;
    this.#echo = plan.hasEcho ? new EchoPath(SAMPLES_PER_MS * (80 + ((plan.index * 31) % 280))) : undefined;
  }

  async dial(url: string): Promise<void> {
    const { dialect, name } = this.plan;
    this.isClosed = false;
    this.#line = await dialLine(dialect, url, name, {
      heard: (codes) => this.#heard(codes),
      cleared: () => this.#over(true),
      closed: () => (this.isClosed = true),
    });
  }

  hangUp(): void {
    this.hasHungUp = true;
    this.#line?.hangUp();
  }

  /** Its turn: one frame of whatever is on its line. False where it has none any more. */
  turn(): boolean {
    const line = this.#line;
    if (line === undefined || !line.isOpen) return false;
    this.#keepTime(systemClock.nowMs());
    const mix = this.#mix;
    for (let i = 0; i < mix.length; i++) mix[i] = NOISE_LEVEL * (2 * this.#roll() - 1);
    // Between two items it ends as it must.
    if (this.#echo?.addTo(mix) === false && this.#heardFrames > 0) this.#isTorn = true;
    const begins = this.#begins();
    const onsetAt = begins ? (this.#items * ONSET_STEP_SAMPLES + this.plan.index) % FRAME_SAMPLES : 0;
    if (this.#saidSamples !== undefined) this.#speakInto(mix, onsetAt);
    for (let i = 0; i < mix.length; i++) this.#frame[i] = Math.max(-32_768, Math.min(32_767, mix[i]!));
    encodeMulawInto(this.#frame, this.#codes);
    const voicedMs = (FRAME_SAMPLES - onsetAt) / SAMPLES_PER_MS;
    if (begins) this.#onset = { writtenAtMs: systemClock.nowMs(), voicedMs };
    line.send(Buffer.from(this.#codes));
    return true;
  }

  #keepTime(nowMs: number): void {
    if (this.#heardFrames > 0 && nowMs - this.#turnAtMs > TURN_MS_MAX) this.#isTorn = true;
    this.#turnAtMs = nowMs;
  }

  #begins(): boolean {
    const patience = PATIENCE_FRAMES + ((this.plan.index * 7 + this.#items * 11) % PATIENCE_FRAMES);
    if (this.#onset !== undefined || this.#saidSamples !== undefined) return false;
    if (this.#heardFrames < patience) return false;
    this.#saidSamples = 0;
    return true;
  }

  #speakInto(mix: Float64Array, from: number): void {
    const { words, index } = this.plan;
    const word = words[(index + this.#items) % words.length]!;
    const gain = 10 ** ((6 - ((index + this.#items) % LEVELS)) / 20);
    let said = this.#saidSamples ?? 0;
    for (let i = from; i < mix.length && said < word.length; i++) mix[i]! += gain * word[said++]!;
    this.#saidSamples = said < word.length ? said : undefined;
  }

  #heard(codes: Buffer): void {
    const nowMs = systemClock.nowMs();
    if (this.#heardFrames > 0) this.#gapMaxMs = Math.max(this.#gapMaxMs, nowMs - this.#heardAtMs);
    this.#heardAtMs = nowMs;
    const { mulaw } = this.#speech;
    const frames = mulaw.length / FRAME_SAMPLES;
    const at = ((this.plan.offset + this.#heardFrames++) % frames) * FRAME_SAMPLES;
    if (codes.compare(mulaw, at, at + FRAME_SAMPLES) !== 0) this.#wrongFrames++;
    if (this.#echo !== undefined) {
      const frame = new Int16Array(FRAME_SAMPLES);
      decodeMulawInto(codes, codes.length, frame);
      this.#echo.played(frame);
    }
    if (this.#heardFrames === this.plan.itemFrames) this.#over(false);
  }

  /** The agent has said its item, or was stopped. */
  #over(wasCleared: boolean): void {
    const nowMs = systemClock.nowMs();
    // A second word to drop what is dropped already.
    if (this.#heardFrames === 0) return;
    const { name: caller, dialect, hasEcho } = this.plan;
    const onset = this.#onset;
    const isHeeded = wasCleared && onset !== undefined;
    this.#onItem({
      caller,
      itemId: `item-${++this.#items}`,
      dialect,
      hasEcho,
      heardFrames: this.#heardFrames,
      wrongFrames: this.#wrongFrames,
      wasCleared,
      isTorn: this.#isTorn,
      gapMaxMs: this.#gapMaxMs,
      sinceOnsetMs: isHeeded ? nowMs - onset.writtenAtMs + onset.voicedMs : null,
      sinceWriteMs: isHeeded ? nowMs - onset.writtenAtMs : null,
      hasSpoken: onset !== undefined,
    });
    this.#heardFrames = 0;
    this.#wrongFrames = 0;
    this.#gapMaxMs = 0;
    this.#isTorn = false;
    this.#onset = undefined;
  }

  #roll(): number {
    this.#dice = (Math.imul(this.#dice, 1_103_515_245) + 12_345) >>> 0;
    return this.#dice / 2 ** 32;
  }
}
