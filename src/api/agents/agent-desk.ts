import type { AgentTerms, AgentView, BackendTrial } from '../../events/agents.ts';
import type { EventRecord } from '../../events/envelope.ts';
import type { CommittedEvent } from '../../events/journal.ts';
import type { CredentialTerms } from '../api-options.ts';
import type { Page, PageQuery } from '../ports.ts';

export type AgentPlace = Pick<PageQuery, 'workspaceId' | 'testMode'>;

/** An agent: what it is to be, and what calls know of it. */
export interface StoredAgent extends AgentPlace {
  readonly id: string;
  readonly draft: AgentTerms;
  /** Null until it is published for the first time. */
  readonly published: AgentTerms | null;
  /** How often it was published. */
  readonly version: number;
  readonly createdAt: string;
  readonly publishedAt: string | null;
}

/** What calls are to know of an agent from now on. */
export interface Publication {
  readonly id: string;
  readonly terms: AgentTerms;
  readonly publishedAt: string;
  /** `version`: how often it is published now; `sequence`: the number of its event. */
  readonly eventOf: (place: { readonly version: number; readonly sequence: number }) => EventRecord;
}

export interface AgentStore {
  create(agent: StoredAgent): Promise<void>;
  get(place: AgentPlace, id: string): Promise<StoredAgent | undefined>;
  list(query: PageQuery): Promise<Page<StoredAgent>>;
  /** Agents of a workspace. */
  count(workspace: Pick<AgentPlace, 'workspaceId'>): Promise<number>;
  redraft(id: string, draft: AgentTerms): Promise<void>;
  /** With its event in one transaction. */
  publish(publication: Publication): Promise<readonly CommittedEvent[]>;
  /** Every agent that was published, for the nodes. */
  view(): Promise<AgentView>;
}

/** What the API asks about agents. */
export interface AgentDesk {
  readonly store: AgentStore;
  /** The protocols a backend may speak. */
  readonly dialects: readonly Pick<CredentialTerms, 'name' | 'options'>[];
  /** Tells whoever waits for events, in the turn of the commit. */
  tell(committing: Promise<readonly CommittedEvent[]>): Promise<unknown>;
  /** Answers once every connected node has applied the view. */
  apply(view: AgentView): Promise<void>;
  /** Dials every backend once, without a call; throws `unavailable` where no node can. */
  tryOut(terms: AgentTerms): Promise<readonly BackendTrial[]>;
}
