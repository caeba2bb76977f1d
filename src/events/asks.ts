import type { CommandResult } from './commands.ts';

/** What a media node may ask of control. Answered once control has done or refused it. */
export type Ask = ProviderControlAsk | RegistryAsk;

/** What control answers: a value, or the fault it refused or failed with. */
export type AskResult = CommandResult;

/** A question to the registry of one host, which control keeps (`cluster/asked-registry.ts`). */
export interface RegistryAsk {
  readonly name: 'registry';
  readonly question: object;
}

/** Something to be done with a call at the provider it came from, through its REST account. */
export interface ProviderControlAsk {
  readonly name: 'provider_control';
  readonly workspace_id: string;
  /** The stream credential the call came in with: its `control` is the account. */
  readonly credential_id: string;
  /** What its leg speaks, where the credential itself may be for whatever comes. */
  readonly dialect?: string;
  /** How the provider names the call. */
  readonly provider_call_id: string;
  readonly order: ProviderOrder;
}

/** What is done with a call at its provider. */
export type ProviderOrder =
  | { readonly action: 'hang_up' }
  /** The call leaves this house for a phone number (E.164) or a SIP URI. */
  | { readonly action: 'transfer'; readonly to: string; readonly from: string | null }
  /** The call's audio is streamed to another place of this house; the call itself goes on. */
  | { readonly action: 'redirect'; readonly to: RedirectTarget };

/** Where a call's audio goes on. */
export interface RedirectTarget {
  /** `wss:` URL of the media port, resume token or credential in its path. */
  readonly streamUrl: string;
  /** `https:` URL that answers the provider's document; wanted where the provider takes no document. */
  readonly answerUrl?: string;
}
