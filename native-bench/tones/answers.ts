import { AnswerJudge, type AnswerResult } from '../../src/media/tones/answer/answer-judge.ts';
import { ANSWER_DEFAULTS, type AnswerSettings } from '../../src/media/tones/answer/answer-settings.ts';
import type { ToneEdge } from '../../src/media/tones/tone-edge.ts';
import { ToneListener } from '../../src/media/tones/tone-listener.ts';
import { OwnDetector } from '../../src/media/voice/own/own-detector.ts';
import { VoiceEdges } from '../../src/media/voice/voice-edges.ts';
import { VOICE_DEFAULTS } from '../../src/media/voice-detector.ts';

const FRAME_MS = 20;

/** What a leg would have told of a call. */
export interface Judged {
  readonly answer: AnswerResult;
  readonly tones: readonly ToneEdge[];
}

/** A whole call through voice detector, tone listener and judge, as a leg does it. */
export function judge(
  samples: Int16Array,
  rateHz: number,
  settings: AnswerSettings = ANSWER_DEFAULTS,
): Judged {
  const voices = new VoiceEdges(new OwnDetector(rateHz, VOICE_DEFAULTS.aggressiveness), VOICE_DEFAULTS);
  const listener = new ToneListener(rateHz);
  const answer = new AnswerJudge(0, settings);
  const tones: ToneEdge[] = [];
  const frame = (FRAME_MS * rateHz) / 1000;
  let mediaMs = 0;
  for (let at = 0; at + frame <= samples.length; at += frame, mediaMs += FRAME_MS) {
    const heard = samples.subarray(at, at + frame);
    for (const edge of listener.hear(heard, mediaMs)) {
      tones.push(edge);
      answer.hearTone(edge);
    }
    const voice = voices.hear(heard, mediaMs);
    if (voice !== undefined) answer.hearVoice(voice);
    answer.advance(mediaMs + FRAME_MS);
  }
  answer.finish(mediaMs);
  voices.close();
  return { answer: answer.result!, tones };
}
