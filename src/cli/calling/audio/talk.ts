import type { AtMs, Cancel, Clock } from '../../../base/clock.ts';
import { KIB } from '../../../base/units.ts';
import type { DialectCaller } from '../../../dialect/caller.ts';
import type { WireMessage } from '../../../dialect/dialect.ts';
import { Departures } from '../departures.ts';
import { Distribution } from '../distribution.ts';
import type { Impairments } from '../impairments.ts';
import { Schedule, slotAtMs } from '../schedule.ts';
import type { SentTimes } from '../sent-times.ts';
import type { Script } from './script.ts';

/** A provider lets audio fall that its socket does not take, as we do. */
const UNSENT_BYTES_MAX = 64 * KIB;
/** Messages hold a second at most, so that the last one is full by then. */
const FILLING_FRAMES_MAX = 50;

export interface TalkOptions {
  readonly clock: Pick<Clock, 'nowMs' | 'after'>;
  readonly caller: Pick<DialectCaller, 'audio' | 'dtmf'>;
  readonly wire: { readonly bufferedBytes: number; send(message: WireMessage): void };
  readonly script: Script;
  readonly sent: SentTimes;
  /** Where in the 20 ms its frames fall. */
  readonly phaseMs: number;
  readonly driftPpm: number;
  readonly impairments?: Impairments;
  /** All has been said. */
  readonly onOver: () => void;
}

/** A caller's mouth: the frames of its script, each at its instant, through a network as bad as wished. */
export class Talk {
  readonly stats = { sentFrames: 0, droppedFrames: 0, sentDigits: 0, forgivenMs: 0 };
  /** How late each frame left, by the plan: the tool's own unrest, to be told from the server's. */
  readonly lateness = new Distribution();
  readonly #options: TalkOptions;
  readonly #departures: Departures;
  #schedule: Schedule | undefined;
  #cancelNext: Cancel = () => undefined;
  /** The provider speaks in longer messages, and the last one is not full. */
  #isCollecting = false;

  constructor(options: TalkOptions) {
    this.#options = options;
    this.#departures = new Departures(options.clock, (index, dueAtMs) => this.#send(index, dueAtMs));
  }

  start(): void {
    const { clock, phaseMs, driftPpm } = this.#options;
    this.#schedule = new Schedule(slotAtMs(clock.nowMs(), phaseMs), driftPpm);
    this.#waitForNext(this.#schedule);
  }

  stop(): void {
    this.#cancelNext();
    this.#departures.close();
  }

  #waitForNext(schedule: Schedule): void {
    const { clock, onOver } = this.#options;
    if (this.#isOver(schedule)) return onOver();
    // Timers count whole milliseconds and would come early for a fraction.
    const delayMs = Math.ceil(schedule.nextAtMs - clock.nowMs());
    this.#cancelNext = clock.after(Math.max(0, delayMs), () => this.#speakDue(schedule));
  }

  #speakDue(schedule: Schedule): void {
    const { clock } = this.#options;
    schedule.forgive(clock.nowMs());
    this.stats.forgivenMs = schedule.stats.forgivenMs;
    while (!this.#isOver(schedule) && schedule.nextAtMs <= clock.nowMs()) {
      const { index, nextAtMs } = schedule;
      schedule.advance();
      this.#press(index);
      this.#speak(index, nextAtMs);
    }
    this.#waitForNext(schedule);
  }

  /** A provider goes on with silence, so that its last message is whole. */
  #isOver({ index }: Schedule): boolean {
    const { frames } = this.#options.script;
    return index >= frames && (!this.#isCollecting || index >= frames + FILLING_FRAMES_MAX);
  }

  #press(index: number): void {
    const { script, caller, wire } = this.#options;
    const digit = script.digitAt(index);
    if (digit === undefined) return;
    this.stats.sentDigits++;
    for (const message of caller.dtmf(digit)) wire.send(message);
  }

  #speak(index: number, dueAtMs: AtMs): void {
    const { impairments } = this.#options;
    if (impairments === undefined) return this.#send(index, dueAtMs);
    const departureAtMs = impairments.departureAtMs(dueAtMs);
    if (departureAtMs === undefined) return;
    this.#departures.hold(index, departureAtMs);
  }

  #send(index: number, dueAtMs: AtMs): void {
    const { clock, caller, wire, script, sent } = this.#options;
    if (wire.bufferedBytes > UNSENT_BYTES_MAX) {
      this.stats.droppedFrames++;
      return;
    }
    const nowMs = clock.nowMs();
    this.stats.sentFrames++;
    this.lateness.add(nowMs - dueAtMs);
    sent.note(index, nowMs);
    const message = caller.audio(script.frameAt(index), index);
    this.#isCollecting = message === undefined;
    if (message !== undefined) wire.send(message);
  }
}
