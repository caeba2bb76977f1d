import { sleep, type Clock } from '../../base/clock.ts';
import { VoiceError } from '../../base/errors.ts';
import { loadSound } from '../calling/audio/sound.ts';
import { CallRun, type RunCall } from '../calling/call-run.ts';
import { credentialPlacements } from '../calling/placements.ts';
import { readWishes } from '../calling/wishes.ts';
import { dialMedia } from '../calling/wire/dial-media.ts';

const CALLS_PER_S = 20;
const LOOK_EVERY_MS = 20;
/** A second and a half: longer than anything that only starts well. */
const HEARD_FRAMES = 75;
const HEARD_WITHIN_MS = 15_000;
const BACK_FRAMES = 50;
const BACK_WITHIN_MS = 30_000;

/** One call of the demonstration. */
export interface DemoCall {
  readonly callId: string;
  readonly isBack: boolean;
  /** The longest silence until the kill, and since its beginning. */
  readonly gapBeforeMs: number;
  readonly gapMs: number;
}

export interface DemoCallsOptions {
  readonly clock: Clock;
  /** Of a stream credential, whose agent is the echo, at the node where the calls shall be. */
  readonly url: string;
  readonly count: number;
  /** A WAV file. */
  readonly sound: string;
}

/** Callers of `omnivoice call --as native` that hear their own echo, without a break or with one. */
export class DemoCalls {
  readonly #clock: Clock;
  readonly #run: CallRun;
  #ended: Promise<void> = Promise.resolve();
  #before = new Map<RunCall, { readonly frames: number; readonly gapMs: number }>();

  constructor({ clock, url, count, sound }: DemoCallsOptions) {
    this.#clock = clock;
    const numbers = { from: '+15550100', to: '+15550199' };
    const flags = { as: 'native', agent: 'echo', ...numbers, count, rate: CALLS_PER_S, repeat: true };
    const wishes = readWishes([sound], { ...flags, credential: url, offset: true });
    this.#run = new CallRun({
      clock,
      dial: dialMedia,
      wishes,
      sounds: [loadSound(sound, wishes.format)],
      placements: credentialPlacements(url, wishes.dialect),
      seed: 1,
    });
  }

  /** Resolves when everybody has heard its echo for a while. */
  async begin(): Promise<void> {
    this.#ended = this.#run.run();
    const isHeard = (call: RunCall): boolean => framesOf(call) >= HEARD_FRAMES;
    if (await this.#until(isHeard, HEARD_WITHIN_MS)) return;
    const outcome = this.#run.calls.find((call) => call.outcome?.type === 'failed')?.outcome;
    const why = outcome?.type === 'failed' ? outcome.detail : 'nothing was heard';
    throw new VoiceError('unavailable', `the calls did not begin: ${why}`);
  }

  /** What it was like until now is written down: something is about to happen. */
  look(): void {
    this.#before = new Map(
      this.#run.calls.map((call) => [call, { frames: framesOf(call), gapMs: gapMsOf(call) }]),
    );
  }

  /** Resolves when everybody is heard again, or has been waited for long enough. */
  async goOn(): Promise<readonly DemoCall[]> {
    const isBack = (call: RunCall): boolean =>
      framesOf(call) >= (this.#before.get(call)?.frames ?? 0) + BACK_FRAMES;
    await this.#until(isBack, BACK_WITHIN_MS);
    return this.#run.calls.map((call) => ({
      callId: call.callId ?? '?',
      isBack: isBack(call),
      gapBeforeMs: this.#before.get(call)?.gapMs ?? 0,
      gapMs: gapMsOf(call),
    }));
  }

  async close(): Promise<void> {
    this.#run.hangUp();
    await this.#ended;
  }

  async #until(isTrue: (call: RunCall) => boolean, withinMs: number): Promise<boolean> {
    const untilMs = this.#clock.nowMs() + withinMs;
    const areAll = (): boolean => this.#run.calls.length > 0 && this.#run.calls.every(isTrue);
    while (!areAll() && this.#clock.nowMs() < untilMs) await sleep(this.#clock, LOOK_EVERY_MS);
    return areAll();
  }
}

function framesOf({ placed }: RunCall): number {
  return placed?.hearing.stats.receivedFrames ?? 0;
}

function gapMsOf({ placed }: RunCall): number {
  return placed?.hearing.stats.gapMsMax ?? 0;
}
