import type { AtMs, Cancel, Clock } from '../../base/clock.ts';
import { messageOf } from '../../base/errors.ts';
import type { CallerRead, DialectCaller } from '../../dialect/caller.ts';
import type { Inbound } from '../../dialect/dialect.ts';
import type { AudioFormat } from '../../media/format.ts';
import { EchoCheck, isLossless } from './audio/echo-check.ts';
import { Hearing } from './audio/hearing.ts';
import type { Recorder } from './audio/recorder.ts';
import type { Script } from './audio/script.ts';
import { SignalCheck } from './audio/signal-check.ts';
import { Talk } from './audio/talk.ts';
import type { Impairments } from './impairments.ts';
import { SentTimes } from './sent-times.ts';
import { LastingLine } from './wire/lasting-line.ts';
import type { Dial, MediaTarget, Wire, WireEnd } from './wire/media-wire.ts';

/** The echo of the last word is waited for this long before the call is hung up. */
const ECHO_TAIL_MS = 1_000;
const ECHO_POLL_MS = 10;
/** And the other side's answer to a goodbye this long. */
const GOODBYE_MS = 3_000;
const READY_MS = 10_000;
const UNIMPAIRED: Impairments['stats'] = { lostFrames: 0, reorderedFrames: 0 };

/** How a call went, as its caller saw it. */
export type CallOutcome =
  /** It was hung up in order, by whichever side. */
  | { readonly type: 'hung_up'; readonly by: 'caller' | 'server'; readonly reason: string }
  /** It never came to be, or broke. */
  | { readonly type: 'failed'; readonly detail: string };

export interface PlacedCallOptions {
  readonly clock: Clock;
  readonly dial: Dial;
  readonly target: MediaTarget;
  readonly caller: DialectCaller;
  readonly format: AudioFormat;
  /** What comes back. */
  readonly heardFormat: AudioFormat;
  readonly script: Script;
  /** Audio is read into it, one message at a time: all calls of a process may share one. */
  readonly inbound: Inbound;
  readonly phaseMs: number;
  readonly driftPpm: number;
  /** Whether what was said is expected back. */
  readonly expectsEcho: boolean;
  readonly impairments?: Impairments;
  readonly recorder?: Recorder;
  /** The server named the call (`native`). */
  readonly onCallId?: (callId: string) => void;
  readonly onConnected?: (connectMs: number) => void;
}

type State = 'dialling' | 'waiting_for_ready' | 'talking' | 'listening_out' | 'saying_goodbye' | 'over';

/** One call from the provider's side, from the dialling to the last byte. */
export class PlacedCall {
  readonly outcome: Promise<CallOutcome>;
  readonly sent = new SentTimes();
  /** Where an echo returns every byte. */
  readonly echo: EchoCheck | undefined;
  /** Where it returns the sound, and other bytes. */
  readonly signal: SignalCheck | undefined;
  readonly talk: Talk;
  readonly hearing: Hearing;
  readonly stats = { ignoredMessages: 0 };
  readonly #options: PlacedCallOptions;
  readonly #settle: (outcome: CallOutcome) => void;
  readonly #line: LastingLine;
  readonly #dialledAtMs: AtMs;
  #connectMs: number | null = null;
  #startedAtMs: AtMs | null = null;
  #durationMs = 0;
  #state: State = 'dialling';
  #endedReason: string | undefined;
  #cancelWait: Cancel = () => undefined;

  constructor(options: PlacedCallOptions) {
    const { clock, caller, script, format, heardFormat, expectsEcho } = options;
    this.#options = options;
    const { promise, resolve } = Promise.withResolvers<CallOutcome>();
    this.outcome = promise;
    this.#settle = resolve;
    const wire = { send: (message: Parameters<Wire['send']>[0]) => this.#line.send(message) };
    if (expectsEcho) {
      const facts = { script, sent: this.sent };
      if (isLossless(format, heardFormat))
        this.echo = new EchoCheck({ ...facts, format, unsaidSample: caller.unsaidSample });
      else this.signal = new SignalCheck({ ...facts, spokenFormat: format, heardFormat });
    }
    const say = (message: Parameters<Wire['send']>[0] | undefined): void => {
      if (message !== undefined) wire.send(message);
    };
    this.hearing = new Hearing({
      ...options,
      format: heardFormat,
      ...(caller.playedOut !== undefined && {
        playback: {
          onStarted: () => say(caller.playbackStarted?.()),
          onPlayedOut: () => say(caller.playedOut?.()),
        },
      }),
      ...(this.echo !== undefined && { echo: this.echo }),
      ...(this.signal !== undefined && { signal: this.signal }),
      onMark: (name) => say(caller.markPlayed(name)),
    });
    this.#dialledAtMs = clock.nowMs();
    this.#line = new LastingLine({
      ...options,
      listener: {
        opened: () => this.#opened(),
        heard: (message, isBinary) => this.#heard(message, isBinary),
        ended: (end) => this.#ended(end),
      },
    });
    this.talk = new Talk({ ...options, wire: this.#line, sent: this.sent, onOver: () => this.#listenOut() });
  }

  get isOver(): boolean {
    return this.#state === 'over';
  }

  get isTalking(): boolean {
    return this.#state === 'talking';
  }

  /** How often the call went to another node, or came back after a loss. */
  get lines(): LastingLine['stats'] {
    return this.#line.stats;
  }

  /** What was done to the line on purpose. */
  get impaired(): Impairments['stats'] {
    return this.#options.impairments?.stats ?? UNIMPAIRED;
  }

  /** From dialling to the open connection; null where it never opened. */
  get connectMs(): number | null {
    return this.#connectMs;
  }

  /** From the protocol's start to the end of the connection. */
  get durationMs(): number {
    if (this.#startedAtMs === null) return 0;
    return this.isOver ? this.#durationMs : this.#options.clock.nowMs() - this.#startedAtMs;
  }

  /** Hangs up as the provider does, and ends the connection if nobody answers. */
  hangUp(): void {
    if (this.#state === 'over' || this.#state === 'saying_goodbye') return;
    if (this.#state === 'dialling') {
      this.#line.cut();
      this.#finish({ type: 'failed', detail: 'hung up before it was connected' });
      return;
    }
    this.#state = 'saying_goodbye';
    this.talk.stop();
    const words = this.#options.caller.goodbye();
    for (const message of words) this.#line.send(message);
    // Who has no word for it closes at once; nobody else would.
    this.#wait(words.length === 0 ? 0 : GOODBYE_MS, () => {
      this.#line.close();
      this.#wait(GOODBYE_MS, () => this.#line.cut());
    });
  }

  #opened(): void {
    const { clock, caller, onConnected } = this.#options;
    this.#startedAtMs = clock.nowMs();
    this.#connectMs = this.#startedAtMs - this.#dialledAtMs;
    onConnected?.(this.#connectMs);
    for (const message of caller.hello()) this.#line.send(message);
    if (!caller.waitsForReady) return this.#startTalking();
    this.#state = 'waiting_for_ready';
    this.#wait(READY_MS, () => this.#giveUp('the server never said that the call is ready'));
  }

  #startTalking(): void {
    this.#cancelWait();
    this.#state = 'talking';
    this.talk.start();
  }

  #heard(message: Uint8Array, isBinary: boolean): void {
    if (this.#state === 'over') return;
    const { clock, caller, inbound } = this.#options;
    const nowMs = clock.nowMs();
    const read = caller.read(message, isBinary, inbound);
    if (read.type === 'audio') this.hearing.hear(inbound.payload, inbound.payloadBytes, nowMs);
    else this.#understand(read, nowMs);
  }

  #understand(read: Exclude<CallerRead, { readonly type: 'audio' }>, nowMs: AtMs): void {
    switch (read.type) {
      case 'ready':
        if (read.resume !== undefined) this.#line.offered(read.resume);
        // Said again on each new line of the call.
        if (read.callId !== null && this.lines.comebacks + this.lines.moves === 0)
          this.#options.onCallId?.(read.callId);
        if (this.#state === 'waiting_for_ready') this.#startTalking();
        return;
      case 'mark':
        return this.hearing.mark(read.name, nowMs);
      case 'clear':
        return this.hearing.clear(nowMs);
      case 'reply':
        return this.#line.send(read.message);
      case 'ended':
        this.#endedReason = read.reason;
        // Where the other side answers a goodbye, whoever said it closes.
        if (this.#state === 'saying_goodbye') this.#line.close();
        return;
      case 'goaway':
        return this.#line.move(read.url, read.token);
      case 'refusal':
        return this.#giveUp(`${read.fault}: ${read.detail}`);
      default:
        // Events are not read off the media connection.
        this.stats.ignoredMessages++;
    }
  }

  /** All is said; what is still on its way back is worth a moment. */
  #listenOut(): void {
    if (this.#state !== 'talking') return;
    this.#state = 'listening_out';
    const untilMs = this.#options.clock.nowMs() + ECHO_TAIL_MS;
    const look = (): void => {
      if (this.hearing.isComplete || this.#options.clock.nowMs() >= untilMs) return this.hangUp();
      this.#wait(ECHO_POLL_MS, look);
    };
    look();
  }

  #giveUp(detail: string): void {
    this.#line.cut();
    this.#finish({ type: 'failed', detail });
  }

  #ended(end: WireEnd): void {
    if (end.type === 'unreachable') return this.#finish({ type: 'failed', detail: end.detail });
    if (end.type === 'refused') {
      return this.#finish({ type: 'failed', detail: `refused with HTTP ${end.status}: ${end.detail}` });
    }
    const reason = this.#endedReason ?? (end.reason === '' ? String(end.code) : end.reason);
    if (this.#state === 'saying_goodbye') {
      return this.#finish({ type: 'hung_up', by: 'caller', reason });
    }
    if (end.code === 1000) return this.#finish({ type: 'hung_up', by: 'server', reason });
    this.#finish({ type: 'failed', detail: `the connection broke: ${end.code} ${end.reason}`.trim() });
  }

  #finish(outcome: CallOutcome): void {
    if (this.#state === 'over') return;
    this.#durationMs = this.durationMs;
    this.#state = 'over';
    this.#cancelWait();
    this.talk.stop();
    this.hearing.close();
    this.#settle(outcome);
  }

  #wait(delayMs: number, task: () => void): void {
    this.#cancelWait();
    this.#cancelWait = this.#options.clock.after(delayMs, task);
  }
}

/** A failure that came before there was a connection. */
export function failedOutcome(error: unknown): CallOutcome {
  return { type: 'failed', detail: messageOf(error) };
}
