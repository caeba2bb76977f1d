import type { AtMs, Cancel } from '../../base/clock.ts';
import { isObject, parseObject, type JsonObject } from '../../base/json.ts';
import type { AgentTerms, AgentToolName } from '../../events/agents.ts';
import { readCallCommand } from '../../events/call-commands.ts';
import type { CommandResult } from '../../events/commands.ts';
import type { CallInput } from '../../leg/leg-listener.ts';
import type { AgentLine } from '../agent-dialler.ts';
import type { CallDesk } from '../call-desk.ts';
import { done, failed, type Outcome } from '../commands/outcome.ts';
import type { Member } from '../parties/roster.ts';
import { waitingFramesOf } from './spoken-ahead.ts';
import { toolsOf } from './tool-shapes.ts';

/** An agent waits no longer for the result of a tool. */
const RESULT_WITHIN_MS = 8_000;
const UNDER_WAY_MAX = 16;
/** So many are told of in `call_completed`. */
const REMEMBERED_MAX = 200;
/** Beyond what our queue holds, a provider plays from a buffer of its own. */
const LAST_WORDS_GRACE_MS = 500;

type ToolCall = Extract<CallInput, { type: 'tool_call' }>;

/** What became of a tool, as `call_completed` tells it. */
interface ToolRecord {
  readonly name: string;
  readonly at: string;
  readonly ok: boolean;
  readonly error: string | null;
  readonly duration_ms: number;
}

/** Carries out what an agent's backend asks for by its tools, and tells it what came of it. */
export class AgentTools {
  readonly stats = { calls: 0, refusals: 0, timeouts: 0, forgottenRecords: 0 };
  readonly #desk: CallDesk;
  readonly #terms: AgentTerms;
  readonly #records: ToolRecord[] = [];
  readonly #cancels = new Set<Cancel>();
  #underWay = 0;

  constructor(desk: CallDesk, terms: AgentTerms) {
    this.#desk = desk;
    this.#terms = terms;
  }

  get records(): readonly ToolRecord[] {
    return this.#records;
  }

  run(call: ToolCall, member: Member, line: AgentLine, nowMs: AtMs): void {
    this.stats.calls++;
    let isAnswered = false;
    const answer = (result: CommandResult): void => {
      if (isAnswered) return;
      isAnswered = true;
      this.#underWay--;
      this.#remember(call, result, nowMs);
      const { ok, value } = spoken(result);
      line.answerTool({ id: call.id, name: call.name, ok, value });
    };
    const outcome = this.#underWay >= UNDER_WAY_MAX ? TOO_MANY : this.#carryOut(call, member, nowMs);
    this.#underWay++;
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

  close(): void {
    for (const cancel of this.#cancels) cancel();
    this.#cancels.clear();
  }

  #carryOut({ name, argumentsText }: ToolCall, member: Member, nowMs: AtMs): Outcome {
    if (!toolsOf(this.#terms).some((tool) => tool.name === name)) {
      return failed('not_found', `there is no tool ${name.slice(0, 64)}`);
    }
    // Models leave the arguments of a function that needs none empty.
    const args = argumentsText.trim() === '' ? {} : parseObject(argumentsText);
    if (args === undefined) return failed('invalid_argument', 'the arguments are no JSON object');
    if (name === 'end_call') return this.#endCall(member);
    const command = this.#commandOf(name as Exclude<AgentToolName, 'end_call'>, args);
    if ('type' in command) return failed(command.fault, command.detail);
    return this.#desk.command(command, nowMs, { type: 'leg', member });
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
    const { clock } = this.#desk;
    const lastWordsMs = waitingFramesOf(member) * 20 + LAST_WORDS_GRACE_MS;
    this.#after(lastWordsMs, () => this.#desk.end('agent_hangup', clock.nowMs()));
    return done({ ends_in_ms: lastWordsMs });
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

  #remember({ name }: ToolCall, result: CommandResult, startedAtMs: AtMs): void {
    if (!result.ok) this.stats.refusals++;
    if (this.#records.length >= REMEMBERED_MAX) {
      this.stats.forgottenRecords++;
      return;
    }
    const { clock } = this.#desk;
    const durationMs = Math.round(clock.nowMs() - startedAtMs);
    this.#records.push({
      name: name.slice(0, 64),
      at: new Date(clock.unixMs() - durationMs).toISOString(),
      ok: result.ok,
      error: result.ok ? null : result.fault,
      duration_ms: durationMs,
    });
  }
}

const TOO_MANY = failed('rate_limited', `${UNDER_WAY_MAX} tools are under way`);

function spoken(result: CommandResult): { readonly ok: boolean; readonly value: JsonObject } {
  if (!result.ok) return { ok: false, value: { error: result.fault, detail: result.detail } };
  return { ok: true, value: isObject(result.value) ? result.value : {} };
}
