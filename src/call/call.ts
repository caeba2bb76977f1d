import type { AtMs, Clock } from '../base/clock.ts';
import type { FaultCode } from '../base/errors.ts';
import { newId } from '../base/ids.ts';
import type { JsonObject } from '../base/json.ts';
import type { LegRole } from '../base/roles.ts';
import { isBuiltIn, type CallEndReason, type CallHead } from '../events/catalogue.ts';
import { completedFields } from '../events/completion.ts';
import type { Leg, LegListener } from '../leg/leg.ts';
import type { LegEndReason } from '../leg/state.ts';
import type { VoiceEdge } from '../media/voice/voice-edges.ts';
import { Bridge } from './bridge.ts';
import { CallEvents, type EventSink } from './call-events.ts';
import { BuiltInParty, LegParty, type Party, type PartyRecord } from './party.ts';
import { answer, obey } from './in-band.ts';
import { qualityOf } from './quality.ts';
import { SpeechGate } from './speech-gate.ts';

/** Everything about a call that was settled before it began. */
export interface CallFacts {
  readonly id: string;
  readonly workspaceId: string;
  readonly testMode: boolean;
  readonly region: string;
  readonly node: string;
  readonly agentId: string | null;
  readonly direction: 'inbound' | 'outbound';
  readonly from: string | null;
  readonly to: string | null;
  readonly conversationId: string;
  readonly leadId: string | null;
  readonly contactId: string | null;
  readonly metadata: JsonObject;
}

/** How long things may last; 0 switches a limit off. */
export interface CallLimits {
  readonly durationMaxMs: number;
  readonly silenceMs: number;
  readonly resumeWindowMs: number;
}

export type CallState =
  | { readonly name: 'ringing' }
  | { readonly name: 'active'; readonly startedAtMs: AtMs }
  | { readonly name: 'ending'; readonly startedAtMs: AtMs; readonly reason: CallEndReason }
  | { readonly name: 'ended'; readonly startedAtMs: AtMs; readonly reason: CallEndReason };

const CLOSE_NORMAL = 1000;

/**
 * One conversation, from its first leg to its last. Exactly one `call_ended` and one `call_completed` come
 * of it.
 */
export class Call implements LegListener {
  readonly facts: CallFacts;
  readonly #clock: Clock;
  readonly #limits: CallLimits;
  readonly #events: CallEvents;
  readonly #onEnded: (call: Call, reason: CallEndReason) => void;
  readonly #bridge = new Bridge();
  readonly #parties = new Map<string, PartyRecord>();
  readonly #gates = new Map<Party, SpeechGate>();
  #state: CallState = { name: 'ringing' };
  #startedAt = '';
  #lastVoiceAtMs = 0;
  #durationMs = 0;

  constructor(options: {
    facts: CallFacts;
    clock: Clock;
    sink: EventSink;
    limits: CallLimits;
    onEnded: (call: Call, reason: CallEndReason) => void;
  }) {
    this.facts = options.facts;
    this.#clock = options.clock;
    this.#limits = options.limits;
    this.#onEnded = options.onEnded;
    this.#events = new CallEvents({
      clock: options.clock,
      sink: options.sink,
      identity: options.facts,
      head: () => this.#head(),
    });
  }

  get id(): string {
    return this.facts.id;
  }

  get state(): CallState {
    return this.#state;
  }

  get legs(): readonly Leg[] {
    return [...this.#parties.values()].flatMap(({ party }) => (party instanceof LegParty ? [party.leg] : []));
  }

  /** How long the call was; 0 before its end. */
  get durationMs(): number {
    return this.#durationMs;
  }

  /** A leg is up. The first one starts the call and brings the agent in. */
  join(leg: Leg, nowMs: AtMs): void {
    const party = new LegParty(leg);
    const isFirst = this.#state.name === 'ringing';
    if (isFirst) this.#start(leg, nowMs);
    this.#admit(party, nowMs);
    if (isFirst && isBuiltIn(this.facts.agentId)) this.#bringIn(this.facts.agentId, nowMs);
    this.#rebridge();
  }

  /** A leg is back on another socket: its party has been here all along. */
  rejoin(leg: Leg, nowMs: AtMs): void {
    const record = this.#parties.get(leg.id);
    if (record === undefined || this.#state.name !== 'active') return;
    const { leg_id, role, dialect, codec } = record.summary;
    this.#emit('leg_connected', { leg_id, role, dialect, codec, resumed: true }, nowMs);
  }

  /** Time passes: limits are looked at about once a second. */
  sweep(nowMs: AtMs): void {
    if (this.#state.name !== 'active') return;
    const { durationMaxMs, silenceMs, resumeWindowMs } = this.#limits;
    if (durationMaxMs > 0 && nowMs - this.#state.startedAtMs >= durationMaxMs) {
      this.end('max_duration', nowMs);
      return;
    }
    if (silenceMs > 0 && nowMs - this.#lastVoiceAtMs >= silenceMs) {
      this.#emit('silence_timeout', { silence_ms: Math.round(nowMs - this.#lastVoiceAtMs) }, nowMs);
      this.end('silence_timeout', nowMs);
      return;
    }
    for (const leg of this.legs) {
      if (leg.state.name !== 'lost' || nowMs - leg.state.enteredAtMs < resumeWindowMs) continue;
      this.#leave(leg, 'connection_lost', 'connection_lost', nowMs);
    }
  }

  /** Ends the call for everybody, once. `causeAtMs` is when whatever ended it arrived. */
  end(reason: CallEndReason, causeAtMs: AtMs): void {
    if (this.#state.name !== 'active') return;
    const { startedAtMs } = this.#state;
    this.#state = { name: 'ending', startedAtMs, reason };
    this.#bridge.join(undefined, undefined);
    for (const record of this.#parties.values()) this.#disconnect(record, 'call_ended', causeAtMs);
    this.#state = { name: 'ended', startedAtMs, reason };
    this.#durationMs = Math.round(this.#clock.nowMs() - startedAtMs);
    this.#emit('call_ended', { duration_ms: this.#durationMs, reason }, causeAtMs);
    this.#emit('call_completed', this.#completion(this.#durationMs, reason), causeAtMs);
    this.#onEnded(this, reason);
  }

  onFrame(leg: Leg, frame: Int16Array, nowMs: AtMs): void {
    const record = this.#parties.get(leg.id);
    if (record !== undefined) this.#speak(record.party, frame, nowMs);
  }

  onVoice(leg: Leg, edge: VoiceEdge, nowMs: AtMs): void {
    const record = this.#parties.get(leg.id);
    if (record === undefined || this.#state.name === 'ended') return;
    this.#lastVoiceAtMs = nowMs;
    const who = { leg_id: leg.id, role: leg.role };
    if (edge.type === 'voice_detected') {
      record.voice = edge;
      const { atMs: at_ms, onsetMs: onset_ms, levelDbfs: level_dbfs } = edge;
      this.#emit('voice_detected', { ...who, at_ms, onset_ms, level_dbfs }, nowMs);
    } else {
      const spoken = { onset_ms: record.voice?.onsetMs ?? null, level_dbfs: record.voice?.levelDbfs ?? null };
      record.voice = undefined;
      record.talkMs += edge.durationMs;
      this.#emit('voice_ended', { ...who, at_ms: edge.atMs, ...spoken, duration_ms: edge.durationMs }, nowMs);
    }
    for (const listener of this.#bridge.listenersOf(record.party)) {
      this.#gates.get(listener)?.onVoice(edge.type === 'voice_detected', nowMs);
    }
  }

  onInput(leg: Leg, input: Parameters<LegListener['onInput']>[1], nowMs: AtMs): void {
    switch (input.type) {
      case 'dtmf': {
        const digit = {
          leg_id: leg.id,
          digit: input.digit,
          duration_ms: input.durationMs,
          source: 'out_of_band',
        };
        this.#emit('dtmf_received', digit, nowMs);
        return;
      }
      case 'hung_up':
        this.#leave(
          leg,
          input.reason === 'provider' ? 'provider_stop' : 'hangup',
          hangUpOf(leg, input.reason),
          nowMs,
        );
        return;
      case 'command':
        obey(leg, input, this.#listenersOf(leg), nowMs);
        if (input.name === 'hang_up') this.end(hangUpOf(leg, 'peer'), nowMs);
        return;
      case 'ping':
        answer(leg, { id: input.id, ok: true });
        return;
      case 'mark_played':
        this.onMark(leg, input.name, nowMs);
    }
  }

  onMark(leg: Leg, name: string, nowMs: AtMs): void {
    this.#emit('mark_reached', { name, leg_id: leg.id }, nowMs);
    for (const speaker of this.legs) {
      if (!this.#listenersOf(speaker).includes(leg)) continue;
      const message = speaker.session.writeMarkPlayed?.(name);
      if (message !== undefined) speaker.send(message);
    }
  }

  onPlayed(leg: Leg, playedFrames: number, nowMs: AtMs): void {
    this.#emit('playback_finished', { leg_id: leg.id, played_ms: playedFrames * 20 }, nowMs);
  }

  onBroken(leg: Leg, fault: FaultCode, nowMs: AtMs): void {
    const isLoss = fault === 'peer_stalled' || fault === 'handshake_timeout' || fault === 'internal';
    const reason = isLoss ? 'connection_lost' : 'protocol_error';
    this.#leave(leg, reason, reason, nowMs);
  }

  onLost(leg: Leg, nowMs: AtMs): void {
    if (this.#limits.resumeWindowMs > 0) leg.markLost(nowMs);
    else this.#leave(leg, 'connection_lost', 'connection_lost', nowMs);
  }

  #start(leg: Leg, nowMs: AtMs): void {
    this.#state = { name: 'active', startedAtMs: nowMs };
    this.#startedAt = new Date(this.#clock.unixMs()).toISOString();
    this.#lastVoiceAtMs = nowMs;
    const { dialectName: dialect, codecName: codec } = leg;
    this.#emit('call_started', { dialect, codec, region: this.facts.region, node: this.facts.node }, nowMs);
  }

  #bringIn(agent: 'echo' | 'silent', nowMs: AtMs): void {
    const party: BuiltInParty = new BuiltInParty(newId('leg', this.#clock), agent, (frame, atMs) =>
      this.#speak(party, frame, atMs),
    );
    this.#admit(party, nowMs);
  }

  #admit(party: Party, nowMs: AtMs): void {
    const { id: leg_id, role, dialectName: dialect, codecName: codec } = party;
    const own = { leg_id, role, dialect, codec };
    const { created_at: connected_at } = this.#emit('leg_connected', own, nowMs);
    const summary = { ...own, connected_at, disconnected_at: null, reason: null };
    this.#parties.set(party.id, { party, summary, talkMs: 0, voice: undefined });
    if (party instanceof LegParty && party.leg.started.speechOnly) {
      this.#gates.set(party, new SpeechGate(party.leg.sampleRateHz, (frame) => party.hear(frame)));
    }
  }

  /** One party is gone. Without its caller, or without anybody else, the call is over. */
  #leave(leg: Leg, legReason: LegEndReason, callReason: CallEndReason, nowMs: AtMs): void {
    const record = this.#parties.get(leg.id);
    if (record === undefined || this.#state.name !== 'active') return;
    this.#disconnect(record, legReason, nowMs);
    const isOver = leg.role === 'caller' || this.legs.every((other) => other.state.name === 'ended');
    if (isOver) this.end(callReason, nowMs);
    else this.#rebridge();
  }

  #disconnect(record: PartyRecord, reason: LegEndReason, nowMs: AtMs): void {
    const { party, summary } = record;
    if (summary.disconnected_at !== null) return;
    if (party instanceof LegParty) party.leg.finishVoice(nowMs);
    party.end(reason, CLOSE_NORMAL, nowMs);
    const { leg_id, role, dialect, codec } = summary;
    const { created_at } = this.#emit('leg_disconnected', { leg_id, role, dialect, codec, reason }, nowMs);
    record.summary = { ...summary, disconnected_at: created_at, reason };
  }

  #speak(speaker: Party, frame: Int16Array, nowMs: AtMs): void {
    const listeners = this.#bridge.listenersOf(speaker);
    for (let i = 0; i < listeners.length; i++) {
      const listener = listeners[i]!;
      const gate = this.#gates.size === 0 ? undefined : this.#gates.get(listener);
      if (gate !== undefined) gate.hear(frame, nowMs);
      // An agent with a socket may speak faster than real time: its words queue at the listener.
      else if (speaker.role === 'agent' && speaker instanceof LegParty && listener instanceof LegParty) {
        listener.leg.queue(frame);
      } else listener.hear(frame, nowMs);
    }
  }

  /** The caller's ear belongs to the agent that came last and is still here. */
  #rebridge(): void {
    const present = [...this.#parties.values()].filter((record) => record.summary.disconnected_at === null);
    const caller = present.find(({ party }) => party.role === 'caller')?.party;
    const partner = present.findLast(({ party }) => party.role === 'agent' || party.role === 'human')?.party;
    this.#bridge.join(caller, partner);
  }

  /** The legs that hear `speaker` now. */
  #listenersOf(speaker: Leg): readonly Leg[] {
    const record = this.#parties.get(speaker.id);
    if (record === undefined) return [];
    const listeners = this.#bridge.listenersOf(record.party);
    return listeners.flatMap((party) => (party instanceof LegParty ? [party.leg] : []));
  }

  #emit(
    type: Parameters<CallEvents['emit']>[0],
    own: JsonObject,
    nowMs: AtMs,
  ): { readonly created_at: string } {
    const envelope = this.#events.emit(type, own, nowMs);
    for (const { party } of this.#parties.values()) {
      if (!(party instanceof LegParty) || !party.leg.started.wantsEvents) continue;
      const message = party.leg.session.writeEvent(envelope);
      if (message !== undefined) party.leg.send(message);
    }
    return envelope;
  }

  #completion(durationMs: number, reason: CallEndReason): JsonObject {
    const records = [...this.#parties.values()];
    const talkMs: Partial<Record<LegRole, number>> = {};
    for (const { party, talkMs: ms } of records) talkMs[party.role] = (talkMs[party.role] ?? 0) + ms;
    return completedFields({
      durationMs,
      reason,
      talkMs,
      quality: Object.fromEntries(this.legs.map((leg) => [leg.id, qualityOf(leg)])),
      legs: records.map(({ summary }) => summary),
      timeline: this.#events.timeline,
    });
  }

  #head(): CallHead {
    const { facts } = this;
    return {
      call_id: facts.id,
      state: this.#state.name,
      direction: facts.direction,
      from: facts.from,
      to: facts.to,
      agent_id: facts.agentId,
      conversation_id: facts.conversationId,
      lead_id: facts.leadId,
      contact_id: facts.contactId,
      metadata: facts.metadata,
      started_at: this.#startedAt,
    };
  }
}

function hangUpOf(leg: Leg, by: 'provider' | 'peer'): CallEndReason {
  if (by === 'provider') return 'provider_stop';
  if (leg.role === 'agent') return 'agent_hangup';
  return leg.role === 'caller' ? 'caller_hangup' : 'human_hangup';
}
