import type { Clock } from '../base/clock.ts';
import { newId } from '../base/ids.ts';
import { sha256Hex } from '../base/secret.ts';
import { API_VERSION } from '../events/envelope.ts';
import type { ApiKey } from './ports.ts';

const SECRET_BYTES = 32;
const FORM = /^omf_(live|test)_[\x21-\x7e]{1,200}$/;

/** Everything a key may be allowed to do (contract.md §2). */
export const SCOPES = [
  'calls:read',
  'calls:write',
  'voice:connect',
  'conversations:read',
  'conversations:write',
  'contacts:read',
  'contacts:write',
  'tickets:read',
  'tickets:write',
  'crm:read',
  'crm:write',
  'scorecards:read',
  'scorecards:write',
  'agents:read',
  'agents:write',
  'events:read',
  'webhooks:manage',
  'keys:manage',
  'ops',
] as const;

export type Scope = (typeof SCOPES)[number];

/** What is decided about a key when it is made; the rest has its defaults. */
export interface KeyWish {
  readonly workspaceId: string;
  readonly name: string;
  readonly testMode?: boolean;
  readonly scopes?: readonly string[];
  readonly apiVersion?: string;
  readonly ratePerMinute?: number | null;
  readonly ipAllow?: readonly string[];
  readonly expiresAt?: string | null;
  /** A secret that was given (`OMNIVOICE_API_KEY`) instead of drawn. */
  readonly secret?: string;
}

/** A new key and its secret, which is stored nowhere and can be shown this once. */
export function newApiKey(
  wish: KeyWish,
  clock: Pick<Clock, 'unixMs' | 'randomBytes'>,
): { readonly key: ApiKey; readonly secret: string } {
  const testMode = wish.secret === undefined ? (wish.testMode ?? false) : wish.secret.startsWith('omf_test_');
  const prefix = testMode ? 'omf_test_' : 'omf_live_';
  const secret = wish.secret ?? prefix + clock.randomBytes(SECRET_BYTES).toString('base64url');
  const key: ApiKey = {
    id: newId('key', clock),
    workspaceId: wish.workspaceId,
    name: wish.name,
    secretHash: sha256Hex(secret),
    hint: `${prefix}…${secret.slice(-4)}`,
    testMode,
    scopes: wish.scopes ?? SCOPES,
    apiVersion: wish.apiVersion ?? API_VERSION,
    ratePerMinute: wish.ratePerMinute ?? null,
    ipAllow: wish.ipAllow ?? [],
    createdAt: new Date(clock.unixMs()).toISOString(),
    expiresAt: wish.expiresAt ?? null,
    lastUsedAt: null,
  };
  return { key, secret };
}

/** Whether a text can be a key at all; what cannot is refused without asking the store. */
export function isKeyShaped(text: string): boolean {
  return FORM.test(text);
}
