import type { AtMs, Cancel } from '../../base/clock.ts';
import { isObject, newestWithin, parseObject, type JsonObject } from '../../base/json.ts';
import { KIB } from '../../base/units.ts';
import { AGENT_TOOLS, type AgentTerms, type AgentToolName } from '../../events/agents.ts';
import { readCallCommand } from '../../events/call-commands.ts';
import type { CommandResult } from '../../events/commands.ts';
import type { CallInput } from '../../leg/leg-listener.ts';
import type { AgentLine } from '../agent-dialler.ts';
import type { CallDesk } from '../call-desk.ts';
import { done, failed, unavailable, type Outcome } from '../commands/outcome.ts';
import type { Member } from '../parties/roster.ts';
import type { OwnTools } from './own-tools.ts';
import { waitingFramesOf } from './spoken-ahead.ts';
import { toolsOf } from './tool-shapes.ts';

/** An agent waits no longer for the result of a tool. */
const RESULT_WITHIN_MS = 8_000;
const UNDER_WAY_MAX = 16;
const ARGUMENTS_CHARACTERS_MAX = 65_536;
/** So many are told of in `call_completed`, and so many while the call runs. */
const REMEMBERED_MAX = 200;
const TOLD_MAX = 1_000;
const NAME_CHARACTERS_MAX = 64;
const ID_CHARACTERS_MAX = 128;
/** So much of what became of tools goes with the call to its next owner. */
const KEPT_BYTES_MAX = 8 * KIB;
/** Beyond what our queue holds, a provider plays from a buffer of its own. */
const LAST_WORDS_GRACE_MS = 500;

type ToolCall = Extract<CallInput, { type: 'tool_call' }>;

/** One call of a tool, as its events name it. */
interface ToldCall {
  readonly leg_id: string;
  readonly tool: string;
  readonly tool_call_id: string;
}

/** What became of a tool, as `call_completed` tells it. */
interface ToolRecord {
  readonly name: string;
  readonly at: string;
  readonly ok: boolean;
  readonly error: string | null;
  readonly duration_ms: number;
}

/** What the tools of a call's agent do it with. */
export interface AgentToolsOptions {
  readonly desk: CallDesk;
  readonly agentId: string;
  readonly terms: AgentTerms;
  /** Absent where nobody carries out functions of an agent's own. */
  readonly own?: OwnTools | undefined;
}

/** Carries out what an agent's backend asks for by its tools, and tells it what came of it. */
export class AgentTools {
  readonly stats = {
    calls: 0,
    refusals: 0,
    timeouts: 0,
    forgottenRecords: 0,
    untoldCalls: 0,
    /** Refused because too many were under way. */
    crowdedCalls: 0,
  };
  readonly #options: AgentToolsOptions;
  readonly #desk: CallDesk;
  readonly #terms: AgentTerms;
  readonly #records: ToolRecord[] = [];
  readonly #cancels = new Set<Cancel>();
  /** Those whose result is still to come, and what was told of them. */
  readonly #underWay = new Map<(result: CommandResult) => void, ToldCall>();
  /** What a former owner of the call had under way: nobody waits for a result of it any more. */
  #abandoned: readonly ToldCall[] = [];
  /** The agent has said goodbye: the call ends then. */
  #endsAtMs: AtMs | undefined;

  constructor(options: AgentToolsOptions) {
    this.#options = options;
    this.#desk = options.desk;
    this.#terms = options.terms;
  }

  get records(): readonly ToolRecord[] {
    return this.#records;
  }

  run(call: ToolCall, member: Member, line: AgentLine, nowMs: AtMs): void {
    const isTold = ++this.stats.calls <= TOLD_MAX;
    if (!isTold) this.stats.untoldCalls++;
    const told = {
      leg_id: member.party.id,
      tool: call.name.slice(0, NAME_CHARACTERS_MAX),
      tool_call_id: call.id.slice(0, ID_CHARACTERS_MAX),
    };
    if (isTold) this.#desk.emit('tool_called', told, nowMs);
    const isFull = this.#underWay.size >= UNDER_WAY_MAX;
    if (isFull) this.stats.crowdedCalls++;
    const answer = (result: CommandResult): void => {
      if (!this.#underWay.delete(answer)) return;
      const record = this.#remember(told.tool, result, nowMs);
      const { error, duration_ms } = record;
      const became = { ...told, ok: result.ok, error, duration_ms };
      if (isTold) this.#desk.emit('tool_result', became, this.#desk.clock.nowMs());
      const { ok, value } = spoken(result);
      line.answerTool({ id: call.id, name: call.name, ok, value });
    };
    this.#underWay.set(answer, told);
    this.#answerLater(isFull ? TOO_MANY : this.#carryOut(call, member, nowMs), answer);
  }

  /** Whatever has no result yet has none any more. */
  close(): void {
    for (const cancel of this.#cancels) cancel();
    this.#cancels.clear();
    for (const answer of this.#underWay.keys()) answer(failed('unavailable', 'the call is over'));
  }

  /** Whether the call is about to end by the agent's wish. */
  get isEnding(): boolean {
    return this.#endsAtMs !== undefined;
  }

  save(nowMs: AtMs): JsonObject {
    const endsInMs = this.#endsAtMs === undefined ? null : Math.max(0, Math.round(this.#endsAtMs - nowMs));
    const underWay = [...this.#abandoned, ...this.#underWay.values()];
    const records = newestWithin(this.#records, KEPT_BYTES_MAX);
    return { records, under_way: underWay.slice(-UNDER_WAY_MAX), ends_in_ms: endsInMs };
  }

  restore({ records, under_way, ends_in_ms }: JsonObject, nowMs: AtMs): void {
    // As they were written: the fence of the snapshot vouches for their shape.
    this.#records.push(...(Array.isArray(records) ? (records as ToolRecord[]) : []));
    this.#abandoned = Array.isArray(under_way) ? (under_way as ToldCall[]) : [];
    if (typeof ends_in_ms === 'number') this.#endLater(ends_in_ms, nowMs);
  }

  /** Tells what became of calls whose backend is gone with the call's former owner. */
  settleAbandoned(nowMs: AtMs): void {
    for (const told of this.#abandoned) {
      const { error } = this.#remember(told.tool, LEFT_BEHIND, nowMs);
      this.#desk.emit('tool_result', { ...told, ok: false, error, duration_ms: null }, nowMs);
    }
    this.#abandoned = [];
  }

  #answerLater(outcome: Outcome, answer: (result: CommandResult) => void): void {
    if (!(outcome instanceof Promise)) return answer(outcome);
    const cancel = this.#after(RESULT_WITHIN_MS, () => {
      this.stats.timeouts++;
      answer(failed('unavailable', `no result within ${RESULT_WITHIN_MS} ms`));
    });
    outcome.then(
      (result) => (cancel(), answer(result)),
      () => (cancel(), answer(failed('internal', 'the tool broke'))),
    );
  }

  #carryOut({ id, name, argumentsText }: ToolCall, member: Member, nowMs: AtMs): Outcome {
    if (!toolsOf(this.#terms).some((tool) => tool.name === name)) {
      return failed('not_found', `there is no tool ${name.slice(0, NAME_CHARACTERS_MAX)}`);
    }
    if (argumentsText.length > ARGUMENTS_CHARACTERS_MAX) {
      return failed('payload_too_large', 'the arguments are longer than 64 KiB');
    }
    // Models leave the arguments of a function that needs none empty.
    const args = argumentsText.trim() === '' ? {} : parseObject(argumentsText);
    if (args === undefined) return failed('invalid_argument', 'the arguments are no JSON object');
    if (!isBuiltInTool(name)) return this.#runOwn({ id, name, argumentsText: JSON.stringify(args) });
    if (name === 'end_call') return this.#endCall(member);
    const command = this.#commandOf(name, args);
    if ('type' in command) return failed(command.fault, command.detail);
    const outcome = this.#desk.command(command, nowMs, { type: 'leg', member });
    if (command.name !== 'hand_over') return outcome;
    return outcome instanceof Promise ? outcome.then(withoutJoin) : withoutJoin(outcome);
  }

  #runOwn({ id, name, argumentsText }: Pick<ToolCall, 'id' | 'name' | 'argumentsText'>): Outcome {
    const { own, agentId } = this.#options;
    const terms = this.#terms.http_tools?.find((tool) => tool.name === name);
    if (own === undefined || terms === undefined) return unavailable('an own tool');
    const call = { agentId, tool: name, id: id.slice(0, ID_CHARACTERS_MAX), argumentsText };
    return own.run(call, this.#desk.facts, Math.min(terms.timeout_ms, RESULT_WITHIN_MS));
  }

  #commandOf(name: Exclude<AgentToolName, 'end_call'>, args: JsonObject): ReturnType<typeof readCallCommand> {
    switch (name) {
      case 'transfer_to_human': {
        const { target, mode, hold, timeout_ms } = this.#terms.transfer!;
        const { reason, summary } = args;
        const context = { ...(summary !== undefined && { summary }) };
        return readCallCommand('hand_over', { target, mode, hold, timeout_ms, reason, context });
      }
      case 'send_dtmf':
        return readCallCommand('dtmf', { digits: args['digits'] });
      case 'set_disposition':
        return readCallCommand('set_disposition', { disposition: args['disposition'], by: 'agent' });
      default: {
        const threshold = this.#terms.qualification_threshold ?? undefined;
        return readCallCommand('qualify', { score: args['score'], criteria: args['criteria'], threshold });
      }
    }
  }

  /** The agent's last words are heard before the line is cut. */
  #endCall(member: Member): CommandResult {
    const lastWordsMs = waitingFramesOf(member) * 20 + LAST_WORDS_GRACE_MS;
    this.#endLater(lastWordsMs, this.#desk.clock.nowMs());
    return done({ ends_in_ms: lastWordsMs });
  }

  #endLater(delayMs: number, nowMs: AtMs): void {
    const { clock } = this.#desk;
    this.#endsAtMs ??= nowMs + delayMs;
    this.#after(delayMs, () => this.#desk.end('agent_hangup', clock.nowMs()));
  }

  #after(delayMs: number, task: () => void): Cancel {
    const cancelTimer = this.#desk.clock.after(delayMs, () => {
      this.#cancels.delete(cancel);
      task();
    });
    const cancel = (): void => {
      cancelTimer();
      this.#cancels.delete(cancel);
    };
    this.#cancels.add(cancel);
    return cancel;
  }

  #remember(name: string, result: CommandResult, startedAtMs: AtMs): ToolRecord {
    if (!result.ok) this.stats.refusals++;
    const { clock } = this.#desk;
    const durationMs = Math.round(clock.nowMs() - startedAtMs);
    const record = {
      name,
      at: new Date(clock.unixMs() - durationMs).toISOString(),
      ok: result.ok,
      error: result.ok ? null : result.fault,
      duration_ms: durationMs,
    };
    if (this.#records.length >= REMEMBERED_MAX) this.stats.forgottenRecords++;
    else this.#records.push(record);
    return record;
  }
}

function isBuiltInTool(name: string): name is AgentToolName {
  return AGENT_TOOLS.some((known) => known === name);
}

/** How to join in the target's place is not for a backend to know: whoever has the token is the human. */
function withoutJoin(result: CommandResult): CommandResult {
  if (!result.ok || !isObject(result.value)) return result;
  const { handover_id, state, mode } = result.value;
  return done({ handover_id, state, mode });
}

const LEFT_BEHIND = failed('unavailable', 'the call went on at another node');
const TOO_MANY = failed('rate_limited', `${UNDER_WAY_MAX} tools are under way`);

function spoken(result: CommandResult): { readonly ok: boolean; readonly value: JsonObject } {
  if (!result.ok) return { ok: false, value: { error: result.fault, detail: result.detail } };
  return { ok: true, value: isObject(result.value) ? result.value : {} };
}
