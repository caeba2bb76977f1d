import type { AgentPlace, AgentStore, Publication, StoredAgent } from '../../src/api/agents/agent-desk.ts';
import type { Page, PageQuery } from '../../src/api/ports.ts';
import type { CommittedEvent } from '../../src/events/journal.ts';
import { termsForNodes, type AgentTerms, type AgentView } from '../../src/events/agents.ts';

/** Agents in memory, with what a test may look at. */
export class FakeAgents implements AgentStore {
  readonly all = new Map<string, StoredAgent>();
  #version = 0;

  async create(agent: StoredAgent): Promise<void> {
    this.all.set(agent.id, agent);
  }

  async get({ workspaceId, testMode }: AgentPlace, id: string): Promise<StoredAgent | undefined> {
    const agent = this.all.get(id);
    return agent?.workspaceId === workspaceId && agent.testMode === testMode ? agent : undefined;
  }

  async list({ workspaceId, testMode }: PageQuery): Promise<Page<StoredAgent>> {
    const items = [...this.all.values()]
      .filter((agent) => agent.workspaceId === workspaceId && agent.testMode === testMode)
      .toReversed();
    return { items, total: items.length, nextCursor: null };
  }

  async count({ workspaceId }: Pick<AgentPlace, 'workspaceId'>): Promise<number> {
    return [...this.all.values()].filter((agent) => agent.workspaceId === workspaceId).length;
  }

  async redraft(id: string, draft: AgentTerms): Promise<void> {
    this.all.set(id, { ...this.all.get(id)!, draft });
  }

  async publish({ id, terms, publishedAt, eventOf }: Publication): Promise<readonly CommittedEvent[]> {
    const agent = this.all.get(id)!;
    const version = agent.version + 1;
    this.#version++;
    this.all.set(id, { ...agent, published: terms, publishedAt, version });
    const { envelope, stamps } = eventOf({ version, sequence: version });
    return [{ position: this.#version, envelope, ...stamps, committedAtMs: 0, deliveries: [] }];
  }

  async view(): Promise<AgentView> {
    const published = [...this.all.values()].filter((agent) => agent.published !== null);
    const agents = published.map(({ id, workspaceId, testMode, version, published: terms }) => ({
      id,
      workspaceId,
      testMode,
      version,
      terms: termsForNodes(terms!),
    }));
    return { version: this.#version, agents };
  }
}
