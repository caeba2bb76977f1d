import type { AtMs } from '../../base/clock.ts';
import type { Leg } from '../../leg/leg.ts';
import { EchoGuard } from '../../media/echo-guard/echo-guard.ts';
import type { VoiceDetected } from '../../media/voice/voice-edges.ts';

/** Frames in a row that are no echo. One alone may be where two words of an echo meet. */
const SURE_FRAMES = 2;

/** The line of somebody an agent speaks to: is the voice on it theirs, or the agent's own, come back? */
export class ListeningLine {
  readonly legId: string;
  readonly guard: EchoGuard;
  readonly #untap: () => void;
  #ownFrames = 0;
  #isEcho = false;
  /** When the voice was known to be no echo; undefined while it is not. */
  #sinceAtMs: AtMs | undefined;

  constructor(leg: Leg) {
    this.legId = leg.id;
    this.guard = new EchoGuard(leg.sampleRateHz);
    this.#untap = leg.egress.tap((frame) => this.guard.played(frame));
  }

  /** Whether it was an echo until somebody spoke over it: the voice is then younger than its onset says. */
  get wasEcho(): boolean {
    return this.#isEcho;
  }

  get isOwnVoice(): boolean {
    return this.#sinceAtMs !== undefined;
  }

  get sinceAtMs(): AtMs | undefined {
    return this.#sinceAtMs;
  }

  /** A voice begins: whoever is louder than an echo can be is believed at once. */
  voiceBegan({ levelDbfs }: VoiceDetected, nowMs: AtMs): void {
    this.voiceEnded();
    if (this.guard.isLouder(levelDbfs)) this.#sinceAtMs = nowMs;
  }

  /** One more frame of a voice, already heard by the guard. */
  voiceGoesOn(nowMs: AtMs): void {
    if (this.#sinceAtMs !== undefined || this.guard.isQuiet) return;
    if (this.guard.isEcho()) {
      this.#ownFrames = 0;
      this.#isEcho = true;
    } else if (++this.#ownFrames >= SURE_FRAMES) this.#sinceAtMs = nowMs;
  }

  voiceEnded(): void {
    this.#sinceAtMs = undefined;
    this.#ownFrames = 0;
    this.#isEcho = false;
  }

  close(): void {
    this.#untap();
  }
}
