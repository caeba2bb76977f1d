import type { AtMs } from '../base/clock.ts';
import type { FaultCode } from '../base/errors.ts';
import type { LegInput } from '../dialect/dialect.ts';
import type { AnswerResult } from '../media/tones/answer/answer-judge.ts';
import type { ToneDetected } from '../media/tones/tone-edge.ts';
import type { VoiceEdge } from '../media/voice/voice-edges.ts';
import type { Leg } from './leg.ts';
import type { PlayedMark } from './playout.ts';
import type { LegWindow } from './leg-quality.ts';

/** What of a leg's wire is for its call: the rest the leg sees to itself. */
export type CallInput = Exclude<
  LegInput,
  { type: 'started' | 'resume' | 'several' | 'reply' | 'flow' | 'mark_played' | 'played_out' }
>;

/** What a leg tells its call. Frames are valid until the call returns. */
export interface LegListener {
  onFrame(leg: Leg, frame: Int16Array, nowMs: AtMs): void;
  onVoice(leg: Leg, edge: VoiceEdge, nowMs: AtMs): void;
  onInput(leg: Leg, input: CallInput, nowMs: AtMs): void;
  /** A key was heard in the sound, and nobody had told of it in other words. */
  onDigit?(leg: Leg, digit: string, nowMs: AtMs): void;
  onTone?(leg: Leg, tone: ToneDetected, nowMs: AtMs): void;
  /** Who answered, on a call that we placed. */
  onAnswer?(leg: Leg, result: AnswerResult, nowMs: AtMs): void;
  /** Ten seconds are over that made the leg degraded, or recovered. */
  onQuality?(leg: Leg, window: LegWindow, nowMs: AtMs): void;
  /** A mark's audio was really played to this leg. */
  onMark(leg: Leg, mark: PlayedMark, nowMs: AtMs): void;
  /** What was queued has been played, and a pause came after it. */
  onPlayed(leg: Leg, playedFrames: number, nowMs: AtMs): void;
  /** The peer broke its protocol, or a limit; the socket is being closed. */
  onBroken(leg: Leg, fault: FaultCode, nowMs: AtMs): void;
  /** The socket is gone. */
  onLost(leg: Leg, nowMs: AtMs): void;
}
