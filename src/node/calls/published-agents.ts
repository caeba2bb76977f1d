import { newAgentCounts, type Agents } from '../../call/agents/published.ts';
import type { AgentView, PublishedAgent } from '../../events/agents.ts';

/** The agents that may answer calls here: what control sent last, in memory only. */
export class PublishedAgents implements Agents {
  readonly counts = newAgentCounts();
  #byId: ReadonlyMap<string, PublishedAgent> = new Map();
  #version = -1;

  agentFor({
    agentId,
    workspaceId,
    testMode,
  }: Parameters<Agents['agentFor']>[0]): PublishedAgent | undefined {
    const agent = agentId === null ? undefined : this.#byId.get(agentId);
    // A live key may make test calls to its own agents; a test key's agents answer test calls only.
    const isTheirs = agent?.workspaceId === workspaceId && (!agent.testMode || testMode);
    return isTheirs ? agent : undefined;
  }

  /** Takes the view, unless a newer one is here: two answers of control may overtake each other. */
  apply(view: AgentView): void {
    if (view.version < this.#version) return;
    this.#version = view.version;
    this.#byId = new Map(view.agents.map((agent) => [agent.id, agent]));
  }
}
