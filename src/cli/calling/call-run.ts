import { seededDice, type Clock } from '../../base/clock.ts';
import type { CallerOptions } from '../../dialect/caller.ts';
import type { Inbound } from '../../dialect/dialect.ts';
import { KIB } from '../../base/units.ts';
import { Recorder } from './audio/recorder.ts';
import { writeScript, type Script } from './audio/script.ts';
import type { Sound } from './audio/sound.ts';
import type { EventFeed } from './events/event-feed.ts';
import type { Envelope } from '../../events/envelope.ts';
import { EventWatch, type SeenEvent } from './events/event-watch.ts';
import { Impairments } from './impairments.ts';
import { upgradeHeaders } from './line-terms.ts';
import { Load } from './load.ts';
import { failedOutcome, PlacedCall, type CallOutcome } from './placed-call.ts';
import type { Placement, Placements } from './placements.ts';
import { phaseMsOf } from './schedule.ts';
import { recordFileOf, type CallWishes } from './wishes.ts';
import type { Dial } from './wire/media-wire.ts';

/** After the last hang-up, events may take this long: a control process may just be restarting. */
const EVENTS_PATIENCE_MS = 10_000;
const MESSAGE_BYTES_MAX = 64 * KIB;

/** One call of a run: all there is to report of it. */
export interface RunCall {
  readonly index: number;
  readonly watch: EventWatch;
  readonly sound: Sound;
  callId: string | null;
  /** Absent where there was no place for it. */
  placed?: PlacedCall;
  recordFile?: string;
  outcome?: CallOutcome;
}

/** Somebody who looks on. */
export interface RunObserver {
  connected?(call: RunCall, connectMs: number): void;
  event?(call: RunCall, event: SeenEvent, envelope: Envelope): void;
  over?(call: RunCall): void;
}

export interface CallRunOptions {
  readonly clock: Clock;
  readonly dial: Dial;
  readonly wishes: Omit<CallWishes, 'files' | 'seed' | 'credentialUrl' | 'audioSocket'>;
  /** The calls take turns with them. */
  readonly sounds: readonly Sound[];
  readonly placements: Placements;
  /** Absent where nobody may read events. */
  readonly feed?: EventFeed;
  readonly seed: number;
  /** All frames of all calls at the same instants, instead of spread over the 20 ms. */
  readonly inStep?: boolean;
  readonly observer?: RunObserver;
}

/** Calls placed as a provider places them, with their events: what `omnivoice call` and benchmarks run. */
export class CallRun {
  readonly calls: RunCall[] = [];
  readonly #options: CallRunOptions;
  readonly #load: Load;
  /** A message is read before the next one is, so one scratch serves all calls. */
  readonly #inbound: Inbound = {
    payload: new Uint8Array(MESSAGE_BYTES_MAX),
    payloadBytes: 0,
    sequence: -1,
    timestampMs: -1,
  };
  #isStopped = false;

  constructor(options: CallRunOptions) {
    this.#options = options;
    const { clock, wishes } = options;
    const { count, ratePerS } = wishes;
    this.#load = new Load({ clock, count, ratePerS, place: (index) => this.#place(index) });
  }

  get stats(): Load['stats'] {
    return this.#load.stats;
  }

  /** Resolves when every call is over and its last event is here, or has been waited for long enough. */
  async run(): Promise<void> {
    await this.#load.run();
    const { feed, clock } = this.#options;
    if (feed === undefined) return;
    const owed = this.calls.filter(isOwed).map(({ watch }) => watch.completed);
    const { promise, resolve } = Promise.withResolvers<void>();
    const cancel = clock.after(EVENTS_PATIENCE_MS, resolve);
    await Promise.race([Promise.all(owed), promise, feed.failed]);
    cancel();
  }

  /** Hangs up all calls as a provider does, and places no more. */
  hangUp(): void {
    this.#isStopped = true;
    this.#load.stop();
    for (const { placed } of this.calls) placed?.hangUp();
  }

  async #place(index: number): Promise<void> {
    const { sounds, observer } = this.#options;
    const sound = sounds[index % sounds.length]!;
    const call: RunCall = { index, callId: null, sound, watch: this.#openWatch(() => call) };
    this.calls.push(call);
    try {
      call.outcome = await this.#talk(call);
    } catch (error) {
      call.outcome = failedOutcome(error);
    }
    observer?.over?.(call);
  }

  #openWatch(callOf: () => RunCall): EventWatch {
    const { observer } = this.#options;
    const sent = { ofMediaMs: (mediaMs: number) => callOf().placed?.sent.ofMediaMs(mediaMs) };
    return new EventWatch(sent, (event, envelope) => observer?.event?.(callOf(), event, envelope));
  }

  async #talk(call: RunCall): Promise<CallOutcome> {
    const { placements, feed } = this.#options;
    const placement = await placements();
    call.callId = placement.callId;
    if (placement.callId !== null) feed?.watchCall(placement.callId, call.watch);
    const recorder = await this.#openRecorder(call);
    try {
      call.placed = this.#dial(call, placement, recorder);
      if (this.#isStopped) call.placed.hangUp();
      return await call.placed.outcome;
    } finally {
      await recorder?.close();
    }
  }

  #dial(
    call: RunCall,
    { target, callId, providerCallId }: Placement,
    recorder: Recorder | undefined,
  ): PlacedCall {
    const { clock, dial, wishes, seed, inStep, observer, feed } = this.#options;
    const { index, sound, watch } = call;
    const made = this.#providerIds();
    const ids = { ...made, callId: providerCallId ?? made.callId };
    const caller = wishes.dialect.openCaller(this.#callerOptions(ids));
    if (callId === null) feed?.watchProviderCall(caller.providerCallId ?? ids.callId, watch);
    const facts = { dialect: wishes.dialect, proof: wishes.terms.proof, url: target.url };
    const { impairment } = wishes;
    return new PlacedCall({
      clock,
      dial,
      target: { ...target, headers: upgradeHeaders(facts, caller, clock) },
      caller,
      format: wishes.format,
      heardFormat: wishes.heardFormat,
      script: this.#scriptOf(index, sound),
      inbound: this.#inbound,
      phaseMs: inStep === true ? 0 : phaseMsOf(index),
      driftPpm: impairment?.driftPpm ?? 0,
      expectsEcho: wishes.expectsEcho,
      ...(impairment !== null && { impairments: new Impairments(impairment, seededDice(seed + index)) }),
      ...(recorder !== undefined && { recorder }),
      onConnected: (connectMs) => observer?.connected?.(call, connectMs),
      onCallId: (id) => {
        call.callId ??= id;
        if (callId === null) feed?.watchCall(id, watch);
      },
    });
  }

  #scriptOf(index: number, sound: Sound): Script {
    const { offset, count, repeat, framesMax, digits } = this.#options.wishes;
    const { length } = sound.frames;
    const offsetFrames = offset === 'spread' ? (index * length) / count : (index * offset) / 20;
    return writeScript({ sound, offsetFrames: Math.floor(offsetFrames) % length, repeat, framesMax, digits });
  }

  async #openRecorder(call: RunCall): Promise<Recorder | undefined> {
    const { recordTo, count, heardFormat } = this.#options.wishes;
    if (recordTo === null) return undefined;
    call.recordFile = recordFileOf(recordTo, call.index, count);
    return Recorder.open(call.recordFile, heardFormat);
  }

  #callerOptions(ids: { readonly streamId: string; readonly callId: string }): CallerOptions {
    const { clock, wishes } = this.#options;
    const { format, from, to, impairment, terms } = wishes;
    return {
      ...ids,
      nowMs: clock.nowMs(),
      format,
      from,
      to,
      parameters: {},
      options: terms.options,
      rtpHeaders: impairment !== null,
      // They come by the live stream, as orchestration gets them.
      wantsEvents: false,
    };
  }

  /** Ids as Twilio makes them: two letters and 32 hex digits. */
  #providerIds(): { readonly streamId: string; readonly callId: string } {
    const hex = (): string => this.#options.clock.randomBytes(16).toString('hex');
    return { streamId: `MZ${hex()}`, callId: `CA${hex()}` };
  }
}

function isOwed({ outcome, watch }: RunCall): boolean {
  return outcome?.type === 'hung_up' || watch.stats.events > 0;
}
