import type { JsonObject } from '../../base/json.ts';
import type { AnswerResult } from '../../media/tones/answer/answer-judge.ts';
import type { KeyPressed } from '../../media/tones/dtmf/dtmf-detector.ts';
import type { ToneEdge } from '../../media/tones/tone-edge.ts';
import type { VoiceEdge } from '../../media/voice/voice-edges.ts';
import type { ToldKey } from './telephone-events.ts';

/** Events by the names and fields of the catalogue; times are those of the recording. */
export function voiceEvent(edge: VoiceEdge): JsonObject {
  const { type, atMs: at_ms } = edge;
  return edge.type === 'voice_detected'
    ? { type, at_ms, onset_ms: edge.onsetMs, level_dbfs: edge.levelDbfs }
    : { type, at_ms, duration_ms: edge.durationMs };
}

/** A key is down. */
export function keyEvent({ digit, atMs: at_ms, onsetMs: onset_ms }: KeyPressed): JsonObject {
  return { type: 'dtmf_received', digit, at_ms, onset_ms, source: 'in_band' };
}

/** A key was told beside the sound. */
export function toldKeyEvent({ digit, onsetMs, durationMs: duration_ms }: ToldKey): JsonObject {
  return {
    type: 'dtmf_received',
    digit,
    at_ms: onsetMs,
    onset_ms: onsetMs,
    duration_ms,
    source: 'out_of_band',
  };
}

/** A tone was made out, or has stopped. */
export function toneEvent(edge: ToneEdge): JsonObject {
  const { type, tone, atMs: at_ms } = edge;
  if (edge.type === 'tone_ended') return { type, tone, at_ms, duration_ms: edge.durationMs };
  const { onsetMs: onset_ms, confidence, frequencyHz } = edge;
  const frequency = frequencyHz === undefined ? {} : { frequency_hz: Math.round(frequencyHz) };
  return { type, tone, at_ms, onset_ms, confidence, ...frequency };
}

/** Who answered. */
export function answerEvent({ result, cause, decidedMs }: AnswerResult): JsonObject {
  return { type: 'amd_result', at_ms: decidedMs, result, cause, decided_ms: decidedMs };
}
