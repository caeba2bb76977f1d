import { hostname } from 'node:os';
import type { Nodes } from '../api/ports.ts';
import type { AgentStore } from '../api/agents/agent-desk.ts';
import type { CredentialStore } from '../api/ports.ts';
import { messageOf, VoiceError } from '../base/errors.ts';
import { termsForNodes, type AgentTerms, type AgentView, type BackendTrial } from '../events/agents.ts';
import type { CallView } from '../events/call-view.ts';
import type { Command, CommandResult, CommandToCall, CredentialView } from '../events/commands.ts';
import type { ControlEnd } from '../link/control-end.ts';
import type { ConnectedNode } from '../link/node-lifeline.ts';
import { DEFAULT_WORKSPACE } from './bootstrap.ts';
import { drainedNotice } from './cluster/drained-notice.ts';
import type { Notice } from './notices.ts';
import type { CallOwners } from './peers/call-owners.ts';

/** What is said to the log; pino fits. */
interface NodesLog {
  warn(fields: object, sentence: string): void;
}

const STARTING = { ok: false, fault: 'unavailable', detail: 'control is starting' } as const;
/** A dial has ten seconds, and a first word eight. */
const TRIAL_MS_MAX = 12_000;

/** The media nodes of this host as the API and the credentials know them. */
export class HostNodes implements Nodes {
  readonly #credentials: CredentialStore;
  readonly #agents: Pick<AgentStore, 'view'>;
  readonly #log: NodesLog;
  readonly #announce: (notice: Notice) => void;
  #link: ControlEnd | undefined;
  #owners: CallOwners | undefined;

  constructor(
    credentials: CredentialStore,
    agents: Pick<AgentStore, 'view'>,
    log: NodesLog,
    announce: (notice: Notice) => void = () => {},
  ) {
    this.#announce = announce;
    this.#credentials = credentials;
    this.#agents = agents;
    this.#log = log;
  }

  /** The link asks for us before we can ask it: it is fitted once it is open. */
  fit(link: ControlEnd, owners: CallOwners): void {
    this.#link = link;
    this.#owners = owners;
  }

  get serving(): number {
    const taking = (state: string | undefined): boolean => state === 'serving' || state === 'degraded';
    return (
      this.#link?.nodes().filter(({ isServing, status }) => isServing && taking(status?.state)).length ?? 0
    );
  }

  /** Brings a node that just connected what it needs to open its door. */
  async welcome(node: ConnectedNode): Promise<void> {
    // The credentials open the door: whoever comes in finds the agents there.
    await this.#applyAgents(node.incarnation, await this.#agents.view());
    await this.#apply(node.incarnation, await this.#credentials.view());
  }

  /** A node is gone; where it left in order that is told. */
  left(node: ConnectedNode): void {
    const notice = drainedNotice(node, { host: hostname(), workspaceId: DEFAULT_WORKSPACE });
    if (notice !== undefined) this.#announce(notice);
  }

  async command(call: Pick<CallView, 'incarnation'>, command: CommandToCall): Promise<CommandResult> {
    return this.#owners?.command(call.incarnation, command) ?? STARTING;
  }

  async drain(incarnation: string): Promise<CommandResult> {
    return this.#owners?.drain(incarnation) ?? STARTING;
  }

  /**
   * Answers once every connected node has applied the view; one that leaves meanwhile gets it when it is
   * back.
   */
  async applyCredentials(view: CredentialView): Promise<void> {
    await this.#tellAll('credentials', (incarnation) => this.#apply(incarnation, view));
  }

  /** The same of agents. */
  async applyAgents(view: AgentView): Promise<void> {
    await this.#tellAll('agents', (incarnation) => this.#applyAgents(incarnation, view));
  }

  /** Has a node dial the backends of an agent; throws `unavailable` where none can. */
  async tryAgent(terms: AgentTerms): Promise<readonly BackendTrial[]> {
    const node = this.#link?.nodes().find(({ isServing }) => isServing);
    if (node === undefined) throw new VoiceError('unavailable', 'no media node is here to dial');
    const command: Command = { name: 'try_agent', terms: termsForNodes(terms) };
    const result = await this.#link!.command(node.incarnation, command, TRIAL_MS_MAX);
    if (!result.ok) throw new VoiceError(result.fault, result.detail);
    return result.value as readonly BackendTrial[];
  }

  /** Credentials were changed at another host. */
  async tellCredentials(): Promise<void> {
    await this.applyCredentials(await this.#credentials.view());
  }

  /** The same of agents. */
  async tellAgents(): Promise<void> {
    await this.applyAgents(await this.#agents.view());
  }

  async #tellAll(what: string, tell: (incarnation: string) => Promise<void>): Promise<void> {
    const connected = this.#link?.nodes().filter(({ isConnected }) => isConnected) ?? [];
    await Promise.all(
      connected.map(({ incarnation }) =>
        tell(incarnation).catch((error: unknown) =>
          this.#log.warn({ node: incarnation, error: messageOf(error) }, `${what} not applied`),
        ),
      ),
    );
  }

  async #applyAgents(incarnation: string, view: AgentView): Promise<void> {
    const result = await this.#link?.command(incarnation, { name: 'apply_agents', view });
    if (result?.ok !== true) throw new Error(result?.detail ?? 'the link is not open');
  }

  async #apply(incarnation: string, view: CredentialView): Promise<void> {
    const result = await this.#link?.command(incarnation, { name: 'apply_credentials', view });
    if (result?.ok !== true) throw new Error(result?.detail ?? 'the link is not open');
  }
}
