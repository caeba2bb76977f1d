import type { AtMs } from '../base/clock.ts';
import { FAULTS, type FaultCode } from '../base/errors.ts';
import type { LegRole } from '../base/roles.ts';
import type { Capabilities } from '../dialect/capabilities.ts';
import {
  AUDIO,
  type DialectSession,
  type Inbound,
  type LegInput,
  type LegStarted,
  type ReadResult,
  type WireMessage,
} from '../dialect/dialect.ts';
import { formatName } from '../media/format.ts';
import type { Ears } from './hearing/ears.ts';
import { Egress } from './egress.ts';
import type { FrameSink, SocketLoss } from './frame-sink.ts';
import { houseRateHz } from './house-rate.ts';
import { Ingress } from './ingress.ts';
import { earsOf } from './hearing/leg-ears.ts';
import type { LegOptions, Overlay, Pacer } from './leg-options.ts';
import type { LegListener } from './leg-listener.ts';
import { LegQuality, type LegWindow } from './leg-quality.ts';
import type { OwedMarks } from './outbound/owed-marks.ts';
import { QueuedSpeech } from './outbound/queued-speech.ts';
import type { Cleared, Playout } from './playout.ts';
import { advance, type LegEndReason, type LegState } from './state.ts';
import { ToldDigits } from './hearing/told-digits.ts';

const CLOSE_NORMAL = 1000;

/**
 * One party's line: what comes in is understood and heard, what goes out is paced. It decides nothing about
 * the call.
 */
export class Leg {
  readonly id: string;
  readonly role: LegRole;
  readonly dialectName: string;
  readonly capabilities: Capabilities;
  readonly started: LegStarted;
  /** Inside the house: what it hears and says is converted at its door. */
  readonly sampleRateHz: number;
  readonly quality: LegQuality;
  readonly stats = { audioMessages: 0, otherMessages: 0, lastAudioAtMs: 0 };
  readonly #inbound: Inbound;
  readonly #ingress: Ingress;
  readonly #egress: Egress;
  readonly #speech: QueuedSpeech;
  readonly #ears: Ears;
  readonly #digits = new ToldDigits();
  readonly #pacer: Pacer;
  readonly #listener: LegListener;
  readonly #onEnded: () => void;
  #session: DialectSession;
  #sink: FrameSink;
  #state: LegState;
  #isTicking = false;

  constructor(options: LegOptions) {
    this.id = options.id;
    this.role = options.role;
    this.dialectName = options.dialectName;
    this.capabilities = options.capabilities;
    this.started = options.started;
    this.#session = options.session;
    this.#sink = options.sink;
    this.#inbound = options.inbound;
    this.#pacer = options.pacer;
    this.#listener = options.listener;
    this.#onEnded = options.onEnded;
    this.#state = { name: 'active', enteredAtMs: options.nowMs };
    const { started, jitter, counters } = options;
    this.sampleRateHz = houseRateHz(started);
    this.#egress = new Egress(started.outbound, options.session, options.sink, counters, this.sampleRateHz);
    this.#ears = earsOf(this, options, this.#digits);
    this.#ingress = new Ingress({
      format: started.inbound,
      sampleRateHz: this.sampleRateHz,
      jitter,
      ears: this.#ears,
      counters,
      listener: {
        onFrame: (frame, nowMs) => options.listener.onFrame(this, frame, nowMs),
        onHole: () => this.#bufferFromNow(options),
      },
    });
    const { codec } = started.inbound;
    const [ingress, egress] = [this.#ingress, this.#egress];
    this.quality = new LegQuality({ codec, ingress, egress, startedAtMs: options.nowMs });
    this.#speech = new QueuedSpeech(this, options);
    if (jitter.targetMs > 0) this.#startTicking();
  }

  get state(): LegState {
    return this.#state;
  }

  get codecName(): string {
    return formatName(this.started.inbound);
  }

  get ingress(): Ingress {
    return this.#ingress;
  }

  get egress(): Egress {
    return this.#egress;
  }

  get playout(): Playout {
    return this.#speech.playout;
  }

  get owedMarks(): OwedMarks {
    return this.#speech.owedMarks;
  }

  /** One whole message of the peer. The bytes are the caller's again when this returns. */
  receive(message: Uint8Array, isBinary: boolean, nowMs: AtMs): void {
    if (this.#state.name === 'active')
      this.answered(this.#session.read(message, isBinary, this.#inbound), nowMs);
  }

  /** What reading a message of the peer came to; its audio is in the scratch this leg was made with. */
  answered(answer: ReadResult, nowMs: AtMs): void {
    if (this.#state.name !== 'active') return;
    if (answer === AUDIO) {
      this.stats.audioMessages++;
      this.stats.lastAudioAtMs = nowMs;
      if (!this.#ingress.accept(this.#inbound, nowMs)) this.#break('protocol_violation', nowMs);
      return;
    }
    this.stats.otherMessages++;
    switch (answer.type) {
      case 'audio':
      case 'ignored':
        return;
      case 'refusal':
        return this.#break(answer.fault, nowMs);
      case 'started':
      case 'resume':
        return this.#break('protocol_violation', nowMs);
      case 'several':
        for (const input of answer.inputs) this.#take(input, nowMs);
        return;
      default:
        return this.#take(answer, nowMs);
    }
  }

  /** The socket is gone without our asking: it closed under us, or a limit of the door was passed. */
  lost(cause: SocketLoss, nowMs: AtMs): void {
    if (this.#state.name !== 'active') return;
    if (cause.type === 'broken') this.#listener.onBroken(this, cause.fault, nowMs);
    else if (cause.closeCode === CLOSE_NORMAL && this.capabilities.closeEnds) {
      this.#listener.onInput(this, { type: 'hung_up', reason: 'peer' }, nowMs);
    } else this.#listener.onLost(this, nowMs);
  }

  /** Plays a frame to this party now: one live source feeds it, so nothing waits. */
  forward(frame: Int16Array): void {
    if (this.#state.name !== 'active' || !this.started.bidirectional) return;
    // Frames already queued were spoken first; the live frame takes its place behind them.
    if (this.playout.waitingFrames > 0) this.queue(frame);
    else this.#egress.send(frame);
    if (this.#egress.collectedFrames > 0) this.#startTicking();
  }

  /**
   * Queues a frame of a source that may speak faster than real time. False when a minute is already waiting.
   */
  queue(frame: Int16Array): boolean {
    if (this.#state.name === 'ended' || !this.playout.push(frame)) return false;
    this.#startTicking();
    return true;
  }

  /** From the next tick on `overlay` is mixed over the queue; without one nothing is. */
  setOverlay(overlay: Overlay | undefined): void {
    if (this.#state.name === 'ended') return;
    this.#speech.setOverlay(overlay);
    if (overlay !== undefined) this.#startTicking();
  }

  /** Asks to be told when everything queued so far was really played. */
  mark(name: string, nowMs: AtMs, isLive = false): void {
    this.#speech.mark(name, isLive, nowMs);
  }

  /** Drops what is queued, here and at the provider. */
  clear(nowMs: AtMs): Cleared {
    return this.#speech.clear(nowMs);
  }

  /** One frame's turn of the node's metronome, for whatever of this leg is clocked. */
  tick(nowMs: AtMs): void {
    const isBuffered = this.#ingress.jitter.targetMs > 0;
    if (isBuffered) this.#ingress.play(nowMs);
    if (this.#state.name === 'active') this.#speech.play(nowMs);
    if (this.#state.name === 'ended' || (!isBuffered && this.#speech.isDone)) this.#stopTicking();
  }

  send(message: WireMessage): void {
    if (this.#state.name === 'active') this.#sink.send(message);
  }

  get session(): DialectSession {
    return this.#session;
  }

  /** The socket is gone; the leg waits for it to come back. */
  markLost(nowMs: AtMs): void {
    this.#state = advance(this.#state, { type: 'socket_lost' }, nowMs);
  }

  /** The line falls silent for good: whoever speaks on it is cut short. */
  finishVoice(nowMs: AtMs): void {
    this.#ingress.finish(nowMs);
    this.#ears.finish(this.#ingress.mediaMs, nowMs);
  }

  /** Looks how good the line is, about once a second; answers the ten seconds that are over, if they are. */
  observe(nowMs: AtMs): LegWindow | undefined {
    if (this.#state.name !== 'active') return undefined;
    this.#speech.reportOverdue(nowMs);
    const window = this.quality.observe(nowMs);
    if (window?.edge !== undefined) this.#listener.onQuality?.(this, window, nowMs);
    return window;
  }

  /** Ends with the protocol's proper words, then closes the socket. */
  end(reason: LegEndReason, closeCode: number, nowMs: AtMs): void {
    if (this.#state.name === 'active') {
      this.#egress.flush();
      const farewell = this.#session.writeEnd(reason);
      if (farewell !== undefined) this.#sink.send(farewell);
      this.#sink.close(closeCode, reason, this.#session.endGraceMs);
    }
    this.#finish(reason, nowMs);
  }

  /** Closes the socket without a farewell: the party is to come back to another node, not to leave. */
  abandon(closeCode: number, closeReason: string, nowMs: AtMs, graceMs = 0): void {
    if (this.#state.name === 'active') this.#sink.close(closeCode, closeReason, graceMs);
    this.#finish('replaced', nowMs);
  }

  /** Whether `sink` is the socket the leg is on now: an older one has nothing to say any more. */
  isOn(sink: FrameSink): boolean {
    return this.#sink === sink;
  }

  /** The same leg on a new socket: an older one that is still there is closed, or has `graceMs` to leave. */
  resume(session: DialectSession, sink: FrameSink, nowMs: AtMs, graceMs = 0): void {
    const replaced = this.#state.name === 'active' ? this.#sink : undefined;
    this.#session = session;
    this.#sink = sink;
    this.#egress.attach(session, sink);
    this.#ingress.restart();
    this.#state = advance(this.#state, { type: 'socket_resumed' }, nowMs);
    replaced?.close(FAULTS.leg_replaced.closeCode, 'leg_replaced', graceMs);
  }

  #finish(reason: LegEndReason, nowMs: AtMs): void {
    if (this.#state.name === 'ended') return;
    this.#state = advance(this.#state, { type: 'ended', reason }, nowMs);
    this.#speech.drop();
    this.#stopTicking();
    this.#ears.close();
    this.#ingress.close();
    this.#egress.close();
    this.#onEnded();
  }

  #take(input: Exclude<LegInput, { type: 'started' | 'resume' | 'several' }>, nowMs: AtMs): void {
    switch (input.type) {
      case 'reply':
        return this.send(input.message);
      case 'flow':
        return this.#egress.hold(!input.maySend);
      case 'mark_played':
        return this.#speech.markPlayed(input.name, nowMs);
      case 'played_out':
        return this.#speech.playedOut(nowMs);
      case 'dtmf':
        if (this.#digits.isNew(input.digit, 'out_of_band', nowMs)) this.#listener.onInput(this, input, nowMs);
        return;
      default:
        return this.#listener.onInput(this, input, nowMs);
    }
  }

  /** The wire loses packets: from now on what comes is held as long as that makes it necessary. */
  #bufferFromNow({ bufferFromNow, jitter }: LegOptions): void {
    if (jitter.targetMs > 0) return;
    bufferFromNow?.();
    if (jitter.targetMs > 0) this.#startTicking();
  }

  #break(fault: FaultCode, nowMs: AtMs): void {
    this.#sink.close(FAULTS[fault].closeCode, fault);
    this.#listener.onBroken(this, fault, nowMs);
  }

  #startTicking(): void {
    if (this.#isTicking) return;
    this.#isTicking = true;
    this.#pacer.add(this);
  }

  #stopTicking(): void {
    if (!this.#isTicking) return;
    this.#isTicking = false;
    this.#pacer.remove(this);
  }
}
