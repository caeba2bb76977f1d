import type { FaultCode } from '../base/errors.ts';
import type { AgentTerms, AgentView } from './agents.ts';
import type { CallCommand } from './call-commands.ts';

/** What control may ask of a media node. Answered once the node has done or refused it. */
export type Command =
  | CommandToCall
  | { readonly name: 'apply_credentials'; readonly view: CredentialView }
  | { readonly name: 'apply_agents'; readonly view: AgentView }
  /** Dials the backends of an agent without a call; answered by a `BackendTrial` for each. */
  | { readonly name: 'try_agent'; readonly terms: AgentTerms }
  | { readonly name: 'read_metrics' }
  | { readonly name: 'drain' };

/** Something asked of one call, carried out by the node that owns it. */
export interface CommandToCall {
  readonly name: 'call_command';
  readonly call_id: string;
  readonly workspace_id: string;
  readonly command: CallCommand;
}

export type CommandResult =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly fault: FaultCode; readonly detail: string };

/** Every stream credential that is valid now; a node replaces its view by this one. */
export interface CredentialView {
  readonly version: number;
  readonly credentials: readonly StreamCredential[];
}

/** A long-lived credential for providers whose URL is static (contract.md §2). Only its hash travels. */
export interface StreamCredential {
  readonly id: string;
  /** SHA-256 of the secret in the path, hex. */
  readonly secretHash: string;
  readonly workspaceId: string;
  readonly dialect: string;
  readonly agentId: string | null;
  readonly testMode: boolean;
  /** How the provider proves itself beyond the path; absent where the path is all. */
  readonly verify?: CredentialVerify;
  /** Unconfirmed facts of the protocol's wire, where they are not its defaults. */
  readonly options?: Readonly<Record<string, string>>;
  /** The provider's REST account is known here: control can be asked to act on its calls. */
  readonly hasControl?: true;
}

/** How a provider proves itself beyond the path. All that is given must hold. */
export interface CredentialVerify {
  /** The provider account's token with which it signs the upgrade (Twilio, Plivo). */
  readonly auth_token?: string;
  /** The secret that signs upgrades (Vonage: signature secret; Genesys: client secret, base64). */
  readonly signature_secret?: string;
  /** A key sent as it is in the protocol's own header (Genesys, Telnyx). */
  readonly api_key?: string;
  /** The key that checks the provider's webhooks (Telnyx: Ed25519, base64), never its streams. */
  readonly public_key?: string;
  /** For whom the provider's own JWT must be (Azure). */
  readonly audience?: string;
  /** Where that JWT's keys are, when not at the provider's public address. */
  readonly keys_url?: string;
  /** `Authorization: Bearer …`. */
  readonly bearer?: string;
  /** `Authorization: Basic …`. */
  readonly basic?: { readonly username: string; readonly password: string };
  /** Addresses (CIDR) the provider calls from. */
  readonly ip_allow?: readonly string[];
}
