import type { JsonObject } from '../base/json.ts';
import type { LegSummary } from '../events/catalogue.ts';
import type { TimelineEntry } from '../events/call-view.ts';

/** What the API answers, as far as our own tools read it (contract.md §4.1). */
export interface Session {
  readonly session_id: string;
  readonly call_id: string;
  readonly token: string;
  readonly ws_url: string;
  readonly expires_at: string;
  readonly region: string;
  /** Where one was asked for, and the house has an AudioSocket. */
  readonly audiosocket_uuid?: string;
}

export interface SessionWish {
  readonly agent_id?: string | null;
  readonly conversation_id?: string | null;
  readonly test_mode?: boolean;
  readonly direction?: 'inbound' | 'outbound';
  readonly from?: string | null;
  readonly to?: string | null;
  readonly lead_id?: string | null;
  readonly contact_id?: string | null;
  readonly region?: string | null;
  readonly metadata?: JsonObject;
  /** The UUID Asterisk will say, or `new`. */
  readonly audiosocket_uuid?: string;
}

export interface Credential {
  readonly id: string;
  readonly dialect: string;
  readonly agent_id: string | null;
  readonly label: string | null;
  readonly test_mode: boolean;
  readonly verify: readonly string[];
  readonly created_at: string;
}

export interface FreshCredential extends Credential {
  readonly url: string;
  readonly credential: string;
  /** What the provider is given, where it has a configuration of its own. */
  readonly configuration?: { readonly kind: string; readonly text: string };
  readonly twiml?: string;
}

export interface CredentialWish {
  readonly dialect: string;
  readonly agent_id?: string | null;
  readonly label?: string | null;
  readonly verify?: {
    readonly auth_token?: string;
    readonly signature_secret?: string;
    readonly api_key?: string;
    readonly bearer?: string;
    readonly basic?: { readonly username: string; readonly password: string };
    readonly ip_allow?: readonly string[];
  };
  readonly options?: { readonly [name: string]: string };
}

export interface Call {
  readonly id: string;
  readonly state: 'ringing' | 'active' | 'ending' | 'ended';
  readonly direction: 'inbound' | 'outbound';
  readonly from: string | null;
  readonly to: string | null;
  readonly agent_id: string | null;
  readonly conversation_id: string;
  readonly metadata: JsonObject;
  readonly test_mode: boolean;
  readonly started_at: string;
  readonly ended_at: string | null;
  readonly end_reason: string | null;
  readonly node: string;
  readonly region: string;
}

export interface WholeCall extends Call {
  readonly legs: readonly LegSummary[];
  readonly timeline: readonly TimelineEntry[];
  readonly quality: JsonObject;
  readonly cost: JsonObject | null;
}

export interface Webhook {
  readonly id: string;
  readonly url: string;
  readonly events: readonly string[];
  readonly format: string;
  readonly ordering: 'strict' | 'bounded' | 'none';
  readonly retry_policy: string;
  readonly timeout_ms: number;
  readonly success: '2xx' | 'only_200';
  readonly keys: readonly { readonly hint: string; readonly retires_at: string | null }[];
  readonly agent_id: string | null;
  readonly test_mode: boolean | null;
  readonly enabled: boolean;
  readonly disabled_reason: string | null;
  readonly description: string | null;
  readonly api_version: string;
  readonly created_at: string;
}

export interface FreshWebhook extends Webhook {
  readonly secret: string;
  readonly shared_secret: string | null;
  readonly warnings?: readonly string[];
}

export interface WebhookChange {
  readonly url?: string;
  readonly events?: readonly string[];
  readonly ordering?: 'strict' | 'bounded' | 'none';
  readonly hold_s?: number;
  readonly retry_policy?: string | readonly number[];
  readonly timeout_ms?: number;
  readonly success?: '2xx' | 'only_200';
  readonly headers?: { readonly [name: string]: string };
  readonly auth?: JsonObject | null;
  readonly signatures?: JsonObject;
  readonly agent_id?: string | null;
  readonly test_mode?: boolean | null;
  readonly enabled?: boolean;
  readonly description?: string | null;
}

export interface WebhookWish extends WebhookChange {
  readonly url: string;
  readonly events: readonly string[];
  readonly secret?: string;
  readonly shared_secret?: string;
  readonly format?: string;
}

export interface RotationWish {
  readonly secret?: string;
  readonly shared_secret?: string;
  readonly overlap_s?: number;
}

export interface HookAttempt {
  readonly id: string;
  readonly number: number;
  readonly trigger: string;
  readonly delivered: boolean;
  readonly started_at: string;
  readonly status: number | null;
  readonly duration_ms: number;
  readonly error_class: string | null;
  readonly error_detail: string | null;
  readonly response_body: string;
  readonly next_attempt_at: string | null;
}

export interface Delivery {
  readonly id: string;
  readonly webhook_id: string;
  readonly event_id: string;
  readonly event_type: string;
  readonly resource_id: string | null;
  readonly state: string;
  readonly trigger: string;
  readonly attempts: number;
  readonly created_at: string;
  readonly settled_at: string | null;
  readonly next_attempt_at: string | null;
  readonly last_status: number | null;
  readonly last_error: string | null;
}

export interface DeliveryLog extends Delivery {
  readonly request_body: string | null;
  readonly attempt_log: readonly HookAttempt[];
}

/** What came of a replay of many; `more`: one request does not take them all, ask again. */
export interface Replayed {
  readonly replayed: number;
  readonly more: boolean;
}

export interface DeadLetterRange {
  readonly since?: string;
  readonly until?: string;
  readonly webhook_id?: string;
}

export interface Key {
  readonly id: string;
  readonly name: string;
  readonly hint: string;
  readonly test_mode: boolean;
  readonly scopes: readonly string[];
  readonly api_version: string;
  readonly rate_per_minute: number;
  readonly ip_allow: readonly string[];
  readonly created_at: string;
  readonly expires_at: string | null;
  readonly last_used_at: string | null;
}

export interface FreshKey extends Key {
  readonly key: string;
}

export interface KeyWish {
  readonly name: string;
  readonly test_mode?: boolean;
  readonly scopes?: readonly string[];
  readonly rate_per_minute?: number | null;
  readonly ip_allow?: readonly string[];
  readonly expires_at?: string | null;
}

/** One page of a list. */
export interface Listed<T> {
  readonly items: readonly T[];
  /** What the next page is asked for with; null at the end. */
  readonly nextCursor: string | null;
}

export interface ListWish {
  readonly limit?: number;
  readonly page?: number;
  readonly cursor?: string;
}
