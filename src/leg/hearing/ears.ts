import type { AtMs } from '../../base/clock.ts';
import { AnswerJudge, type AnswerResult } from '../../media/tones/answer/answer-judge.ts';
import type { AnswerSettings } from '../../media/tones/answer/answer-settings.ts';
import { DtmfDetector, type KeyEdge } from '../../media/tones/dtmf/dtmf-detector.ts';
import type { DtmfSettings } from '../../media/tones/dtmf/dtmf-settings.ts';
import type { ToneEdge } from '../../media/tones/tone-edge.ts';
import { ToneListener } from '../../media/tones/tone-listener.ts';
import type { ToneSettings } from '../../media/tones/tone-settings.ts';
import type { VoiceEdge, VoiceEdges } from '../../media/voice/voice-edges.ts';

/** What is listened for besides voices; what is absent is not listened for. */
export interface EarsSettings {
  readonly dtmf?: DtmfSettings;
  readonly tones?: ToneSettings;
  /** Who answered an outbound call. Needs no tones, and is better with them. */
  readonly answer?: AnswerSettings;
}

/** Who is told what the ears heard. Nobody has to care for more than voices. */
export interface EarsListener {
  onVoice(edge: VoiceEdge, nowMs: AtMs): void;
  onKey?(edge: KeyEdge, nowMs: AtMs): void;
  onTone?(edge: ToneEdge, nowMs: AtMs): void;
  onAnswer?(result: AnswerResult, nowMs: AtMs): void;
}

/** Everything that hears one leg: voices, keys, tones, and who it was that answered. */
export class Ears {
  readonly #edges: VoiceEdges;
  readonly #listener: EarsListener;
  readonly #keys: DtmfDetector | undefined;
  readonly #tones: ToneListener | undefined;
  #judge: AnswerJudge | undefined;

  constructor(options: {
    readonly sampleRateHz: number;
    readonly edges: VoiceEdges;
    readonly settings?: EarsSettings;
    readonly listener: EarsListener;
  }) {
    const { sampleRateHz, edges, settings = {}, listener } = options;
    this.#edges = edges;
    this.#listener = listener;
    this.#keys = settings.dtmf && new DtmfDetector(sampleRateHz, settings.dtmf);
    this.#tones = settings.tones && new ToneListener(sampleRateHz, settings.tones);
    this.#judge = settings.answer && new AnswerJudge(0, settings.answer);
  }

  /** Hears one frame that is next in order, whose first sample is at `mediaMs`. */
  hear(frame: Int16Array, mediaMs: number, nowMs: AtMs): void {
    const edge = this.#edges.hear(frame, mediaMs);
    if (edge !== undefined) this.#tellVoice(edge, nowMs);
    if (this.#keys !== undefined) this.#tellKeys(this.#keys.hear(frame, mediaMs), nowMs);
    if (this.#tones !== undefined) this.#tellTones(this.#tones.hear(frame, mediaMs), nowMs);
    if (this.#judge !== undefined) this.#tellAnswer(this.#judge.advance(mediaMs), nowMs);
  }

  /** The line falls silent for good: what sounds is cut short. */
  finish(mediaMs: number, nowMs: AtMs): void {
    const edge = this.#edges.finish(mediaMs);
    if (edge !== undefined) this.#tellVoice(edge, nowMs);
    if (this.#keys !== undefined) this.#tellKeys(this.#keys.finish(), nowMs);
    if (this.#tones !== undefined) this.#tellTones(this.#tones.finish(), nowMs);
    if (this.#judge !== undefined) this.#tellAnswer(this.#judge.finish(mediaMs), nowMs);
  }

  /** Gives back what the detector holds. */
  close(): void {
    this.#edges.close();
  }

  #tellVoice(edge: VoiceEdge, nowMs: AtMs): void {
    this.#listener.onVoice(edge, nowMs);
    if (this.#judge !== undefined) this.#tellAnswer(this.#judge.hearVoice(edge), nowMs);
  }

  #tellKeys(edges: readonly KeyEdge[], nowMs: AtMs): void {
    for (let i = 0; i < edges.length; i++) this.#listener.onKey?.(edges[i]!, nowMs);
  }

  #tellTones(edges: readonly ToneEdge[], nowMs: AtMs): void {
    for (let i = 0; i < edges.length; i++) {
      const edge = edges[i]!;
      this.#listener.onTone?.(edge, nowMs);
      if (this.#judge !== undefined) this.#tellAnswer(this.#judge.hearTone(edge), nowMs);
    }
  }

  #tellAnswer(result: AnswerResult | undefined, nowMs: AtMs): void {
    if (result === undefined) return;
    this.#judge = undefined;
    this.#listener.onAnswer?.(result, nowMs);
  }
}
