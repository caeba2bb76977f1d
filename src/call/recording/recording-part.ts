import type { AtMs } from '../../base/clock.ts';
import { newId } from '../../base/ids.ts';
import { isObject, numberOf, textOf, type JsonObject } from '../../base/json.ts';
import type { CallCommand } from '../../events/call-commands.ts';
import type { CallDesk } from '../call-desk.ts';
import type { CallPart, MakeCallPart } from '../call-part.ts';
import { done, failed, type Asker, type Outcome } from '../commands/outcome.ts';
import { LegParty } from '../parties/party.ts';
import type { Member } from '../parties/roster.ts';
import { Recording } from './recording.ts';
import type { TapeFailure, Tapes } from './tape.ts';

/** A call that is recorded again and again has so many files at most. */
const RECORDINGS_MAX = 100;

type RecordingState =
  | { readonly name: 'off' }
  /** The call's former owner recorded it: it is recorded on when its caller is back. */
  | { readonly name: 'awaited'; readonly isPaused: boolean }
  | { readonly name: 'on'; readonly recording: Recording; readonly untap: () => void };

/** One recording as `call_completed` tells it. */
interface RecordingSummary {
  readonly recording_id: string;
  readonly url: string;
  readonly channels: 2;
  duration_ms: number;
}

const OFF: RecordingState = { name: 'off' };

/** Recording for calls: on command, or from the first moment of the calls that are wanted. */
export function recordingFor(tapes: Tapes): MakeCallPart {
  return (desk) => new RecordingPart(desk, tapes);
}

/** The recordings of one call, one after the other. */
export class RecordingPart implements CallPart {
  readonly name = 'recording';
  readonly commands = ['record'] as const;
  readonly #desk: CallDesk;
  readonly #tapes: Tapes;
  readonly #summaries: RecordingSummary[] = [];
  #state: RecordingState = OFF;

  constructor(desk: CallDesk, tapes: Tapes) {
    this.#desk = desk;
    this.#tapes = tapes;
  }

  command(command: CallCommand, _asker: Asker, nowMs: AtMs): Outcome {
    if (command.name !== 'record') return failed('internal', 'that is not for recording');
    const { action } = command;
    if (this.#state.name === 'awaited') return this.#decide(action);
    if (action === 'start') return this.#start(nowMs);
    return this.#with((recording) => {
      if (action === 'pause') return this.#pause(recording, nowMs);
      return action === 'resume' ? this.#resume(recording, nowMs) : this.#stop(recording, nowMs);
    });
  }

  onJoined(member: Member, _wish: unknown, nowMs: AtMs): void {
    if (member.party.role !== 'caller' || this.#summaries.length > 0) return;
    if (this.#tapes.isWanted(this.#desk.facts)) void this.#start(nowMs);
  }

  onReturned({ party }: Member, nowMs: AtMs): void {
    if (party.role !== 'caller' || this.#state.name !== 'awaited') return;
    const { isPaused } = this.#state;
    this.#state = OFF;
    void this.#start(nowMs);
    if (isPaused) void this.#with((recording) => this.#pause(recording, nowMs));
  }

  onFrame(speaker: Member, frame: Int16Array, nowMs: AtMs): void {
    if (this.#state.name === 'on' && speaker.party.role === 'caller') {
      this.#state.recording.callerSaid(frame, nowMs);
    }
  }

  sweep(nowMs: AtMs): void {
    if (this.#state.name === 'on') this.#state.recording.settle(nowMs);
  }

  onEnding(nowMs: AtMs): void {
    if (this.#state.name === 'on') this.#finish(this.#state.recording, this.#desk.clock.nowMs(), nowMs);
  }

  completion(): { readonly [field: string]: unknown } {
    return this.#summaries.length === 0 ? {} : { recordings: this.#summaries };
  }

  /** What was recorded before is on the former owner's disk; here a file of its own goes on from it. */
  save(): JsonObject | undefined {
    if (this.#summaries.length === 0) return undefined;
    const state = this.#state;
    const running = state.name === 'on' ? state.recording : undefined;
    const lengthOf = ({ recording_id: id, duration_ms }: RecordingSummary): number =>
      running?.id === id ? running.writtenMs : duration_ms;
    const recordings = this.#summaries.map((one) => ({ id: one.recording_id, duration_ms: lengthOf(one) }));
    const isPaused = state.name === 'awaited' ? state.isPaused : running?.isPaused;
    return { recordings, goes_on: state.name === 'off' ? null : { paused: isPaused ?? false } };
  }

  restore(saved: JsonObject | undefined): void {
    const { recordings, goes_on } = saved ?? {};
    for (const one of Array.isArray(recordings) ? recordings.slice(0, RECORDINGS_MAX) : []) {
      const id = isObject(one) ? textOf(one['id']) : undefined;
      if (id === undefined) continue;
      const duration_ms = numberOf(one.duration_ms) ?? 0;
      this.#summaries.push({ recording_id: id, url: this.#tapes.urlOf(id), channels: 2, duration_ms });
    }
    if (isObject(goes_on)) this.#state = { name: 'awaited', isPaused: goes_on['paused'] === true };
  }

  /** Its caller is not back yet: what is asked for is done then. */
  #decide(action: Extract<CallCommand, { name: 'record' }>['action']): Outcome {
    if (action === 'start') return failed('conflict', 'this call is being recorded');
    const isPaused = action === 'pause';
    this.#state = action === 'stop' ? OFF : { name: 'awaited', isPaused };
    const state = action === 'stop' ? 'stopped' : isPaused ? 'paused' : 'recording';
    return done({ recording_id: this.#summaries.at(-1)?.recording_id ?? null, state });
  }

  #start(nowMs: AtMs): Outcome {
    const { facts, clock, roster } = this.#desk;
    const caller = roster.caller?.party;
    if (this.#state.name === 'on') return failed('conflict', 'this call is being recorded');
    if (!(caller instanceof LegParty)) return failed('failed_precondition', 'there is no caller to record');
    if (this.#summaries.length >= RECORDINGS_MAX) {
      return failed('failed_precondition', `a call has at most ${RECORDINGS_MAX} recordings`);
    }
    const { sampleRateHz } = caller;
    const id = newId('rec', clock);
    const startedAt = new Date(clock.unixMs()).toISOString();
    const wish = { recordingId: id, facts, sampleRateHz, startedAt };
    const tape = this.#tapes.open(wish, (reason) => this.#broke(id, reason));
    const own = { recording_id: id, channels: 2, sample_rate_hz: sampleRateHz };
    if ('type' in tape) {
      this.#desk.emit('recording_failed', { ...own, reason: 'refused', duration_ms: 0, url: null }, nowMs);
      return failed(tape.fault, tape.detail);
    }
    const recording = new Recording({ id, tape, sampleRateHz, startedAtMs: clock.nowMs() });
    const untap = caller.leg.egress.tap((frame) => recording.callerHeard(frame, clock.nowMs()));
    this.#state = { name: 'on', recording, untap };
    const url = this.#tapes.urlOf(id);
    this.#summaries.push({ recording_id: id, url, channels: 2, duration_ms: 0 });
    this.#desk.emit('recording_started', { ...own, format: tape.format }, nowMs);
    return done({ recording_id: id, state: 'recording' });
  }

  #pause(recording: Recording, nowMs: AtMs): Outcome {
    if (!recording.isPaused) {
      recording.pause(this.#desk.clock.nowMs());
      this.#tell('recording_paused', recording, nowMs);
    }
    return done({ recording_id: recording.id, state: 'paused' });
  }

  #resume(recording: Recording, nowMs: AtMs): Outcome {
    if (recording.isPaused) {
      recording.resume(this.#desk.clock.nowMs());
      this.#tell('recording_resumed', recording, nowMs);
    }
    return done({ recording_id: recording.id, state: 'recording' });
  }

  #stop(recording: Recording, nowMs: AtMs): Outcome {
    this.#finish(recording, this.#desk.clock.nowMs(), nowMs);
    return done({ recording_id: recording.id, state: 'stopped' });
  }

  #tell(type: 'recording_paused' | 'recording_resumed', recording: Recording, nowMs: AtMs): void {
    const at_ms = recording.lengthMs(this.#desk.clock.nowMs());
    this.#desk.emit(type, { recording_id: recording.id, at_ms }, nowMs);
  }

  /** A call that is over tells nothing more itself: whoever keeps its journal reads it from the file. */
  #finish(recording: Recording, endedAtMs: AtMs, causeAtMs: AtMs): void {
    const summary = this.#leave(recording.id);
    recording.close(endedAtMs);
    if (summary !== undefined) summary.duration_ms = recording.writtenMs;
    void recording.tape.finish(recording.lostFrames).then((end) => {
      if (end === undefined || this.#desk.state.name !== 'active') return;
      const { durationMs: duration_ms, bytes, sha256 } = end;
      const own = { recording_id: recording.id, url: this.#tapes.urlOf(recording.id), channels: 2 };
      this.#desk.emit('recording_ready', { ...own, duration_ms, bytes, sha256, reason: null }, causeAtMs);
    });
  }

  /** The disk, or a limit, has ended it: the call goes on. */
  #broke(recordingId: string, reason: TapeFailure): void {
    const writtenMs =
      this.#state.name === 'on' && this.#state.recording.id === recordingId
        ? this.#state.recording.writtenMs
        : undefined;
    const summary = this.#leave(recordingId);
    if (summary === undefined) return;
    if (writtenMs !== undefined) summary.duration_ms = writtenMs;
    if (this.#desk.state.name !== 'active') return;
    const { recording_id, url, duration_ms } = summary;
    const own = { recording_id, reason, duration_ms, url };
    this.#desk.emit('recording_failed', own, this.#desk.clock.nowMs());
  }

  #leave(recordingId: string): RecordingSummary | undefined {
    const { name } = this.#state;
    if (name === 'on' && this.#state.recording.id === recordingId) {
      this.#state.untap();
      this.#state = OFF;
    }
    return this.#summaries.find(({ recording_id }) => recording_id === recordingId);
  }

  #with(act: (recording: Recording) => Outcome): Outcome {
    if (this.#state.name === 'on') return act(this.#state.recording);
    return failed('failed_precondition', 'this call is not being recorded');
  }
}
