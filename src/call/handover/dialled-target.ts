import type { AtMs } from '../../base/clock.ts';
import { AgentEars } from '../agents/agent-ears.ts';
import { SpokenAhead } from '../agents/spoken-ahead.ts';
import type { AgentBackend, AgentCall, AgentDialler, AgentLine, DialledAgent } from '../agent-dialler.ts';
import type { CallDesk } from '../call-desk.ts';
import type { LegEndReason } from '../../leg/state.ts';
import type { CallEndReason } from '../../events/catalogue.ts';
import { isOver } from './handover.ts';
import type { RunningHandover } from './running-handover.ts';

/** Who is dialled speaks `omnivoice.v1`. */
const DIALECT = 'native';
/** Of a call whose caller is not back yet. */
const SAMPLE_RATE_HZ = 8_000;

/** Whether a target of this URL can be dialled. */
export function canDial(url: string): boolean {
  return URL.canParse(url) && ['ws:', 'wss:'].includes(new URL(url).protocol);
}

/** The target of a handover on a WebSocket that we open to it, from the dial until it leaves the call. */
export class DialledTarget {
  readonly #desk: CallDesk;
  readonly #handover: RunningHandover;
  readonly #dialled: DialledAgent;
  #line: AgentLine | undefined;
  #ahead: SpokenAhead | undefined;

  constructor(desk: CallDesk, dialler: AgentDialler, handover: RunningHandover) {
    this.#desk = desk;
    this.#handover = handover;
    const legListener = new AgentEars(desk, {
      heard: () => this.#ahead?.look(),
      hungUp: (nowMs) => this.#gone({ leg: 'hangup', call: 'agent_hangup' }, nowMs),
      gone: (_, nowMs) => this.#gone({ leg: 'connection_lost', call: 'connection_lost' }, nowMs),
    });
    this.#dialled = dialler.dial(backendOf(handover), agentCallOf(desk, handover), {
      legListener,
      connected: (line, nowMs) => this.#connected(line, nowMs),
      failed: ({ error }, nowMs) => {
        // Who answers, and not with yes, has declined; everybody else was not to be reached.
        handover.feed({ type: error === 'rejected' ? 'declined' : 'unreachable' }, nowMs);
      },
    });
  }

  /** It has not come, and nobody waits for it any more; one that has come stays. */
  cancel(): void {
    if (this.#line === undefined) this.#dialled.cancel();
  }

  /** It has left the call. */
  left(legId: string): void {
    if (legId === this.#line?.leg.id) this.#ahead?.close();
  }

  close(): void {
    this.cancel();
    this.#ahead?.close();
  }

  #connected(line: AgentLine, nowMs: AtMs): void {
    const { roster, clock } = this.#desk;
    if (isOver(this.#handover.state) || !roster.hasRoom) {
      line.leg.end('removed', 1000, nowMs);
      this.#handover.feed({ type: 'unreachable' }, nowMs);
      return;
    }
    this.#line = line;
    this.#desk.join(line.leg, nowMs, { mode: null, handoverId: this.#handover.id });
    const member = roster.find(line.leg.id);
    if (member === undefined) return;
    member.agent = line;
    this.#ahead = new SpokenAhead(line, member, clock);
  }

  /** Before it had the caller for good, that is the end of its handover; after it, of the call. */
  #gone(why: { leg: LegEndReason; call: CallEndReason }, nowMs: AtMs): void {
    this.#ahead?.close();
    const { roster, conversation } = this.#desk;
    const member = this.#line === undefined ? undefined : roster.find(this.#line.leg.id);
    if (member === undefined) return;
    const hasCaller = conversation.partner === member && isOver(this.#handover.state);
    if (hasCaller) this.#desk.end(why.call, nowMs);
    else this.#desk.dismiss(member, why, nowMs);
  }
}

function backendOf({ command: { target } }: RunningHandover): AgentBackend {
  return {
    dialect: DIALECT,
    url: target.to,
    apiKey: null,
    model: null,
    voice: null,
    language: null,
    instructions: null,
    greeting: null,
    tools: [],
    history: [],
    options: {},
    settings: {},
  };
}

function agentCallOf({ facts, roster }: CallDesk, { id, command }: RunningHandover): AgentCall {
  const { mode, reason } = command;
  const parameters = { handover_id: id, mode, ...(reason !== null && { reason }) };
  const sampleRateHz = roster.caller?.party.sampleRateHz ?? SAMPLE_RATE_HZ;
  return { callId: facts.id, from: facts.from, to: facts.to, parameters, sampleRateHz };
}
