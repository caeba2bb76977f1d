import type { AtMs } from '../../base/clock.ts';
import type { JsonObject } from '../../base/json.ts';
import { FRAME_MS } from '../../base/units.ts';
import type { CallInput } from '../../leg/leg-listener.ts';
import type { VoiceEdge } from '../../media/voice/voice-edges.ts';
import type { CallDesk } from '../call-desk.ts';
import type { CallPart, MakeCallPart } from '../call-part.ts';
import { LegParty } from '../parties/party.ts';
import type { Member } from '../parties/roster.ts';
import { AgentTalk } from './agent-talk.ts';
import {
  advanceInterruption,
  FALSE_ALARM_MS,
  UNINTERRUPTED,
  type BargeInPolicy,
  type InterruptionAct,
  type InterruptionInput,
} from './interruption.ts';
import { ListeningLine } from './listening-line.ts';

/** Whoever can be told how much of it was heard. */
export interface Interruptible {
  interrupt(itemId: string | null, playedMs: number): void;
}

export interface BargeInOptions {
  /** Where the agent's own terms say nothing. */
  readonly policy: BargeInPolicy;
  /** How long a voice goes on for our ears after its last sound. */
  readonly hangoverMs: number;
  /** What the terms of this agent say. */
  readonly policyOf?: (agent: Member, desk: CallDesk) => BargeInPolicy | undefined;
}

/** Lets callers interrupt the agents of a call. It comes before the part that brings agents in. */
export function bargeInFor(options: BargeInOptions): MakeCallPart {
  return (desk) => new BargeIn(desk, options);
}

/** Who speaks over whom in one call, and what is done about it. */
class BargeIn implements CallPart {
  readonly name = 'barge_in';
  /** Coughs after which an agent went on. */
  readonly stats = { falseAlarms: 0 };
  readonly #desk: CallDesk;
  readonly #options: BargeInOptions;
  readonly #interruptions = new Map<string, number>();
  #talks: readonly AgentTalk[] = [];
  #lines: readonly ListeningLine[] = [];

  constructor(desk: CallDesk, options: BargeInOptions) {
    this.#desk = desk;
    this.#options = options;
  }

  onJoined(member: Member): void {
    // Software of the house cannot be interrupted (contract.md §5.2).
    if (member.party.role !== 'agent' || !(member.party instanceof LegParty)) return;
    this.#talks = [...this.#talks, new AgentTalk(member)];
  }

  /** What it was saying, and who was speaking over it, went with its former line. */
  onReturned(member: Member): void {
    this.onJoined(member);
  }

  onLeft(member: Member): void {
    for (const talk of this.#talks) {
      if (talk.agent === member) this.#close(talk);
      else if (talk.listener === member) this.#forget(talk);
    }
    this.#talks = this.#talks.filter(({ agent }) => agent !== member);
    const line = this.#lineOf(member);
    if (line === undefined) return;
    line.close();
    this.#lines = this.#lines.filter((other) => other !== line);
  }

  onFrame(speaker: Member, frame: Int16Array, nowMs: AtMs): void {
    if (speaker.party.role === 'agent') return this.#said(speaker);
    const line = this.#lineOf(speaker);
    if (line === undefined) return;
    line.guard.heard(frame);
    if (speaker.voice === undefined || !this.#isSpokenTo(speaker)) return;
    line.voiceGoesOn(nowMs);
    if (line.isOwnVoice) this.#spokeOver(speaker, nowMs);
  }

  onVoice(speaker: Member, edge: VoiceEdge, nowMs: AtMs): void {
    const line = this.#lineOf(speaker);
    if (line === undefined) return;
    if (edge.type === 'voice_detected') {
      line.voiceBegan(edge, nowMs);
      if (line.isOwnVoice && this.#isSpokenTo(speaker)) this.#spokeOver(speaker, nowMs);
      return;
    }
    const durationMs = this.#lengthOf(line, edge.durationMs, nowMs);
    line.voiceEnded();
    const speakerId = speaker.party.id;
    for (const talk of this.#talks) this.#move(talk, { type: 'fell_silent', speakerId, durationMs }, nowMs);
  }

  onInput(member: Member, input: CallInput, nowMs: AtMs): boolean {
    const talk = this.#talks.find(({ agent }) => agent === member);
    if (talk === undefined) return false;
    this.#follow(talk);
    if (input.type === 'agent_speaking') talk.items.began(input.itemId);
    else if (input.type === 'agent_spoke') talk.items.ended();
    else if (input.type === 'caller_speaking' && talk.waitingFrames > 0) {
      this.#move(talk, { type: 'agent_heard', policy: this.#policyOf(member) }, nowMs);
    }
    return false;
  }

  completion(): { readonly [field: string]: unknown } {
    return this.#interruptions.size === 0 ? {} : { interruptions: Object.fromEntries(this.#interruptions) };
  }

  save(): JsonObject | undefined {
    return this.#interruptions.size === 0 ? undefined : Object.fromEntries(this.#interruptions);
  }

  restore(saved: JsonObject = {}): void {
    for (const [legId, count] of Object.entries(saved)) {
      if (typeof count === 'number') this.#interruptions.set(legId, count);
    }
  }

  onEnding(): void {
    for (const talk of this.#talks) this.#close(talk);
    for (const line of this.#lines) line.close();
    this.#talks = [];
    this.#lines = [];
  }

  #said(speaker: Member): void {
    for (let i = 0; i < this.#talks.length; i++) {
      const talk = this.#talks[i]!;
      if (talk.agent !== speaker) continue;
      this.#follow(talk);
      talk.said();
    }
  }

  /** Where the agent speaks to somebody else now, their line is listened to. */
  #follow(talk: AgentTalk): void {
    const before = talk.listener;
    talk.follow(this.#desk.conversation, this.#desk.roster);
    const { listener } = talk;
    if (listener === before) return;
    if (before !== undefined) this.#forget(talk);
    const canInterrupt = listener?.party.role === 'caller' || listener?.party.role === 'human';
    if (!canInterrupt || !(listener.party instanceof LegParty) || this.#lineOf(listener) !== undefined)
      return;
    this.#lines = [...this.#lines, new ListeningLine(listener.party.leg)];
  }

  #close(talk: AgentTalk): void {
    talk.stopTimer();
    this.#desk.counts.forgottenItems += talk.items.stats.forgottenItems;
  }

  #forget(talk: AgentTalk): void {
    talk.stopTimer();
    talk.interruption = UNINTERRUPTED;
  }

  #lineOf(member: Member): ListeningLine | undefined {
    for (let i = 0; i < this.#lines.length; i++) {
      if (this.#lines[i]!.legId === member.party.id) return this.#lines[i];
    }
    return undefined;
  }

  /** Whether an agent that may be interrupted speaks to this party now. */
  #isSpokenTo(member: Member): boolean {
    for (let i = 0; i < this.#talks.length; i++) {
      const talk = this.#talks[i]!;
      this.#follow(talk);
      if (talk.listener === member && talk.interruption.name === 'none' && talk.isHeard) return true;
    }
    return false;
  }

  #spokeOver(speaker: Member, nowMs: AtMs): void {
    const speakerId = speaker.party.id;
    for (const talk of this.#talks) {
      if (talk.listener !== speaker || !talk.isHeard) continue;
      this.#move(talk, { type: 'spoke_over', speakerId, policy: this.#policyOf(talk.agent), nowMs }, nowMs);
    }
  }

  /** A voice that was an echo at first has spoken over the agent only since it was no longer one. */
  #lengthOf(line: ListeningLine, voiceMs: number, nowMs: AtMs): number {
    if (!line.wasEcho || line.sinceAtMs === undefined) return voiceMs;
    return Math.min(voiceMs, nowMs - line.sinceAtMs - this.#options.hangoverMs);
  }

  #policyOf(agent: Member): BargeInPolicy {
    return this.#options.policyOf?.(agent, this.#desk) ?? this.#options.policy;
  }

  #move(talk: AgentTalk, input: InterruptionInput, nowMs: AtMs): void {
    const { state, act } = advanceInterruption(talk.interruption, input);
    talk.interruption = state;
    if (state.name !== 'paused') talk.stopTimer();
    this.#act(talk, act, nowMs);
  }

  #act(talk: AgentTalk, act: InterruptionAct, nowMs: AtMs): void {
    switch (act) {
      case 'nothing':
        return;
      case 'tell':
        return this.#tell(talk, talk.waitingFrames, talk.heard().playedFrames, nowMs);
      case 'pause':
        return this.#pause(talk);
      case 'resume':
        this.stats.falseAlarms++;
        return talk.pause(false);
      case 'cut':
        return this.#cut(talk, nowMs);
    }
  }

  #pause(talk: AgentTalk): void {
    const { clock } = this.#desk;
    talk.pause(true);
    // By then even the shortest interruption that is one has been heard to the end of its hangover.
    talk.cancelTimer = clock.after(FALSE_ALARM_MS + this.#options.hangoverMs, () =>
      this.#move(talk, { type: 'lasted' }, clock.nowMs()),
    );
  }

  /** First the sound stops, then whoever makes it is told, then everybody else. */
  #cut(talk: AgentTalk, nowMs: AtMs): void {
    const { waitingFrames, agent } = talk;
    const { itemId, playedFrames } = talk.heard();
    for (const channel of agent.channels) channel.clear(nowMs);
    talk.items.cut(waitingFrames);
    agent.agent?.interrupt(itemId, playedFrames * FRAME_MS);
    this.#tell(talk, waitingFrames, playedFrames, nowMs);
  }

  #tell({ agent, listener }: AgentTalk, unplayedFrames: number, playedFrames: number, nowMs: AtMs): void {
    const leg_id = listener?.party.id ?? null;
    if (leg_id !== null) this.#interruptions.set(leg_id, (this.#interruptions.get(leg_id) ?? 0) + 1);
    const heard = { played_ms: playedFrames * FRAME_MS, unplayed_ms: unplayedFrames * FRAME_MS };
    this.#desk.emit('barge_in', { leg_id, interrupted_leg_id: agent.party.id, ...heard }, nowMs);
  }
}
