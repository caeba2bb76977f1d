import type { AtMs } from '../../base/clock.ts';
import { isObject, type JsonObject } from '../../base/json.ts';
import type { CallInput } from '../../leg/leg-listener.ts';
import type { VoiceEdge } from '../../media/voice/voice-edges.ts';
import type { AgentDialler, AgentLine } from '../agent-dialler.ts';
import { isBuiltIn } from '../../events/catalogue.ts';
import type { CallDesk } from '../call-desk.ts';
import type { CallPart, MakeCallPart } from '../call-part.ts';
import type { Member } from '../parties/roster.ts';
import { AgentChain } from './chain.ts';
import { History } from './history.ts';
import type { OwnTools } from './own-tools.ts';
import type { Agents } from './published.ts';
import { waitingFramesOf } from './spoken-ahead.ts';
import { AgentTools } from './tools.ts';

/** What an agent of a call needs of its node. */
export interface AgentPorts {
  readonly agents: Agents;
  readonly dialler: AgentDialler;
  /** Carries out the functions that are an agent's own. */
  readonly ownTools?: OwnTools;
}

/** Agents for calls: whoever a call's `agent_id` names is dialled when its caller is there. */
export function agentsFor(ports: AgentPorts): MakeCallPart {
  return (desk) => new AgentPart(desk, ports);
}

/** The agent of one call: dialled, listened to, given its tools, and written down. */
class AgentPart implements CallPart {
  readonly name = 'agent';
  readonly #desk: CallDesk;
  readonly #ports: AgentPorts;
  readonly #history = new History();
  #chain: AgentChain | undefined;
  #tools: AgentTools | undefined;
  #durationMaxMs = 0;
  #silenceMaxMs = 0;
  /** What a former owner of the call left, until its caller is back. */
  #kept: JsonObject | undefined;

  constructor(desk: CallDesk, ports: AgentPorts) {
    this.#desk = desk;
    this.#ports = ports;
  }

  get silenceMaxMs(): number {
    return this.#silenceMaxMs;
  }

  onJoined(member: Member, _wish: unknown, nowMs: AtMs): void {
    if (!this.#isOurs || this.#chain !== undefined || member.party.role !== 'caller') return;
    this.#open(member, nowMs);
    this.#start(nowMs);
  }

  onReturned(member: Member, nowMs: AtMs): void {
    if (this.#kept === undefined || member.party.role !== 'caller') return;
    // It may have been published here only since.
    if (this.#chain === undefined) this.#open(member, nowMs);
    this.#kept = undefined;
    this.#start(nowMs);
  }

  onLeft(member: Member, nowMs: AtMs): void {
    if (member === this.#agent?.member) this.#chain?.stop();
    else this.#chain?.placeLeft(member, nowMs);
  }

  onFrame(speaker: Member, frame: Int16Array, nowMs: AtMs): void {
    if (this.#chain === undefined) return;
    if (speaker.party.role === 'caller') this.#chain.callerSaid(frame);
    else if (speaker.agent !== undefined) this.#history.spoke(waitingFramesOf(speaker), nowMs);
  }

  onVoice({ party }: Member, edge: VoiceEdge): void {
    if (party.role !== 'caller') return;
    if (edge.type === 'voice_detected') this.#chain?.callerBegan();
    else this.#chain?.callerEnded(edge.durationMs);
  }

  onInput(member: Member, input: CallInput, nowMs: AtMs): boolean {
    const agent = this.#agent;
    if (agent === undefined || member !== agent.member) return false;
    switch (input.type) {
      case 'tool_call':
        this.#chain?.isBusy();
        this.#tools?.run(input, member, agent.line, nowMs);
        return true;
      case 'transcript':
        this.#writeDown(member, input, nowMs);
        return true;
      case 'agent_speaking':
        this.#history.began(input.itemId, waitingFramesOf(member));
        return false;
      case 'agent_spoke':
        this.#history.ended();
        return false;
      case 'agent_error':
        if (input.isFatal) this.#chain?.lost(input.code, nowMs);
        return true;
      default:
        return false;
    }
  }

  sweep(nowMs: AtMs): void {
    const { state } = this.#desk;
    if (this.#durationMaxMs === 0 || state.name !== 'active') return;
    if (nowMs - state.startedAtMs >= this.#durationMaxMs) this.#desk.end('max_duration', nowMs);
  }

  completion(): { readonly [field: string]: unknown } {
    const records = this.#tools?.records ?? [];
    return records.length === 0 ? {} : { tools: records };
  }

  onEnding(): void {
    this.#chain?.stop();
    this.#tools?.close();
    this.#count();
  }

  /**
   * A backend does not survive its line: the next owner dials it anew, tells it what was said, and does not
   * have the caller greeted again.
   */
  save(nowMs: AtMs): JsonObject | undefined {
    if (this.#chain === undefined) return this.#kept;
    const member = this.#agent?.member;
    const history = this.#history.save(member === undefined ? 0 : waitingFramesOf(member));
    return { chain: this.#chain.save(), history, tools: this.#tools?.save(nowMs) };
  }

  /** Nobody is dialled for a caller who may never come back. */
  restore(saved: JsonObject | undefined, nowMs: AtMs): void {
    if (!this.#isOurs) return;
    this.#kept = saved ?? {};
    const { caller } = this.#desk.roster;
    if (caller !== undefined) this.#open(caller, nowMs);
  }

  #count(): void {
    const { counts } = this.#ports.agents;
    if (counts === undefined) return;
    counts.lateTools += this.#tools?.stats.timeouts ?? 0;
    counts.tools += this.#tools?.stats.crowdedCalls ?? 0;
    counts.untoldTools += this.#tools?.stats.untoldCalls ?? 0;
    counts.forgottenTools += this.#tools?.stats.forgottenRecords ?? 0;
    const { forgottenTurns, forgottenUtterances, unkeptTurns } = this.#history.stats;
    counts.forgottenTurns += forgottenTurns;
    counts.forgottenUtterances += forgottenUtterances;
    counts.unkeptTurns += unkeptTurns;
    counts.overwrittenFrames += this.#chain?.stats.overwrittenFrames ?? 0;
  }

  get #isOurs(): boolean {
    const { agentId } = this.#desk.facts;
    return agentId !== null && !isBuiltIn(agentId);
  }

  /** Does nothing where nobody published the agent. */
  #open(caller: Member, nowMs: AtMs): void {
    const { dialler, ownTools, agents } = this.#ports;
    const agent = agents.agentFor(this.#desk.facts);
    if (agent === undefined) return;
    const { terms } = agent;
    const { chain: kept, history: said, tools } = this.#kept ?? {};
    this.#durationMaxMs = terms.duration_max_ms;
    this.#silenceMaxMs = terms.silence_timeout_ms ?? 0;
    this.#tools = new AgentTools({ desk: this.#desk, agentId: agent.id, terms, own: ownTools });
    if (isObject(tools)) this.#tools.restore(tools, nowMs);
    const history = this.#history;
    history.restore(said);
    const chain = { desk: this.#desk, dialler, terms, history, caller };
    this.#chain = new AgentChain({ ...chain, kept: isObject(kept) ? kept : undefined });
  }

  #start(nowMs: AtMs): void {
    if (this.#chain === undefined) {
      this.#desk.emit('agent_failed', { provider: null, error: 'not_published', fallback: null }, nowMs);
      return this.#desk.end('no_agent', nowMs);
    }
    this.#tools?.settleAbandoned(nowMs);
    if (this.#tools?.isEnding !== true) this.#chain.start(nowMs);
  }

  get #agent(): { readonly member: Member; readonly line: AgentLine } | undefined {
    const state = this.#chain?.state;
    return state?.name === 'connected' ? state : undefined;
  }

  #writeDown(
    member: Member,
    { speaker, text, isFinal, startMs, endMs }: Extract<CallInput, { type: 'transcript' }>,
    nowMs: AtMs,
  ): void {
    if (!isFinal || text === '') return;
    this.#history.add(speaker, text);
    const segment = { speaker, text, start_ms: startMs, end_ms: endMs };
    this.#desk.notes.addSegment(segment);
    this.#desk.emit('transcript_segment', { ...segment, leg_id: member.party.id }, nowMs);
  }
}
