/** What the provider said at the upgrade. `urls` are the URL variants it may have dialled and signed. */
export interface UpgradeFacts {
  readonly method: string;
  /** Lower-case names; a header that may be repeated is joined by commas. */
  readonly headers: { readonly [name: string]: string | undefined };
  /** Path and query exactly as they were sent. */
  readonly target: string;
  readonly urls: readonly string[];
}

/**
 * How a provider proves itself beyond the path, as the stream credential holds it. Several may be given; all
 * must hold.
 */
export interface StreamProof {
  /** The account's token that signs upgrades (Twilio, Plivo). */
  readonly auth_token?: string;
  /** The secret that signs upgrades (Vonage: signature secret; Genesys: client secret, base64). */
  readonly signature_secret?: string;
  /** A key sent as it is in the protocol's own header (Genesys: X-API-KEY; Telnyx: its auth token). */
  readonly api_key?: string;
  /** The key that checks its webhooks (Telnyx: Ed25519, base64); its streams show nothing of it. */
  readonly public_key?: string;
  /** For whom the provider's own JWT must be (Azure: the resource's immutable id). */
  readonly audience?: string;
  /** Where that JWT's keys are, when not at the provider's public address. */
  readonly keys_url?: string;
  /** `Authorization: Bearer …` (SignalWire, AudioCodes, Vonage custom, Azure). */
  readonly bearer?: string;
  /** `Authorization: Basic …` (Bandwidth, Exotel, Asterisk, jambonz). */
  readonly basic?: { readonly username: string; readonly password: string };
  /** Addresses (CIDR) the provider calls from. */
  readonly ip_allow?: readonly string[];
}

/** The proofs that need the protocol's own rules; the others the door checks for every dialect alike. */
export type OwnProof = 'auth_token' | 'signature_secret' | 'api_key';

/** The proofs of a JWT whose keys have to be fetched: the door checks them by `Dialect.issuer`. */
export type IssuerProof = 'audience' | 'keys_url';

/** Who signs a provider's JWTs. */
export interface TokenIssuer {
  /** The claim `iss`. */
  readonly issuer: string;
  /** An OpenID configuration, or the set of keys itself (RFC 7517). */
  readonly keysUrl: string;
}

/** The proofs of a provider's requests over HTTP that its streams do not carry. */
export type WebhookProof = 'public_key';

/**
 * Whether the provider's own proof holds. `nonce` names what must not be seen again until `expiresAtUnixMs`:
 * the door remembers it and refuses a replay.
 */
export type ProofVerdict =
  | { readonly holds: false }
  | { readonly holds: true }
  | { readonly holds: true; readonly nonce: string; readonly expiresAtUnixMs: number };

/** An upgrade about to be sent, with what its caller says of itself. */
export interface UpgradeDraft {
  readonly url: string;
  readonly headers: { readonly [name: string]: string };
  readonly nowUnixMs: number;
  /** Random letters and digits, at least 22 of them. */
  readonly nonce: string;
}

export const PROOF_FAILED: ProofVerdict = { holds: false };
export const PROOF_HOLDS: ProofVerdict = { holds: true };
