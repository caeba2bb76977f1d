import type { AtMs, Cancel } from '../../base/clock.ts';
import { FRAME_MS, frameSamples } from '../../base/units.ts';
import type { ForkCommand } from '../../events/call-commands/fork.ts';
import type { CallDesk } from '../call-desk.ts';
import { SpeechGate } from '../hearing/speech-gate.ts';
import type { LegParty } from '../parties/party.ts';
import { Recording } from '../recording/recording.ts';
import type { ForkDialler, ForkLine, ForkListener, ForkTranscript, ForkWish } from './fork-line.ts';
import type { KeptFork } from './kept-fork.ts';

const RETRY_FIRST_MS = 500;
const RETRY_MS_MAX = 10_000;
/** Tries in a row without a connection; then nobody waits for the other end any more. */
const TRIES_MAX = 8;
const NOTHING_SENT = { sentFrames: 0, droppedFrames: 0 };

type ForkState =
  | { readonly name: 'dialling'; readonly cancel: () => void }
  | { readonly name: 'open'; readonly line: ForkLine; readonly openedAtMs: AtMs }
  | { readonly name: 'waiting'; readonly cancel: Cancel }
  | { readonly name: 'ended' };

export interface ForkOptions {
  readonly id: string;
  readonly desk: CallDesk;
  readonly dialler: ForkDialler;
  readonly command: ForkCommand;
  readonly party: LegParty;
  /** What went out, and what did not, before the call came here. */
  readonly sentFrames?: number;
  readonly droppedFrames?: number;
  /** It has ended by itself. */
  readonly onEnded: (fork: Fork) => void;
}

/** Why a fork is over. */
export type ForkEndReason = 'stopped' | 'leg_gone' | 'call_ended' | 'unreachable';

/** What everybody is told of a fork that is over. */
export function tellForkEnded(
  desk: CallDesk,
  fork: Pick<KeptFork, 'id' | 'legId' | 'sentFrames' | 'droppedFrames'>,
  reason: ForkEndReason,
  nowMs: AtMs,
): void {
  const [sent_ms, dropped_ms] = [fork.sentFrames * FRAME_MS, fork.droppedFrames * FRAME_MS];
  desk.emit('fork_ended', { fork_id: fork.id, leg_id: fork.legId, reason, sent_ms, dropped_ms }, nowMs);
}

/** A copy of one leg's sound on its way out of the house. What cannot go at once is dropped, and counted. */
export class Fork implements ForkListener {
  readonly id: string;
  readonly party: LegParty;
  readonly stats = { unsentFrames: 0 };
  readonly #options: ForkOptions;
  readonly #wish: ForkWish;
  readonly #gate: SpeechGate | undefined;
  /** Both sides on one clock; undefined where there is one side. */
  readonly #pair: Recording | undefined;
  readonly #pairFrame: Int16Array;
  readonly #untap: () => void;
  #state: ForkState = { name: 'ended' };
  #tries = 0;
  #sentFrames: number;
  #droppedFrames: number;

  constructor(options: ForkOptions) {
    const { id, command, party, desk } = options;
    const { sampleRateHz, egress } = party.leg;
    this.id = id;
    this.party = party;
    this.#options = options;
    this.#sentFrames = options.sentFrames ?? 0;
    this.#droppedFrames = options.droppedFrames ?? 0;
    const { name: _, gate, leg_id: __, ...rest } = command;
    const channels = command.tracks === 'both' ? 2 : 1;
    const callId = desk.facts.id;
    this.#wish = { ...rest, forkId: id, callId, legId: party.id, sampleRateHz, channels };
    this.#gate = gate === 'speech' ? new SpeechGate(sampleRateHz, (frame) => this.#send(frame)) : undefined;
    this.#pairFrame = new Int16Array(2 * frameSamples(sampleRateHz));
    this.#pair = channels === 2 ? this.#pairOf(sampleRateHz) : undefined;
    this.#untap =
      command.tracks === 'inbound'
        ? () => {}
        : egress.tap((frame) => this.#outgoing(frame, desk.clock.nowMs()));
  }

  /** Throws a `VoiceError` where it can never be dialled. */
  start(): void {
    this.#state = { name: 'dialling', cancel: this.#options.dialler.dial(this.#wish, this) };
  }

  /** What the leg has just said. */
  incoming(frame: Int16Array, nowMs: AtMs): void {
    const { tracks } = this.#options.command;
    if (tracks === 'both') this.#pair!.callerSaid(frame, nowMs);
    else if (this.#gate !== undefined) this.#gate.hear(frame, nowMs);
    else if (tracks === 'inbound') this.#send(frame);
  }

  onVoice(isSpeaking: boolean, nowMs: AtMs): void {
    this.#gate?.onVoice(isSpeaking, nowMs);
  }

  sweep(nowMs: AtMs): void {
    this.#pair?.settle(nowMs);
  }

  opened(line: ForkLine, nowMs: AtMs): void {
    if (this.#state.name === 'ended') return line.close('ended');
    this.#state = { name: 'open', line, openedAtMs: nowMs };
    const { tracks, protocol } = this.#options.command;
    const own = { fork_id: this.id, leg_id: this.party.id, url: this.#shownUrl, tracks, protocol };
    this.#options.desk.emit('fork_started', own, nowMs);
  }

  gone(error: string, nowMs: AtMs): void {
    if (this.#state.name === 'ended') return;
    // A line that stood for a while was no bad try.
    if (this.#state.name === 'open' && nowMs - this.#state.openedAtMs > RETRY_MS_MAX) this.#tries = 0;
    this.#countLine();
    const isLast = ++this.#tries >= TRIES_MAX;
    const delayMs = Math.min(RETRY_MS_MAX, RETRY_FIRST_MS * 2 ** (this.#tries - 1));
    const { desk } = this.#options;
    const own = { fork_id: this.id, leg_id: this.party.id, error, retry_in_ms: isLast ? null : delayMs };
    desk.emit('fork_failed', own, nowMs);
    if (isLast) {
      this.#state = { name: 'waiting', cancel: () => {} };
      return this.end('unreachable', nowMs);
    }
    this.#state = { name: 'waiting', cancel: desk.clock.after(delayMs, () => this.start()) };
  }

  heard({ channel, text, startMs, endMs }: ForkTranscript, nowMs: AtMs): void {
    const { desk } = this.#options;
    if (this.#state.name !== 'open' || desk.state.name !== 'active') return;
    const offsetMs = Math.round(this.#state.openedAtMs - desk.state.startedAtMs);
    const isOwn = (channel === 'first') === (this.#options.command.tracks !== 'outbound');
    const others = this.party.role === 'caller' ? 'agent' : 'caller';
    const segment = {
      speaker: isOwn ? this.party.role : others,
      text,
      start_ms: startMs === null ? null : startMs + offsetMs,
      end_ms: endMs === null ? null : endMs + offsetMs,
    };
    desk.notes.addSegment(segment);
    desk.emit('transcript_segment', { ...segment, leg_id: this.party.id, fork_id: this.id }, nowMs);
  }

  end(reason: ForkEndReason, nowMs: AtMs): void {
    if (this.#state.name === 'ended') return;
    this.#close('ended');
    tellForkEnded(this.#options.desk, this.kept, reason, nowMs);
    this.#options.onEnded(this);
  }

  /** The call goes on elsewhere, and its copy from there. */
  leave(): void {
    if (this.#state.name !== 'ended') this.#close('moved');
  }

  /** All it needs to go on elsewhere. */
  get kept(): KeptFork {
    const { command } = this.#options;
    const line = this.#state.name === 'open' ? this.#state.line.stats : NOTHING_SENT;
    return {
      id: this.id,
      legId: this.party.id,
      command,
      sentFrames: this.#sentFrames + line.sentFrames,
      droppedFrames: this.#droppedFrames + line.droppedFrames,
    };
  }

  #close(why: 'ended' | 'moved'): void {
    const state = this.#state;
    this.#countLine();
    this.#state = { name: 'ended' };
    this.#untap();
    if (state.name === 'open') state.line.close(why);
    else if (state.name !== 'ended') state.cancel();
  }

  /** Without its query, which may hold secrets. */
  get #shownUrl(): string | null {
    return this.#options.command.url?.replace(/[?#].*$/s, '') ?? null;
  }

  #outgoing(frame: Int16Array, nowMs: AtMs): void {
    if (this.#pair === undefined) this.#send(frame);
    else this.#pair.callerHeard(frame, nowMs);
  }

  #send(frame: Int16Array): void {
    if (this.#state.name === 'open') this.#state.line.send(frame);
    else this.#droppedFrames++;
  }

  #countLine(): void {
    if (this.#state.name !== 'open') return;
    this.#sentFrames += this.#state.line.stats.sentFrames;
    this.#droppedFrames += this.#state.line.stats.droppedFrames;
  }

  #pairOf(sampleRateHz: number): Recording {
    const write = (left: Int16Array, right: Int16Array): void => {
      const pair = this.#pairFrame;
      for (let i = 0; i < left.length; i++) {
        pair[2 * i] = left[i]!;
        pair[2 * i + 1] = right[i]!;
      }
      this.#send(pair);
    };
    const tape = { format: 'wav_l16', write, finish: async () => undefined } as const;
    return new Recording({ id: this.id, tape, sampleRateHz, startedAtMs: this.#options.desk.clock.nowMs() });
  }
}
