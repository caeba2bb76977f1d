import { invariant } from '../../base/errors.ts';
import { FRAME_MS } from '../../base/units.ts';
import { meanSquare, meanSquareOf, rmsDbfs } from './level.ts';
import type { VoiceDetector, VoiceSettings } from '../voice-detector.ts';

const HOP_MS = 10;
const HOPS_PER_FRAME = FRAME_MS / HOP_MS;

/** Somebody began to speak. */
export interface VoiceDetected {
  readonly type: 'voice_detected';
  /** Media time of the end of the frame that confirmed it. */
  readonly atMs: number;
  /** Media time of the first hop of the voice, traces before the first sure one included. */
  readonly onsetMs: number;
  /** Level of the confirming frame, to a tenth. */
  readonly levelDbfs: number;
}

/** And stopped. */
export interface VoiceEnded {
  readonly type: 'voice_ended';
  /** Media time of the end of the frame that confirmed it. */
  readonly atMs: number;
  /** From the onset to the end of the last voiced hop: the silence that confirmed the end is not speech. */
  readonly durationMs: number;
}

export type VoiceEdge = VoiceDetected | VoiceEnded;

// The members are made once and moved between, since a state made per hop would be garbage per hop.
interface Rising {
  readonly name: 'rising';
  onsetMs: number;
  voicedHops: number;
}

interface Speaking {
  readonly name: 'speaking';
  onsetMs: number;
  voicedUntilMs: number;
}

type State = { readonly name: 'quiet' } | Rising | Speaking;

const QUIET: State = { name: 'quiet' };

/**
 * Turns a detector's nervous hops into edges: voice is reported once it has lasted `startMs` without a gap,
 * and has ended once it was gone for `stopMs`. Both are at least one frame, so that one frame brings at most
 * one edge. Frames are told in order with their media time; a hole in it counts as silence while somebody
 * speaks.
 */
export class VoiceEdges {
  readonly #detector: VoiceDetector;
  readonly #hop: Int16Array;
  readonly #startHops: number;
  readonly #stopMs: number;
  readonly #meanSquareMin: number;
  readonly #rising: Rising = { name: 'rising', onsetMs: 0, voicedHops: 0 };
  readonly #speaking: Speaking = { name: 'speaking', onsetMs: 0, voicedUntilMs: -Infinity };
  #state: State = QUIET;

  /** The detector is the edges' own from now on: `close` closes it. */
  constructor(detector: VoiceDetector, settings: VoiceSettings) {
    this.#detector = detector;
    this.#hop = new Int16Array(detector.hopSamples);
    this.#startHops = Math.ceil(Math.max(settings.startMs, FRAME_MS) / HOP_MS);
    this.#stopMs = Math.max(settings.stopMs, FRAME_MS);
    this.#meanSquareMin = meanSquareOf(settings.levelMinDbfs);
  }

  get isSpeaking(): boolean {
    return this.#state.name === 'speaking';
  }

  /** Hears one frame whose first sample is at `mediaMs`. */
  hear(frame: Int16Array, mediaMs: number): VoiceEdge | undefined {
    invariant(frame.length === HOPS_PER_FRAME * this.#hop.length, 'voice is heard in whole frames');
    const before = this.#state;
    for (let hop = 0; hop < HOPS_PER_FRAME; hop++) {
      this.#moveBy(this.#isVoiced(frame, hop), mediaMs + hop * HOP_MS);
    }
    const after = this.#state;
    if (after === before) return undefined;
    if (after.name === 'speaking') return detected(after, frame, mediaMs);
    return before.name === 'speaking' ? ended(this.#speaking, mediaMs + FRAME_MS) : undefined;
  }

  /** The stream ends or starts over at `mediaMs`: whoever speaks is cut short. */
  finish(mediaMs: number): VoiceEnded | undefined {
    const wasSpeaking = this.isSpeaking;
    const edge = wasSpeaking ? ended(this.#speaking, mediaMs) : undefined;
    this.#state = QUIET;
    // The next stream may count from anywhere.
    this.#speaking.voicedUntilMs = -Infinity;
    return edge;
  }

  close(): void {
    this.#detector.close();
  }

  // A quiet hop goes to the detector all the same: it learns the noise floor from what it hears.
  #isVoiced(frame: Int16Array, hopIndex: number): boolean {
    const hop = this.#hop;
    const first = hopIndex * hop.length;
    for (let i = 0; i < hop.length; i++) hop[i] = frame[first + i]!;
    return this.#detector.isVoice(hop) && meanSquare(hop) >= this.#meanSquareMin;
  }

  /** The one place where the state moves; `hopMs` is the media time of the hop's first sample. */
  #moveBy(isVoiced: boolean, hopMs: number): void {
    const state = this.#state;
    if (state.name === 'speaking') {
      if (isVoiced) state.voicedUntilMs = hopMs + HOP_MS;
      else if (hopMs + HOP_MS - state.voicedUntilMs >= this.#stopMs) this.#state = QUIET;
      return;
    }
    if (!isVoiced) {
      this.#state = QUIET;
      return;
    }
    if (state.name === 'quiet') this.#rise(hopMs);
    if (++this.#rising.voicedHops >= this.#startHops) this.#speak(hopMs + HOP_MS);
  }

  /** Traced back as far as the detector says, but not into the voice before. */
  #rise(hopMs: number): void {
    const tracedMs = hopMs - (this.#detector.leadHops ?? 0) * HOP_MS;
    const { voicedUntilMs } = this.#speaking;
    this.#rising.onsetMs = voicedUntilMs <= hopMs ? Math.max(tracedMs, voicedUntilMs) : tracedMs;
    this.#rising.voicedHops = 0;
    this.#state = this.#rising;
  }

  #speak(voicedUntilMs: number): void {
    this.#speaking.onsetMs = this.#rising.onsetMs;
    this.#speaking.voicedUntilMs = voicedUntilMs;
    this.#state = this.#speaking;
  }
}

function detected(speaking: Speaking, frame: Int16Array, mediaMs: number): VoiceDetected {
  const levelDbfs = Math.round(rmsDbfs(frame) * 10) / 10;
  return { type: 'voice_detected', atMs: mediaMs + FRAME_MS, onsetMs: speaking.onsetMs, levelDbfs };
}

function ended(speaking: Speaking, atMs: number): VoiceEnded {
  return { type: 'voice_ended', atMs, durationMs: speaking.voicedUntilMs - speaking.onsetMs };
}
