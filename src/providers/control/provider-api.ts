import type { Refusal } from '../../base/errors.ts';
import type { RedirectTarget } from '../../events/asks.ts';
import type { DialPlan } from '../answers/answer-plan.ts';

/** The REST account of a provider, as it is saved with a stream credential. */
export interface ProviderAccount {
  /** Where its API is, when not at the provider's public address. */
  readonly base_url?: string;
  readonly account: string;
  readonly secret: string;
}

/** A request to a provider's API, ready to be sent. It holds secrets: it is never written to a log. */
export interface ProviderRequest {
  readonly method: 'POST' | 'PUT' | 'DELETE';
  readonly url: string;
  readonly headers: { readonly [name: string]: string };
  readonly body: string;
}

/** Whose request it is, about which call, and when. */
export interface ProviderCall {
  readonly account: ProviderAccount;
  /** How the provider names the call. */
  readonly callId: string;
  readonly nowUnixMs: number;
  /** A name of this very order, the same when it is repeated: 32 hex digits. */
  readonly orderId: string;
}

/** Where a call is to go. */
export interface TransferTarget extends DialPlan {
  /**
   * Makes a URL that answers once with the document that dials it, where a provider takes no document itself.
   */
  readonly documentUrl: () => string;
}

/**
 * What one provider's REST API does with a call, as pure requests: no socket, no state. What is missing here
 * the provider has no means for; a refusal is of this order alone.
 */
export interface ProviderApi {
  /** Undefined where every account has an address of its own, so that `base_url` must be given. */
  readonly baseUrl: string | undefined;
  readonly hangUp?: (call: ProviderCall, base: string) => ProviderRequest | Refusal;
  readonly transfer?: (call: ProviderCall, base: string, to: TransferTarget) => ProviderRequest | Refusal;
  readonly redirect?: (call: ProviderCall, base: string, to: RedirectTarget) => ProviderRequest | Refusal;
}
