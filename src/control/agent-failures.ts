import type { AtMs, Clock } from '../base/clock.ts';
import type { Envelope } from '../events/envelope.ts';
import type { CommittedEvent } from '../events/journal.ts';
import type { Notice } from './notices.ts';

/** An agent whose backends are down fails every call: it is told so often, and how many calls there were. */
const QUIET_MS = 60_000;
/** Agents whose last failure is remembered; of more than these the longest known are told of anew. */
const AGENTS_MAX = 1_000;

interface Failing {
  readonly toldAtMs: AtMs;
  /** Calls that it has failed since. */
  calls: number;
}

/** `agent.failed` (contract.md §5.3): a call was left without a backend of its agent. */
export class AgentFailures {
  readonly stats = { heldBack: 0, forgotten: 0 };
  readonly #announce: (notice: Notice) => void;
  readonly #clock: Clock;
  readonly #failing = new Map<string, Failing>();

  constructor(announce: (notice: Notice) => void, clock: Clock) {
    this.#announce = announce;
    this.#clock = clock;
  }

  committed(events: readonly CommittedEvent[]): void {
    for (const { envelope } of events) if (isLastOfChain(envelope)) this.#failed(envelope);
  }

  #failed({ workspace_id, test_mode, resource: { id: call_id }, data }: Envelope): void {
    const agent_id = String(data['agent_id']);
    const nowMs = this.#clock.nowMs();
    const before = this.#failing.get(agent_id);
    if (before !== undefined && nowMs - before.toldAtMs < QUIET_MS) {
      before.calls++;
      this.stats.heldBack++;
      return;
    }
    this.#remember(agent_id, nowMs);
    const { provider, error } = data;
    this.#announce({
      type: 'agent.failed',
      workspace_id,
      resource: { type: 'agent', id: agent_id },
      test_mode,
      data: { agent_id, call_id, provider, error, calls: (before?.calls ?? 0) + 1 },
    });
  }

  #remember(agentId: string, nowMs: AtMs): void {
    this.#failing.delete(agentId);
    this.#failing.set(agentId, { toldAtMs: nowMs, calls: 0 });
    const [longestKnown] = this.#failing.keys();
    if (this.#failing.size <= AGENTS_MAX || longestKnown === undefined) return;
    this.#failing.delete(longestKnown);
    this.stats.forgotten++;
  }
}

/** Where nobody has published the agent there is nothing that could have failed. */
function isLastOfChain({ type, data }: Envelope): boolean {
  return type === 'agent_failed' && data['fallback'] === null && data['provider'] !== null;
}
