import type { AtMs, Clock } from '../base/clock.ts';
import type { FaultCode } from '../base/errors.ts';
import type { JsonObject } from '../base/json.ts';
import { FRAME_MS } from '../base/units.ts';
import type { CallCommand } from '../events/call-commands.ts';
import { isBuiltIn, type CallEndReason } from '../events/catalogue.ts';
import type { Leg } from '../leg/leg.ts';
import type { CallInput, LegListener } from '../leg/leg-listener.ts';
import type { PlayedMark } from '../leg/playout.ts';
import type { LegWindow } from '../leg/leg-quality.ts';
import type { AnswerResult } from '../media/tones/answer/answer-judge.ts';
import type { ToneDetected } from '../media/tones/tone-edge.ts';
import type { VoiceEdge } from '../media/voice/voice-edges.ts';
import { newCallCounts, type CallCounts } from './call-counts.ts';
import type { CallDesk } from './call-desk.ts';
import { CallEvents, forCaller, type EventSink } from './call-events.ts';
import type { CallPart } from './call-part.ts';
import { carryOut } from './commands/carry-out.ts';
import { OUTSIDE, type Asker, type Outcome } from './commands/outcome.ts';
import { completionOf } from './completion.ts';
import { headOf, type CallFacts, type CallLimits, type CallState } from './facts.ts';
import { Conversation } from './hearing/conversation.ts';
import type { JoinWish } from './parties/invitation.ts';
import { answer, hangUpOf, LegWords, playedMsOf, tellMark } from './commands/leg-words.ts';
import { Marks } from './hearing/marks.ts';
import { tellVoice } from './hearing/voice-telling.ts';
import { isAnybodySpeaking, limitReached, limitsWith, mayComeBack } from './limits.ts';
import { CallNotes } from './notes.ts';
import { Door } from './parties/door.ts';
import { isOnALine, LegParty, lineOf, lostAtMsOf } from './parties/party.ts';
import type { CallPorts } from './ports.ts';
import { windowFields } from './quality.ts';
import { Roster, type Member } from './parties/roster.ts';
import type { CallSnapshot } from './snapshot/call-snapshot.ts';
import { recoveredFields, recoveryOf, type Recovery, type Takeover } from './snapshot/recovery.ts';
import { restoreCall } from './snapshot/restore-call.ts';
import { SavedTimes } from './snapshot/saved-times.ts';
import { saveCall } from './snapshot/save-call.ts';
import { HoldMusic } from './sounds/hold-music.ts';

/** What a call is made with. */
export interface CallOptions {
  readonly facts: CallFacts;
  readonly clock: Clock;
  readonly sink: EventSink;
  readonly limits: CallLimits;
  readonly ports: CallPorts;
  readonly counts?: CallCounts;
  readonly onEnded: (call: Call, reason: CallEndReason) => void;
  /** Told whenever the call would be saved otherwise than before in more than talk times. */
  readonly onChanged?: (call: Call) => void;
}

type Why = Parameters<CallDesk['dismiss']>[1];

/**
 * One conversation, from its first leg to its last. Exactly one `call_ended` and one `call_completed` come
 * of it.
 */
export class Call implements LegListener, CallDesk {
  readonly facts: CallFacts;
  readonly clock: Clock;
  readonly ports: CallPorts;
  readonly counts: CallCounts;
  readonly roster = new Roster();
  readonly conversation: Conversation;
  readonly notes = new CallNotes();
  readonly #limits: CallLimits;
  readonly #events: CallEvents;
  readonly #onEnded: (call: Call, reason: CallEndReason) => void;
  readonly #onChanged: (call: Call) => void;
  readonly #marks: Marks;
  readonly #words: LegWords;
  readonly #parts: readonly CallPart[];
  readonly #door: Door;
  #state: CallState = { name: 'ringing' };
  #startedAt = '';
  #lastVoiceAtMs = 0;
  #durationMs = 0;
  /** Another node had the call, and none of its legs is back yet. */
  #recovery: Recovery | undefined;

  constructor(options: CallOptions) {
    this.facts = options.facts;
    this.clock = options.clock;
    this.ports = options.ports;
    this.counts = options.counts ?? newCallCounts();
    this.#marks = new Marks(this.counts);
    this.#limits = options.limits;
    this.#onEnded = options.onEnded;
    this.#onChanged = options.onChanged ?? (() => {});
    const { holdMusic = (sampleRateHz) => new HoldMusic(sampleRateHz) } = options.ports;
    this.conversation = new Conversation(this.roster, holdMusic);
    this.#events = new CallEvents({
      clock: options.clock,
      counts: this.counts,
      sink: options.sink,
      identity: options.facts,
      head: () => headOf(this.facts, this.#state, this.#startedAt),
    });
    this.#words = new LegWords({
      conversation: this.conversation,
      marks: this.#marks,
      carryOut: (command, member, nowMs) => this.command(command, nowMs, { type: 'leg', member }),
    });
    this.#parts = (options.ports.parts ?? []).map((make) => make(this));
    const speak = (member: Member, frame: Int16Array, nowMs: AtMs): void => this.#speak(member, frame, nowMs);
    this.#door = new Door({ desk: this, parts: this.#parts, speak });
  }

  get id(): string {
    return this.facts.id;
  }

  get state(): CallState {
    return this.#state;
  }

  get legs(): readonly Leg[] {
    return this.roster.legs;
  }

  /** How long the call was; 0 before its end. */
  get durationMs(): number {
    return this.#durationMs;
  }

  /** A leg is up. The first one starts the call and brings the agent in. */
  join(leg: Leg, nowMs: AtMs, wish?: JoinWish): void {
    const isFirst = this.#state.name === 'ringing';
    if (isFirst) this.#start(leg, nowMs);
    const member = this.#door.admit(new LegParty(leg), nowMs, wish);
    const { agentId } = this.facts;
    if (isFirst && isBuiltIn(agentId)) this.#door.bringIn(agentId, leg.sampleRateHz, nowMs);
    this.conversation.rearrange(nowMs);
    for (const part of this.#parts) part.onJoined?.(member, wish, nowMs);
  }

  /** A leg is back: on another socket, or as a new leg in the place of one that another node had. */
  rejoin(leg: Leg, nowMs: AtMs): void {
    const member = this.roster.find(leg.id);
    if (member === undefined || this.#state.name !== 'active') return;
    const isDialled = lineOf(member)?.isDialled === true;
    const isNewLine = this.#door.comeBack(member, leg, nowMs);
    // A backend that we dialled again says nothing of whether anybody found the way here.
    if (!isDialled) this.#recovered(nowMs);
    if (isNewLine) for (const part of this.#parts) part.onReturned?.(member, nowMs);
  }

  /** What another node needs to go on with the call; undefined where there is nothing to go on with. */
  save(nowMs: AtMs): CallSnapshot | undefined {
    if (this.#state.name !== 'active') return undefined;
    const { startedAtMs } = this.#state;
    const own = { events: this.#events, parts: this.#parts, startedAt: this.#startedAt, startedAtMs };
    const since = { lastVoiceAtMs: this.#lastVoiceAtMs, recovery: this.#recovery };
    return saveCall(this, { ...own, ...since }, nowMs);
  }

  /** Goes on with a call that another node had; its lines are lost until they are back. */
  restore(snapshot: CallSnapshot, takeover: Takeover, nowMs: AtMs): void {
    const times = new SavedTimes(snapshot, this.clock, nowMs);
    this.#state = { name: 'active', startedAtMs: times.since(snapshot.lastedMs) };
    this.#startedAt = snapshot.startedAt;
    this.#lastVoiceAtMs = times.since(snapshot.silentMs);
    this.#recovery = recoveryOf(snapshot, takeover, times);
    this.#events.holdUnder(takeover.fence);
    const own = { events: this.#events, parts: this.#parts, door: this.#door };
    restoreCall(this, { ...own, lostAtMs: times.ownAt(takeover.lostSinceUnixMs) }, snapshot, times);
  }

  /** Does what is asked, or says why not. */
  command(command: CallCommand, nowMs: AtMs, asker: Asker = OUTSIDE): Outcome {
    const outcome = carryOut(this, this.#parts, command, asker, nowMs);
    this.#changed();
    if (outcome instanceof Promise) void outcome.finally(() => this.#changed()).catch(() => {});
    return outcome;
  }

  /** Time passes: limits are looked at about once a second. */
  sweep(nowMs: AtMs): void {
    if (this.#state.name !== 'active') return;
    if (isAnybodySpeaking(this.roster, nowMs)) this.#lastVoiceAtMs = nowMs;
    const silentMs = nowMs - this.#lastVoiceAtMs;
    const limits = limitsWith(this.#limits, this.#parts);
    const reached = limitReached(limits, nowMs - this.#state.startedAtMs, silentMs);
    if (reached === 'silence_timeout') this.emit(reached, { silence_ms: Math.round(silentMs) }, nowMs);
    if (reached !== undefined) return this.end(reached, nowMs);
    for (const part of this.#parts) part.sweep?.(nowMs);
    for (const member of this.roster.present) {
      const lostAtMs = lostAtMsOf(member.party);
      if (lostAtMs === undefined || nowMs - lostAtMs < this.#limits.resumeWindowMs) continue;
      const reason = this.#recovery === undefined ? 'connection_lost' : 'node_lost';
      this.dismiss(member, { leg: 'connection_lost', call: reason }, nowMs);
    }
  }

  dismiss(member: Member, why: Why, nowMs: AtMs): void {
    if (member.summary.disconnected_at !== null || this.#state.name !== 'active') return;
    this.#door.disconnect(member, why.leg, nowMs);
    const isOver = member.party.role === 'caller' || !this.roster.present.some(isOnALine);
    if (isOver) return this.end(this.#reasonOf(member, why.call), nowMs);
    this.conversation.rearrange(nowMs);
    for (const part of this.#parts) part.onLeft?.(member, nowMs);
  }

  /** `causeAtMs` is when whatever ended it arrived. */
  end(reason: CallEndReason, causeAtMs: AtMs): void {
    if (this.#state.name !== 'active') return;
    const { startedAtMs } = this.#state;
    for (const part of this.#parts) part.onEnding?.(causeAtMs, reason);
    this.#state = { name: 'ending', startedAtMs, reason };
    for (const member of this.roster.present) this.#door.disconnect(member, 'call_ended', causeAtMs);
    this.#state = { name: 'ended', startedAtMs, reason };
    this.#durationMs = Math.round(this.clock.nowMs() - startedAtMs);
    this.emit('call_ended', { duration_ms: this.#durationMs, reason }, causeAtMs);
    const { timeline } = this.#events;
    this.emit('call_completed', completionOf(this, { parts: this.#parts, timeline, reason }), causeAtMs);
    this.#onEnded(this, reason);
  }

  /** The token under which the call is this node's; null where nobody disputes it. */
  get fence(): number | null {
    return this.#events.fence;
  }

  /** The token under which the registry gave this node the call: every event from now on carries it. */
  holdUnder(fence: number): void {
    this.#events.holdUnder(fence);
  }

  /**
   * The call is another node's from now on. Nothing is told any more, not even its end; legs are closed with
   * 4410 and without a farewell, after `graceMs` where they do not leave themselves; backends that were
   * dialled in their protocol's proper words.
   */
  surrender(nowMs: AtMs, graceMs = 0): void {
    if (this.#state.name === 'ending' || this.#state.name === 'ended') return;
    const startedAtMs = this.#state.name === 'active' ? this.#state.startedAtMs : nowMs;
    this.#events.letGo();
    // Parts that stop must not be able to end anything.
    this.#state = { name: 'ending', startedAtMs, reason: 'node_lost' };
    for (const part of this.#parts) {
      if (part.onSurrendered === undefined) part.onEnding?.(nowMs, 'node_lost');
      else part.onSurrendered(nowMs);
    }
    for (const member of this.roster.present) this.#door.sendAway(member, nowMs, graceMs);
    this.#state = { name: 'ended', startedAtMs, reason: 'node_lost' };
  }

  emit(
    type: Parameters<CallEvents['emit']>[0],
    own: JsonObject,
    nowMs: AtMs,
  ): { readonly created_at: string } {
    const envelope = this.#events.emit(type, own, nowMs);
    if (!this.#events.isOwner) return envelope;
    this.#changed();
    for (const { party } of this.roster.present) {
      if (!(party instanceof LegParty) || !party.leg.started.wantsEvents) continue;
      const message = party.leg.session.writeEvent(party.role === 'caller' ? forCaller(envelope) : envelope);
      if (message !== undefined) party.leg.send(message);
    }
    return envelope;
  }

  onFrame(leg: Leg, frame: Int16Array, nowMs: AtMs): void {
    const member = this.roster.get(leg.id);
    if (member !== undefined) this.#speak(member, frame, nowMs);
  }

  onVoice(leg: Leg, edge: VoiceEdge, nowMs: AtMs): void {
    const member = this.roster.get(leg.id);
    if (member === undefined || this.#state.name === 'ended') return;
    this.#lastVoiceAtMs = nowMs;
    tellVoice(this, member, edge, nowMs);
    for (const channel of member.channels) channel.onVoice(edge.type === 'voice_detected', nowMs);
    for (const part of this.#parts) part.onVoice?.(member, edge, nowMs);
  }

  onInput(leg: Leg, input: CallInput, nowMs: AtMs, source: 'in_band' | 'out_of_band' = 'out_of_band'): void {
    const member = this.roster.get(leg.id);
    if (member === undefined) return;
    for (const part of this.#parts) if (part.onInput?.(member, input, nowMs) === true) return;
    switch (input.type) {
      case 'dtmf': {
        const { digit, durationMs: duration_ms } = input;
        this.emit('dtmf_received', { leg_id: leg.id, digit, duration_ms, source }, nowMs);
        return;
      }
      case 'hung_up': {
        const legReason = input.reason === 'provider' ? 'provider_stop' : 'hangup';
        return this.dismiss(member, { leg: legReason, call: hangUpOf(leg, input.reason) }, nowMs);
      }
      case 'command':
        return this.#words.obey(member, leg, input, nowMs);
      case 'ping':
        return answer(leg, input.id, { ok: true, value: undefined });
    }
  }

  onDigit(leg: Leg, digit: string, nowMs: AtMs): void {
    this.onInput(leg, { type: 'dtmf', digit, durationMs: null }, nowMs, 'in_band');
  }

  onTone(leg: Leg, { tone, confidence, atMs: at_ms }: ToneDetected, nowMs: AtMs): void {
    if (this.#state.name !== 'ended') {
      this.emit('tone_detected', { leg_id: leg.id, tone, confidence, at_ms }, nowMs);
    }
  }

  onAnswer(leg: Leg, { result, cause, decidedMs: decided_ms }: AnswerResult, nowMs: AtMs): void {
    if (this.#state.name === 'ended' || this.notes.answeredBy !== null) return;
    this.notes.answeredBy = result;
    this.emit('amd_result', { leg_id: leg.id, result, cause, decided_ms }, nowMs);
  }

  onQuality(leg: Leg, { report, edge }: LegWindow, nowMs: AtMs): void {
    if (report === undefined || edge === undefined) return;
    this.emit(`media_${edge}`, { leg_id: leg.id, ...windowFields(report) }, nowMs);
  }

  onMark(leg: Leg, mark: PlayedMark, nowMs: AtMs): void {
    const played_ms = playedMsOf(mark);
    this.emit('mark_reached', { name: mark.name, leg_id: leg.id, played_ms }, nowMs);
    const speakerId = this.#marks.settle(leg.id, mark.name);
    const speaker = speakerId === undefined ? undefined : this.roster.find(speakerId)?.party;
    if (speaker instanceof LegParty) tellMark(speaker.leg, mark.name, played_ms);
  }

  onPlayed(leg: Leg, playedFrames: number, nowMs: AtMs): void {
    // Who only listens in hears the same words: they have been told of once.
    if (leg.role === 'supervisor') return;
    this.emit('playback_finished', { leg_id: leg.id, played_ms: playedFrames * FRAME_MS }, nowMs);
  }

  onBroken(leg: Leg, fault: FaultCode, nowMs: AtMs): void {
    const isLoss = fault === 'peer_stalled' || fault === 'handshake_timeout' || fault === 'internal';
    const reason = isLoss ? 'connection_lost' : 'protocol_error';
    this.#leave(leg, { leg: reason, call: reason }, nowMs);
  }

  onLost(leg: Leg, nowMs: AtMs): void {
    if (this.#limits.resumeWindowMs > 0 && mayComeBack(leg, this.facts)) {
      leg.markLost(nowMs);
      this.#changed();
    } else this.#leave(leg, { leg: 'connection_lost', call: 'connection_lost' }, nowMs);
  }

  #recovered(nowMs: AtMs): void {
    const recovery = this.#recovery;
    this.#recovery = undefined;
    if (recovery !== undefined) this.emit('call_recovered', recoveredFields(recovery, nowMs), nowMs);
  }

  #start(leg: Leg, nowMs: AtMs): void {
    this.#state = { name: 'active', startedAtMs: nowMs };
    this.#startedAt = new Date(this.clock.unixMs()).toISOString();
    this.#lastVoiceAtMs = nowMs;
    const { dialectName: dialect, codecName: codec } = leg;
    this.emit('call_started', { dialect, codec, region: this.facts.region, node: this.facts.node }, nowMs);
  }

  /** One party is gone. Without its caller, or without anybody else, the call is over. */
  #leave(leg: Leg, why: Why, nowMs: AtMs): void {
    const member = this.roster.get(leg.id);
    if (member !== undefined) this.dismiss(member, why, nowMs);
  }

  #changed(): void {
    if (this.#state.name === 'active') this.#onChanged(this);
  }

  /** A telephone call that was given away goes on elsewhere: that is how it ended here. */
  #reasonOf({ party }: Member, reason: CallEndReason): CallEndReason {
    const isGivenAway = this.notes.transferredTo !== null && party.role === 'caller';
    return isGivenAway && reason !== 'protocol_error' ? 'transferred' : reason;
  }

  #speak(member: Member, frame: Int16Array, nowMs: AtMs): void {
    this.conversation.speak(member, frame, nowMs);
    for (let i = 0; i < this.#parts.length; i++) this.#parts[i]!.onFrame?.(member, frame, nowMs);
  }
}
