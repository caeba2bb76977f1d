import type { AgentStore } from '../../api/agents/agent-desk.ts';
import type { AtMs, Clock } from '../../base/clock.ts';
import type { FaultCode } from '../../base/errors.ts';
import { newId } from '../../base/ids.ts';
import { isObject } from '../../base/json.ts';
import { sha256Hex } from '../../base/secret.ts';
import { KIB } from '../../base/units.ts';
import type { Closeable } from '../../base/lifetime.ts';
import { exchange, type ExchangeResult, type WireRequest } from '../../delivery/wire/exchange.ts';
import { EgressBlocked } from '../../delivery/wire/guard.ts';
import { OriginPools } from '../../delivery/wire/origin-pools.ts';
import { sign } from '../../delivery/wire/signature.ts';
import type { HttpTool, HttpToolRequest } from '../../events/agents.ts';
import type { AgentToolAsk, AskResult } from '../../events/asks.ts';
import type { SchemaDesk, SchemaVerdict } from '../../records/inbound/schema/schema-desk.ts';

/** What an agent is told of a result. */
const RESULT_BYTES_MAX = 64 * KIB;
/** So much of an answer that is not 2xx: an agent may have something to say about it. */
const REASON_CHARACTERS_MAX = 512;
const WORKSPACE_MAX = 64;
const ALL_MAX = 512;

export interface ToolRequestsOptions {
  readonly agents: Pick<AgentStore, 'get'>;
  readonly schemas: Pick<SchemaDesk, 'check'>;
  readonly clock: Clock;
  readonly egressAllow: readonly string[];
  readonly userAgent: string;
}

/** Counted since the start. */
export interface ToolRequestsStats {
  done: number;
  /** Of a tool: it could not be reached, or answered nothing that an agent can be told. */
  failed: number;
  wrongArguments: number;
  /** Sent nowhere, because the guard forbids the address. */
  blocked: number;
  timeouts: number;
  tooLarge: number;
  /** Refused because too many were under way. */
  refused: number;
}

/**
 * Carries out functions that are an agent's own, by one signed request each, never repeated: the owner's
 * server hears of a call of a function once, or nobody knows whether it did.
 */
export class ToolRequests implements Closeable {
  readonly stats: ToolRequestsStats = {
    done: 0,
    failed: 0,
    wrongArguments: 0,
    blocked: 0,
    timeouts: 0,
    tooLarge: 0,
    refused: 0,
  };
  readonly #options: ToolRequestsOptions;
  readonly #pools: OriginPools;
  readonly #underWay = new Map<string, number>();
  #allUnderWay = 0;

  constructor(options: ToolRequestsOptions) {
    this.#options = options;
    this.#pools = new OriginPools(options);
  }

  /** Addresses whose connections were let go to make room for others. */
  get forgottenOrigins(): number {
    return this.#pools.stats.forgottenPools;
  }

  /**
   * What the function answered, an object. Faults: `not_found` where the published agent has no such
   * function any more; `invalid_argument` where its schema refuses the arguments; `failed_precondition` where
   * the guard forbids its address, where it answered neither 2xx nor 5xx, or no JSON; `payload_too_large`
   * beyond 64 KiB; `unavailable` where it was not there, answered 5xx, or not within its time; `overloaded`
   * where too many are under way.
   */
  async answer(ask: AgentToolAsk): Promise<AskResult> {
    const { workspace_id: workspaceId } = ask;
    const here = this.#underWay.get(workspaceId) ?? 0;
    if (here >= WORKSPACE_MAX || this.#allUnderWay >= ALL_MAX) {
      this.stats.refused++;
      return failed('overloaded', `${here} functions of the workspace are under way`);
    }
    this.#underWay.set(workspaceId, here + 1);
    this.#allUnderWay++;
    try {
      return await this.#carryOut(ask, this.#options.clock.nowMs());
    } finally {
      this.#leave(workspaceId);
    }
  }

  close(): Promise<void> {
    return this.#pools.close();
  }

  #leave(workspaceId: string): void {
    this.#allUnderWay--;
    const left = (this.#underWay.get(workspaceId) ?? 1) - 1;
    if (left === 0) this.#underWay.delete(workspaceId);
    else this.#underWay.set(workspaceId, left);
  }

  async #carryOut(ask: AgentToolAsk, startedAtMs: AtMs): Promise<AskResult> {
    const tool = await this.#toolOf(ask);
    const request = tool?.request ?? undefined;
    if (tool === undefined || request === undefined) {
      return failed('not_found', `the agent has no function ${ask.tool} any more`);
    }
    const refusal = await this.#checked(ask, tool);
    if (refusal !== undefined) return refusal;
    const leftMs = tool.timeout_ms - (this.#options.clock.nowMs() - startedAtMs);
    if (leftMs <= 0) return this.#timedOut();
    return this.#resultOf(await this.#send(ask, request, leftMs));
  }

  async #toolOf({ workspace_id, agent_id, tool, call }: AgentToolAsk): Promise<HttpTool | undefined> {
    const { agents } = this.#options;
    const find = (testMode: boolean) => agents.get({ workspaceId: workspace_id, testMode }, agent_id);
    // A test call may be answered by an agent that is not of test mode; never the other way round.
    const agent = (await find(call.test_mode)) ?? (call.test_mode ? await find(false) : undefined);
    return agent?.published?.http_tools?.find(({ name }) => name === tool);
  }

  async #checked(ask: AgentToolAsk, tool: HttpTool): Promise<AskResult | undefined> {
    const text = JSON.stringify(tool.parameters);
    const key = `${ask.agent_id} ${sha256Hex(text)}`;
    const verdict = await this.#options.schemas.check({ key, text }, ask.arguments_text);
    if (verdict.type === 'valid') return undefined;
    this.stats.wrongArguments++;
    return refusalOf(verdict);
  }

  #send(ask: AgentToolAsk, request: HttpToolRequest, timeoutMs: number): Promise<ExchangeResult> {
    const { clock } = this.#options;
    const url = new URL(request.url);
    const pool = this.#pools.poolOf(url.origin, ask.workspace_id);
    return exchange(pool, this.#wireOf(ask, request, url), timeoutMs, clock);
  }

  #wireOf(ask: AgentToolAsk, { method, headers, secret }: HttpToolRequest, url: URL): WireRequest {
    const { clock, userAgent } = this.#options;
    const { agent_id, tool, tool_call_id, call } = ask;
    const unixMs = clock.unixMs();
    const data = {
      agent_id,
      tool,
      tool_call_id,
      ...call,
      arguments: JSON.parse(ask.arguments_text) as unknown,
    };
    const timestamp = new Date(unixMs).toISOString();
    const body = Buffer.from(JSON.stringify({ type: 'agent.tool_called', timestamp, data }));
    const id = newId('tool', clock);
    const timestampS = Math.floor(unixMs / 1000);
    return {
      method,
      path: `${url.pathname}${url.search}`,
      captureBytesMax: RESULT_BYTES_MAX,
      body,
      headers: {
        ...Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])),
        'content-type': 'application/json',
        accept: 'application/json',
        'accept-encoding': 'identity',
        'user-agent': userAgent,
        'webhook-id': id,
        'webhook-timestamp': String(timestampS),
        'webhook-signature': sign([secret], id, timestampS, body),
      },
    };
  }

  #resultOf({ failure, status, body, isTruncated }: ExchangeResult): AskResult {
    if (failure === 'timeout') return this.#timedOut();
    if (failure instanceof EgressBlocked) {
      this.stats.blocked++;
      return failed('failed_precondition', failure.message);
    }
    if (failure !== null || status === null) {
      this.stats.failed++;
      return failed('unavailable', 'the function could not be reached');
    }
    if (status < 200 || status >= 300) return this.#refusedWith(status, body);
    if (isTruncated) {
      this.stats.tooLarge++;
      return failed('payload_too_large', `the function answered more than ${RESULT_BYTES_MAX} bytes`);
    }
    const value = body.trim() === '' ? {} : parsed(body);
    if (value === undefined) {
      this.stats.failed++;
      return failed('failed_precondition', 'the function answered no JSON');
    }
    this.stats.done++;
    return { ok: true, value: isObject(value) ? value : { result: value } };
  }

  #refusedWith(status: number, body: string): AskResult {
    this.stats.failed++;
    const fault = status >= 500 ? 'unavailable' : 'failed_precondition';
    return failed(fault, `HTTP ${status}: ${body.slice(0, REASON_CHARACTERS_MAX)}`);
  }

  #timedOut(): AskResult {
    this.stats.timeouts++;
    return failed('unavailable', 'the function did not answer in its time');
  }
}

function failed(fault: FaultCode, detail: string): AskResult {
  return { ok: false, fault, detail };
}

function refusalOf(verdict: Exclude<SchemaVerdict, { type: 'valid' }>): AskResult {
  switch (verdict.type) {
    case 'invalid':
      return failed('invalid_argument', `${verdict.path || 'the arguments'}: ${verdict.message}`);
    case 'broken':
      return failed('failed_precondition', `the schema cannot be applied: ${verdict.detail}`);
    case 'overran':
    case 'barred':
      return failed('failed_precondition', 'the schema takes too long to be applied');
    default:
      return failed('overloaded', 'too many arguments wait to be checked');
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // No JSON is an answer of the function's server, told to the agent as one.
    return undefined;
  }
}
