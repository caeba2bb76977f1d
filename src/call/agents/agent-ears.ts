import type { AtMs } from '../../base/clock.ts';
import type { FaultCode } from '../../base/errors.ts';
import type { Leg } from '../../leg/leg.ts';
import type { CallInput, LegListener } from '../../leg/leg-listener.ts';
import type { PlayedMark } from '../../leg/playout.ts';
import type { VoiceEdge } from '../../media/voice/voice-edges.ts';

/** What is noticed on an agent's line before its call is told. */
export interface AgentWatch {
  /** Per frame: it must not allocate. */
  heard(nowMs: AtMs): void;
  hungUp(nowMs: AtMs): void;
  gone(error: string, nowMs: AtMs): void;
}

/**
 * Listens to the leg of a backend we dialled. Its sound and its words are the call's; when the line is gone,
 * nobody waits for the backend to come back: it is for us to dial again.
 */
export class AgentEars implements LegListener {
  readonly #call: LegListener;
  readonly #watch: AgentWatch;

  constructor(call: LegListener, watch: AgentWatch) {
    this.#call = call;
    this.#watch = watch;
  }

  onFrame(leg: Leg, frame: Int16Array, nowMs: AtMs): void {
    this.#call.onFrame(leg, frame, nowMs);
    this.#watch.heard(nowMs);
  }

  onVoice(leg: Leg, edge: VoiceEdge, nowMs: AtMs): void {
    this.#call.onVoice(leg, edge, nowMs);
  }

  onInput(leg: Leg, input: CallInput, nowMs: AtMs): void {
    if (input.type === 'hung_up') this.#watch.hungUp(nowMs);
    else this.#call.onInput(leg, input, nowMs);
  }

  onMark(leg: Leg, mark: PlayedMark, nowMs: AtMs): void {
    this.#call.onMark(leg, mark, nowMs);
  }

  onPlayed(leg: Leg, playedFrames: number, nowMs: AtMs): void {
    this.#call.onPlayed(leg, playedFrames, nowMs);
  }

  onBroken(_leg: Leg, fault: FaultCode, nowMs: AtMs): void {
    this.#watch.gone(fault, nowMs);
  }

  onLost(_leg: Leg, nowMs: AtMs): void {
    this.#watch.gone('connection_lost', nowMs);
  }
}
