import type { VoiceEdge } from '../../voice/voice-edges.ts';
import type { ToneEdge } from '../tone-edge.ts';
import { ANSWER_DEFAULTS, type AnswerSettings } from './answer-settings.ts';

/** Who answered, as far as sound tells. */
export type Answerer = 'human' | 'machine' | 'unknown';

/** What decided it. */
export type AnswerCause =
  | 'initial_silence'
  | 'long_greeting'
  | 'many_words'
  | 'silence_after_greeting'
  | 'beep'
  | 'fax'
  | 'no_answer'
  | 'time_up'
  | 'hung_up';

/** The one verdict on a call. */
export interface AnswerResult {
  readonly result: Answerer;
  /** From the answer to the verdict. */
  readonly decidedMs: number;
  readonly cause: AnswerCause;
}

/**
 * Human or machine? People say a short hello and listen, machines speak on or begin late. Told the edges
 * of voice and of
 * tones and how far the media time has got; gives its verdict once.
 */
export class AnswerJudge {
  readonly #settings: AnswerSettings;
  readonly #answeredAtMs: number;
  /** Voice that is over. */
  #spokenMs = 0;
  #words = 0;
  #voiceUntilMs: number | undefined;
  #voiceFromMs: number | undefined;
  #onsetMs = 0;
  #result: AnswerResult | undefined;

  /** `answeredAtMs` is the media time of the answer: what is heard before it does not count. */
  constructor(answeredAtMs: number, settings: AnswerSettings = ANSWER_DEFAULTS) {
    this.#answeredAtMs = answeredAtMs;
    this.#settings = settings;
  }

  /** The verdict, once there is one. */
  get result(): AnswerResult | undefined {
    return this.#result;
  }

  /** An edge of the voice detector. */
  hearVoice(edge: VoiceEdge): AnswerResult | undefined {
    if (edge.type === 'voice_detected') {
      this.#onsetMs = edge.onsetMs;
      this.#voiceFromMs = Math.max(edge.onsetMs, this.#answeredAtMs);
      return this.advance(edge.atMs);
    }
    const fromMs = this.#voiceFromMs;
    this.#voiceFromMs = undefined;
    if (fromMs === undefined) return this.advance(edge.atMs);
    // The silence that confirmed the end came after it.
    const untilMs = Math.max(fromMs, this.#onsetMs + edge.durationMs);
    return this.#spoke(fromMs, untilMs, edge.atMs);
  }

  /** An edge of a tone. */
  hearTone(edge: ToneEdge): AnswerResult | undefined {
    if (edge.type !== 'tone_detected' || edge.atMs < this.#answeredAtMs) return undefined;
    switch (edge.tone) {
      case 'beep':
        return this.#decide('machine', 'beep', edge.atMs);
      case 'fax_cng':
      case 'fax_ced':
        return this.#decide('machine', 'fax', edge.atMs);
      default:
        // Busy, ringback and the like: nobody has answered at all.
        return this.#decide('unknown', 'no_answer', edge.atMs);
    }
  }

  /** The media time is `mediaMs`, and nothing else has happened. */
  advance(mediaMs: number): AnswerResult | undefined {
    if (this.#result !== undefined || mediaMs < this.#answeredAtMs) return undefined;
    const settings = this.#settings;
    const openMs = this.#voiceFromMs === undefined ? 0 : mediaMs - this.#voiceFromMs;
    const isWord = openMs >= settings.wordMinMs;
    if (this.#spokenMs + openMs >= settings.greetingMs)
      return this.#decide('machine', 'long_greeting', mediaMs);
    if (this.#words + (isWord ? 1 : 0) >= settings.wordsMax)
      return this.#decide('machine', 'many_words', mediaMs);
    if (this.#voiceFromMs === undefined) return this.#listen(mediaMs);
    return this.#timeUp(mediaMs);
  }

  /** The line is gone, or is somebody's: what is not known by now never will be. */
  finish(mediaMs: number): AnswerResult | undefined {
    return this.#decide('unknown', 'hung_up', mediaMs);
  }

  #spoke(fromMs: number, untilMs: number, atMs: number): AnswerResult | undefined {
    if (untilMs - fromMs >= this.#settings.wordMinMs) {
      this.#spokenMs += untilMs - fromMs;
      this.#words++;
      this.#voiceUntilMs = untilMs;
    }
    return this.advance(atMs);
  }

  /** Nobody speaks. */
  #listen(mediaMs: number): AnswerResult | undefined {
    const { initialSilenceMs, afterGreetingSilenceMs } = this.#settings;
    if (this.#voiceUntilMs === undefined) {
      const isLong = mediaMs - this.#answeredAtMs >= initialSilenceMs;
      return isLong ? this.#decide('machine', 'initial_silence', mediaMs) : this.#timeUp(mediaMs);
    }
    if (mediaMs - this.#voiceUntilMs < afterGreetingSilenceMs) return this.#timeUp(mediaMs);
    return this.#decide('human', 'silence_after_greeting', mediaMs);
  }

  #timeUp(mediaMs: number): AnswerResult | undefined {
    if (mediaMs - this.#answeredAtMs < this.#settings.totalMs) return undefined;
    return this.#decide('unknown', 'time_up', mediaMs);
  }

  #decide(result: Answerer, cause: AnswerCause, mediaMs: number): AnswerResult | undefined {
    if (this.#result !== undefined) return undefined;
    const decidedMs = Math.max(0, Math.round(mediaMs - this.#answeredAtMs));
    this.#result = { result, cause, decidedMs };
    return this.#result;
  }
}
