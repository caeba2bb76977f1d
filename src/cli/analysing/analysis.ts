import type { AtMs } from '../../base/clock.ts';
import type { JsonObject } from '../../base/json.ts';
import { FRAME_MS, frameSamples } from '../../base/units.ts';
import { newFrameCounters } from '../../leg/counters.ts';
import { Ears, type EarsSettings } from '../../leg/hearing/ears.ts';
import { ToldDigits } from '../../leg/hearing/told-digits.ts';
import { houseRateHz } from '../../leg/house-rate.ts';
import { Ingress } from '../../leg/ingress.ts';
import { LegQuality } from '../../leg/leg-quality.ts';
import { formatName } from '../../media/format.ts';
import { AdaptiveJitterBuffer } from '../../media/jitter/adaptive-jitter-buffer.ts';
import { FixedJitterBuffer } from '../../media/jitter/fixed-jitter-buffer.ts';
import type { JitterBuffer } from '../../media/jitter/jitter-buffer.ts';
import type { VoiceDetectors, VoiceSettings } from '../../media/voice-detector.ts';
import { VoiceEdges } from '../../media/voice/voice-edges.ts';
import { answerEvent, keyEvent, toldKeyEvent, toneEvent, voiceEvent } from './event-lines.ts';
import type { PlayedFile } from './played-file.ts';
import { RawDecisions } from './raw-decisions.ts';
import type { Recording } from './recording.ts';
import { statsOf } from './stats.ts';

/** How a recording is listened to: as a leg of the runtime would be. */
export interface AnalysisSettings {
  readonly voice: VoiceSettings;
  readonly hearing: EarsSettings;
  readonly jitter: {
    readonly mode: 'fixed' | 'adaptive';
    readonly targetMs: number;
    readonly maxMs: number;
  };
}

export interface AnalysisOptions {
  readonly recording: Recording;
  readonly detectors: VoiceDetectors;
  readonly settings: AnalysisSettings;
  /** Where what would have been played goes, at the rate told. */
  readonly openPlayed?: (sampleRateHz: number, samples: number) => PlayedFile;
}

/** What the runtime would have reported of a recording. */
export interface AnalysisResult {
  readonly events: readonly JsonObject[];
  readonly stats: JsonObject;
  /** One digit for 20 ms: the detector's raw decision. */
  readonly frames: string;
}

const OBSERVE_EVERY_MS = 1000;
const NOTHING_SAID = { stats: { sentFrames: 0, droppedFrames: 0 } };

/** Runs a recording through a leg's way in, at virtual speed. */
export function analyse(options: AnalysisOptions): AnalysisResult {
  return new Analysis(options).run();
}

class Analysis {
  readonly #recording: Recording;
  readonly #events: JsonObject[] = [];
  readonly #sampleRateHz: number;
  readonly #decisions: RawDecisions;
  readonly #ears: Ears;
  readonly #ingress: Ingress;
  readonly #quality: LegQuality;
  readonly #played: PlayedFile | undefined;
  readonly #silence: Int16Array;
  readonly #digits = new ToldDigits();
  #toldKeys = 0;
  #nextTickAtMs: AtMs = 0;
  #nextLookAtMs: AtMs = OBSERVE_EVERY_MS;
  #playedFrames = 0;

  constructor({ recording, detectors, settings, openPlayed }: AnalysisOptions) {
    const { format } = recording;
    this.#recording = recording;
    this.#sampleRateHz = houseRateHz({ inbound: format, outbound: format });
    const samples = frameSamples(this.#sampleRateHz);
    this.#silence = new Int16Array(samples);
    this.#played = openPlayed?.(this.#sampleRateHz, samples);
    this.#decisions = new RawDecisions(detectors.open(this.#sampleRateHz, settings.voice));
    this.#ears = this.#openEars(settings);
    this.#ingress = new Ingress({
      format,
      sampleRateHz: this.#sampleRateHz,
      jitter: openJitter(this.#sampleRateHz, settings.jitter, recording.isLossy),
      ears: { hear: (frame, mediaMs, nowMs) => this.#listen(frame, mediaMs, nowMs) },
      counters: newFrameCounters(),
      listener: { onFrame: (frame) => this.#hear(frame) },
    });
    this.#quality = new LegQuality({
      codec: format.codec,
      ingress: this.#ingress,
      egress: NOTHING_SAID,
      startedAtMs: 0,
    });
  }

  run(): AnalysisResult {
    let nowMs = 0;
    for (const delivery of this.#recording.deliveries()) {
      nowMs = delivery.atMs;
      this.#passTo(nowMs);
      this.#ingress.accept(delivery, nowMs);
    }
    this.#drain(nowMs);
    this.#tellKeys(Infinity);
    this.#ears.finish(this.#ingress.mediaMs, nowMs);
    const report = this.#quality.whole(nowMs);
    const stats = {
      format: formatName(this.#recording.format),
      sample_rate_hz: this.#sampleRateHz,
      duration_ms: this.#ingress.mediaMs,
      other_packets: this.#recording.otherPackets,
      ...statsOf(this.#ingress, report, this.#sampleRateHz),
    };
    this.#ears.close();
    this.#ingress.close();
    this.#played?.close();
    return { events: this.#events, stats, frames: this.#decisions.digits };
  }

  #openEars({ voice, hearing }: AnalysisSettings): Ears {
    const tell = (event: JsonObject): void => void this.#events.push(event);
    return new Ears({
      sampleRateHz: this.#sampleRateHz,
      edges: new VoiceEdges(this.#decisions, voice),
      settings: hearing,
      listener: {
        onVoice: (edge) => tell(voiceEvent(edge)),
        onKey: (edge) => {
          const isPress = edge.type === 'key_pressed';
          if (isPress && this.#digits.isNew(edge.digit, 'in_band', edge.atMs)) tell(keyEvent(edge));
        },
        onTone: (edge) => tell(toneEvent(edge)),
        onAnswer: (result) => tell(answerEvent(result)),
      },
    });
  }

  #listen(frame: Int16Array, mediaMs: number, nowMs: AtMs): void {
    this.#tellKeys(mediaMs + FRAME_MS);
    this.#decisions.goTo(mediaMs);
    this.#ears.hear(frame, mediaMs, nowMs);
  }

  /** Keys told beside the sound take their place among what is heard. */
  #tellKeys(untilMs: number): void {
    const { toldKeys } = this.#recording;
    for (let key = toldKeys[this.#toldKeys]; key !== undefined && key.onsetMs < untilMs;) {
      if (this.#digits.isNew(key.digit, 'out_of_band', key.onsetMs)) this.#events.push(toldKeyEvent(key));
      key = toldKeys[++this.#toldKeys];
    }
  }

  /** Time passes: the metronome ticks, and once a second somebody looks how good it sounds. */
  #passTo(nowMs: AtMs): void {
    const isClocked = this.#ingress.jitter.targetMs > 0;
    for (; this.#nextTickAtMs <= nowMs; this.#nextTickAtMs += FRAME_MS) {
      if (isClocked) this.#tick(this.#nextTickAtMs);
      if (this.#nextTickAtMs < this.#nextLookAtMs) continue;
      this.#look(this.#nextTickAtMs);
      this.#nextLookAtMs += OBSERVE_EVERY_MS;
    }
  }

  #tick(nowMs: AtMs): void {
    const playedFrames = this.#playedFrames;
    this.#ingress.play(nowMs);
    // Nothing is due: a listener hears silence, and time goes on for him.
    if (this.#playedFrames === playedFrames && playedFrames > 0) this.#hear(this.#silence);
  }

  #look(nowMs: AtMs): void {
    const window = this.#quality.observe(nowMs);
    if (window?.report === undefined || window.edge === undefined) return;
    const { mos, lossRatio: loss_ratio, jitterMs: jitter_ms } = window.report;
    this.#events.push({ type: `media_${window.edge}`, at_ms: Math.round(nowMs), mos, loss_ratio, jitter_ms });
  }

  /** The last packets are held like all others, and then heard. */
  #drain(nowMs: AtMs): void {
    const { jitter } = this.#ingress;
    this.#ingress.finish(nowMs);
    if (jitter.targetMs === 0) return;
    for (; jitter.depthMs >= FRAME_MS; this.#nextTickAtMs += FRAME_MS) this.#tick(this.#nextTickAtMs);
  }

  #hear(frame: Int16Array): void {
    this.#playedFrames++;
    this.#played?.write(frame);
  }
}

function openJitter(
  sampleRateHz: number,
  { mode, targetMs, maxMs }: AnalysisSettings['jitter'],
  isLossy: boolean,
): JitterBuffer {
  if (mode === 'fixed') return new FixedJitterBuffer({ sampleRateHz, targetMs });
  const isHeld = isLossy || targetMs > 0;
  return new AdaptiveJitterBuffer({
    sampleRateHz,
    minMs: targetMs,
    maxMs: isHeld ? Math.max(targetMs, maxMs) : 0,
  });
}
