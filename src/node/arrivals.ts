import type { AtMs, Clock } from '../base/clock.ts';
import { refuse, type Refusal } from '../base/errors.ts';
import { newId } from '../base/ids.ts';
import type { Agents } from '../call/agents/published.ts';
import type { Call } from '../call/call.ts';
import type { CallFacts } from '../call/facts.ts';
import type { CallDirectory } from '../call/directory.ts';
import { joinWishOf } from '../call/parties/invitation.ts';
import { LegParty, lineOf, type LineFacts } from '../call/parties/party.ts';
import type { Member } from '../call/parties/roster.ts';
import type { AgentTerms } from '../events/agents.ts';
import type { Arrival, Arrivals, Caller, LegConnection } from '../gateway/arrivals.ts';
import type { Resumes, Resumption } from '../gateway/door/admission.ts';
import type { ResumeClaims, ResumeTokens } from '../gateway/resume-token.ts';
import { ReturnTokens } from './door/return-tokens.ts';
import { Farewells } from './drain/farewells.ts';
import { TAIL_MS, type Tails } from './drain/tails.ts';
import type { LegGroups } from './leg-groups.ts';
import { Leg } from '../leg/leg.ts';
import type { Pacer } from '../leg/leg-options.ts';
import type { LegWindow } from '../leg/leg-quality.ts';
import { formatName } from '../media/format.ts';
import type { VoiceSettings } from '../media/voice-detector.ts';
import type { Hears, LegMedia } from './leg-media.ts';
import { Line, type LineObserver } from './line.ts';

/** Parameters of a provider's stream that name the call; the rest is metadata (contract.md §4.1). */
const KNOWN_PARAMETERS = ['from', 'to', 'direction', 'lead_id', 'contact_id', 'conversation_id', 'agent_id'];
/** Names the call, where a provider was told to stream again because its stream was lost. */
const RESUMES_PARAMETER = 'resumes';

type LineFormats = Pick<LineFacts, 'inbound' | 'outbound'>;

/** Somebody who comes back, and the generation its connection is to have. */
interface Comer {
  readonly call: Call;
  readonly member: Member;
  readonly arrival: Arrival;
  readonly generation: number;
}

export interface NodeArrivalsOptions {
  readonly clock: Clock;
  readonly calls: CallDirectory;
  readonly media: LegMedia;
  /** Who may say how their callers are heard; absent where all are heard alike. */
  readonly agents?: Agents;
  readonly pacer: Pacer;
  readonly groups: LegGroups;
  readonly observer: LineObserver;
  readonly resumeTokens: ResumeTokens;
  readonly region: string;
  readonly node: string;
  readonly resumeWindowMs: number;
  /** Where a leg of this node comes back to, most wanted first; the token is appended. */
  readonly resumeUrls: (dialect: string) => readonly string[];
  /** Why nobody new may come in just now, if so. */
  readonly refuseNew: () => Refusal | undefined;
  /** The last words of legs whose call was given away; absent where none is. */
  readonly tails?: Tails;
  readonly log: { warn(fields: object, sentence: string): void };
}

/**
 * Turns whoever is at the door into a leg of a call, and gives legs back to those who lost their connection.
 */
export class NodeArrivals implements Arrivals, Resumes {
  /** How its legs are sent on to other nodes. */
  readonly farewells: Farewells;
  readonly #options: NodeArrivalsOptions;
  /** Legs that have not ended. */
  readonly #present = new Set<Leg>();
  readonly #tokens: ReturnTokens;

  constructor(options: NodeArrivalsOptions) {
    this.#options = options;
    this.#tokens = new ReturnTokens(options);
    this.farewells = new Farewells({ tokens: this.#tokens, resumeWindowMs: options.resumeWindowMs });
  }

  get legs(): number {
    return this.#options.groups.legs;
  }

  refuseNew(): Refusal | undefined {
    return this.#options.refuseNew();
  }

  arrive(arrival: Arrival, nowMs: AtMs): LegConnection | Refusal {
    const { caller, dialect, started } = arrival;
    const { calls, media, clock, log } = this.#options;
    const resumed = started.parameters[RESUMES_PARAMETER];
    if (resumed !== undefined && caller.callId === null) return this.#comeBack(resumed, arrival, nowMs);
    const streamed = this.#streamedBefore(arrival);
    if (streamed !== undefined) return this.#rejoin(streamed, nowMs);
    // Asked again: others may have come in between the upgrade and the start. Who comes back goes first.
    const refusal = this.refuseNew() ?? media.refusalOf(started);
    if (refusal !== undefined) return refusal;
    if (started.returns === true) return refuse('call_not_found', 'the call to come back to has ended');
    const known = caller.callId === null ? undefined : calls.get(caller.callId);
    if (known === undefined && caller.role !== 'caller') {
      return refuse('call_not_found', 'the call has ended or never was');
    }
    if (known !== undefined && caller.role === 'caller') return refuse('conflict', 'the call has its caller');
    if (known?.roster.hasRoom === false)
      return refuse('overloaded', 'the call has no room for another party');
    const call = known ?? calls.open(this.#factsOf(arrival));
    const leg = this.#makeLeg(arrival, call, { id: newId('leg', clock), role: caller.role }, nowMs);
    if (dialect.capabilities.unverified) {
      const facts = { call_id: call.id, leg_id: leg.id, dialect: dialect.name };
      log.warn(facts, 'a leg speaks a dialect whose facts are second-hand (docs/dialects.md)');
    }
    this.#greet(leg, arrival, { call, resumed: false });
    call.join(leg, nowMs, joinWishOf(caller.metadata));
    return new Line(leg, arrival, this.#options);
  }

  async resume(claims: ResumeClaims): Promise<Resumption | undefined> {
    const call = this.#options.calls.get(claims.callId);
    const member = call?.roster.find(claims.legId);
    if (call === undefined || member === undefined) return undefined;
    const arrive = (arrival: Arrival, nowMs: AtMs): LegConnection | Refusal => {
      if (claims.generation < member.generation) {
        return refuse('leg_replaced', 'the leg is on a newer connection');
      }
      return this.#rejoin({ call, member, arrival, generation: claims.generation + 1 }, nowMs);
    };
    return { caller: callerOf(call.facts, member.party.role), arrive };
  }

  /** Looks how good every line is; answers the windows that are over. About once a second. */
  *observe(nowMs: AtMs): Generator<{ readonly leg: Leg; readonly window: LegWindow }> {
    for (const leg of this.#present) {
      const window = leg.observe(nowMs);
      if (window !== undefined) yield { leg, window };
    }
  }

  /** A provider's stream that was told which call it is of: only its own caller comes back by that. */
  #comeBack(callId: string, arrival: Arrival, nowMs: AtMs): LegConnection | Refusal {
    const { workspaceId, credentialId = null } = arrival.caller;
    const call = this.#options.calls.get(callId);
    const isOwn = call?.facts.workspaceId === workspaceId && call.facts.credentialId === credentialId;
    const comer = isOwn && credentialId !== null ? comerOf(call, arrival) : undefined;
    // To start another call would put a caller who was hung up on through again.
    if (comer === undefined) return refuse('call_not_found', 'the call to come back to has ended');
    return this.#rejoin(comer, nowMs);
  }

  /** A provider streams a call again that it has streamed here before: it is the same call. */
  #streamedBefore(arrival: Arrival): Comer | undefined {
    const { caller, started } = arrival;
    const { workspaceId, credentialId = null, callId } = caller;
    const { providerCallId, bidirectional } = started;
    if (callId !== null || credentialId === null || providerCallId === null || !bidirectional)
      return undefined;
    const call = this.#options.calls.ofProvider({ workspaceId, credentialId, providerCallId });
    return call === undefined ? undefined : comerOf(call, arrival);
  }

  #rejoin(comer: Comer, nowMs: AtMs): LegConnection | Refusal {
    const { call, member, generation } = comer;
    const { party } = member;
    if (call.roster.find(party.id) !== member) return refuse('call_not_found', 'the call has ended');
    const line = lineOf(member);
    const arrival = line === undefined ? comer.arrival : settled(comer.arrival, line);
    if (line === undefined || !isSameAudio(line, arrival.started)) {
      return refuse('unsupported_format', `the leg speaks ${party.codecName}`);
    }
    const refusal = this.#options.media.refusalOf(arrival.started);
    if (refusal !== undefined) return refusal;
    const leg = this.#legFor({ ...comer, arrival }, nowMs);
    member.generation = generation;
    this.#greet(leg, arrival, { call, resumed: true });
    call.rejoin(leg, nowMs);
    return new Line(leg, arrival, this.#options);
  }

  /** The leg that was here all along, on its new socket; or a new one for a line that another node had. */
  #legFor({ call, member, arrival }: Comer, nowMs: AtMs): Leg {
    const { party } = member;
    if (!(party instanceof LegParty)) return this.#makeLeg(arrival, call, party, nowMs);
    const { leg } = party;
    const graceMs = this.#hearsOut(leg) ? TAIL_MS : 0;
    leg.resume(arrival.session, arrival.socket, nowMs, graceMs);
    return leg;
  }

  /** Who was told to come speaks on its old socket until it knows that it has. */
  #hearsOut(leg: Leg): boolean {
    const { tails } = this.#options;
    const isSpeakingOn =
      this.farewells.cameBack(leg) && leg.capabilities.resume && leg.state.name === 'active';
    if (isSpeakingOn) tails?.turn(leg.id);
    return isSpeakingOn && tails !== undefined;
  }

  #makeLeg(arrival: Arrival, call: Call, { id, role }: Pick<Leg, 'id' | 'role'>, nowMs: AtMs): Leg {
    const { dialect, session, started, socket } = arrival;
    const { media, pacer, groups } = this.#options;
    const group = groups.of(dialect.name, role);
    const leg = new Leg({
      id,
      role,
      dialectName: dialect.name,
      capabilities: dialect.capabilities,
      started,
      session,
      sink: socket,
      counters: group.frames,
      pacer,
      listener: call,
      nowMs,
      onEnded: () => {
        groups.left(group, leg);
        this.#present.delete(leg);
      },
      ...media.partsFor(started, {
        isPaced: true,
        hears: hearsOf(role, call.facts.direction),
        tellsDigits: dialect.capabilities.dtmfIn,
        voice: role === 'caller' ? voiceOf(this.#options.agents?.agentFor(call.facts)?.terms) : {},
      }),
    });
    group.count++;
    this.#present.add(leg);
    return leg;
  }

  #greet(leg: Leg, { dialect, session, socket }: Arrival, how: { call: Call; resumed: boolean }): void {
    const { resumeWindowMs, resumeUrls } = this.#options;
    const { call, resumed } = how;
    const resumeToken = dialect.capabilities.resume ? this.#tokens.mintFor(leg, call) : null;
    const urls = resumeUrls(dialect.name);
    const facts = { callId: call.id, legId: leg.id, resumed, resumeToken, resumeUrls: urls, resumeWindowMs };
    const message = session.writeStarted(facts);
    if (message !== undefined) socket.send(message);
  }

  #factsOf({ caller, started }: Arrival): CallFacts {
    const { parameters } = started;
    const { clock, region, node } = this.#options;
    const metadata = Object.entries(parameters).filter(([name]) => !KNOWN_PARAMETERS.includes(name));
    const provider = {
      ...(started.providerCallId === null ? {} : { provider_call_id: started.providerCallId }),
      ...(started.providerStreamId === null ? {} : { provider_stream_id: started.providerStreamId }),
    };
    return {
      id: caller.callId ?? newId('call', clock),
      workspaceId: caller.workspaceId,
      testMode: caller.testMode,
      region,
      node,
      agentId: caller.agentId,
      direction: parameters['direction'] === 'outbound' ? 'outbound' : caller.direction,
      from: caller.from ?? parameters['from'] ?? null,
      to: caller.to ?? parameters['to'] ?? null,
      conversationId: caller.conversationId ?? parameters['conversation_id'] ?? newId('conv', clock),
      leadId: caller.leadId ?? parameters['lead_id'] ?? null,
      contactId: caller.contactId ?? parameters['contact_id'] ?? null,
      metadata: { ...Object.fromEntries(metadata), ...provider, ...caller.metadata },
      credentialId: caller.credentialId ?? null,
    };
  }
}

/** As the agent wants its caller heard, in the words of the ear. */
function voiceOf({ voice_detection }: Pick<AgentTerms, 'voice_detection'> = {}): Partial<VoiceSettings> {
  const { aggressiveness, start_ms, stop_ms, level_min_dbfs } = voice_detection ?? {};
  return {
    ...(aggressiveness !== undefined && { aggressiveness }),
    ...(start_ms !== undefined && { startMs: start_ms }),
    ...(stop_ms !== undefined && { stopMs: stop_ms }),
    ...(level_min_dbfs !== undefined && { levelMinDbfs: level_min_dbfs }),
  };
}

/** Keys and tones come from telephones; who answered is asked where we did the calling. */
function hearsOf(role: Caller['role'], direction: CallFacts['direction']): Hears {
  if (role === 'agent' || role === 'supervisor') return 'voices';
  return role === 'caller' && direction === 'outbound' ? 'answers' : 'keys';
}

function callerOf(facts: CallFacts, role: Caller['role']): Caller {
  const { id: callId, region: _region, node: _node, conversationId, ...rest } = facts;
  return { ...rest, callId, conversationId, role, sessionId: null };
}

function comerOf(call: Call | undefined, arrival: Arrival): Comer | undefined {
  const member = call?.roster.caller;
  if (call === undefined || member?.party.dialectName !== arrival.dialect.name) return undefined;
  return { call, member, arrival, generation: member.generation + 1 };
}

/** Who returns without a word of its audio goes on with what it had. */
function settled(arrival: Arrival, line: LineFacts): Arrival {
  if (arrival.started.returns !== true) return arrival;
  const { inbound, outbound, bidirectional } = line;
  arrival.session.goOn?.(line);
  return { ...arrival, started: { ...arrival.started, inbound, outbound, bidirectional } };
}

/** What a leg hears and says was settled when it first came. */
function isSameAudio(line: LineFacts, started: LineFormats): boolean {
  const isSame = (way: keyof LineFormats): boolean => formatName(line[way]) === formatName(started[way]);
  return isSame('inbound') && isSame('outbound');
}
