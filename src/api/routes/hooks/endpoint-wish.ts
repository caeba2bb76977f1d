import type { Static } from 'typebox';
import type { Clock } from '../../../base/clock.ts';
import { VoiceError } from '../../../base/errors.ts';
import { newId } from '../../../base/ids.ts';
import type { HookFormat, SignatureWish } from '../../../delivery/outbox.ts';
import { RETRY_POLICY_DEFAULT, retryDelaysMsOf } from '../../../delivery/schedule.ts';
import { checkHeaders, checkSecretHeader } from '../../../delivery/wire/request-headers.ts';
import { isValidSecret, newPrivateKey, newSecret } from '../../../delivery/wire/signature.ts';
import {
  CALL_EVENT_TYPES,
  isSelected,
  OPERATOR_EVENT_TYPES,
  RECORD_EVENT_TYPES,
} from '../../../events/catalogue.ts';
import { API_VERSION } from '../../../events/envelope.ts';
import type { ApiKey, EndpointChange, StoredEndpoint } from '../../ports.ts';
import { authOf } from './auth-wish.ts';
import { MASK, type EndpointChanges, type EndpointWish } from './endpoint-shapes.ts';

const TIMEOUT_MS_DEFAULT = 10_000;
const HOLD_MS_DEFAULT = 30_000;
const SECRET_HEADER_DEFAULT = 'x-webhook-secret';
const KNOWN_TYPES: readonly string[] = [...CALL_EVENT_TYPES, ...OPERATOR_EVENT_TYPES, ...RECORD_EVENT_TYPES];

type Changes = Static<typeof EndpointChanges>;
type Dice = Pick<Clock, 'unixMs' | 'randomBytes'>;

/** The endpoint somebody wishes for, with everything checked that needs no network. */
export function endpointOf(
  wish: Static<typeof EndpointWish>,
  key: ApiKey,
  apiVersion: string | null,
  clock: Dice,
): StoredEndpoint {
  const { url, events, secret, shared_secret: shared, format = 'omnivoice', api_version, ...rest } = wish;
  const plain: StoredEndpoint = {
    id: newId('whk', clock),
    workspaceId: key.workspaceId,
    url,
    events: checkedEvents(events),
    agentId: null,
    testMode: checkedMode(rest.test_mode, key),
    format,
    apiVersion: api_version ?? apiVersion ?? API_VERSION,
    keys: {
      symmetric: checkedSecret(secret ?? newSecret(clock)),
      shared: checkedShared(shared ?? null),
      asymmetric: null,
    },
    retiringKeys: [],
    signatures: signaturesOfFormat(format),
    auth: null,
    ordering: 'strict',
    holdMs: HOLD_MS_DEFAULT,
    retryDelaysMs: checkedDelaysMs(RETRY_POLICY_DEFAULT),
    retryPolicy: RETRY_POLICY_DEFAULT,
    timeoutMs: TIMEOUT_MS_DEFAULT,
    success: '2xx',
    headers: {},
    enabled: true,
    disabledReason: null,
    description: null,
    createdAt: new Date(clock.unixMs()).toISOString(),
  };
  const { test_mode: _, ...changes } = rest;
  return { ...plain, ...changeOf(plain, changes, key, clock) };
}

/** What a PATCH comes to, with everything checked that needs no network. */
export function changeOf(known: StoredEndpoint, wish: Changes, key: ApiKey, clock: Dice): EndpointChange {
  const headers = wish.headers === undefined ? known.headers : unmasked(wish.headers, known.headers);
  const auth = wish.auth === undefined ? known.auth : authOf(wish.auth, known.auth);
  const signatures = checkedSignatures(wish.signatures ?? {}, known, headers);
  checkTogether(headers, auth, signatures);
  return {
    ...(wish.url !== undefined && { url: wish.url }),
    ...(wish.events !== undefined && { events: checkedEvents(wish.events) }),
    ...(wish.agent_id !== undefined && { agentId: wish.agent_id }),
    ...(wish.test_mode !== undefined && { testMode: checkedMode(wish.test_mode, key) }),
    ...(wish.ordering !== undefined && { ordering: wish.ordering }),
    ...(wish.hold_s !== undefined && { holdMs: wish.hold_s * 1000 }),
    ...(wish.retry_policy !== undefined && policyOf(wish.retry_policy)),
    ...(wish.timeout_ms !== undefined && { timeoutMs: wish.timeout_ms }),
    ...(wish.success !== undefined && { success: wish.success }),
    ...(wish.description !== undefined && { description: wish.description }),
    ...(wish.enabled !== undefined && switched(wish.enabled)),
    ...(signatures.ed25519 && known.keys.asymmetric === null && withPrivateKey(known, clock)),
    headers,
    auth,
    signatures,
  };
}

/** On or off, by request. */
export function switched(enabled: boolean): Pick<StoredEndpoint, 'enabled' | 'disabledReason'> {
  return { enabled, disabledReason: enabled ? null : 'by_request' };
}

/** A secret that can sign, or an error that names its field. */
export function checkedSecret(secret: string): string {
  if (isValidSecret(secret)) return secret;
  throw wrong('secret', 'a secret is whsec_ and 24 to 64 bytes in base64');
}

/** A shared secret that a header can carry. */
export function checkedShared(shared: string | null): string | null {
  // Printable ASCII without blanks at its ends: it may have to stand in a header as it is.
  if (shared === null || /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(shared)) return shared;
  throw wrong('shared_secret', 'a shared secret is printable ASCII');
}

/** Each published interface signs in its own way too. */
function signaturesOfFormat(format: HookFormat): SignatureWish {
  return {
    omniflow: format === 'omniflow' ? 'hex' : null,
    voiceoi: format === 'voiceoi',
    secretHeader: format === 'omniai' ? SECRET_HEADER_DEFAULT : null,
    ed25519: false,
  };
}

function checkedSignatures(
  wish: NonNullable<Changes['signatures']>,
  { signatures: known }: StoredEndpoint,
  headers: StoredEndpoint['headers'],
): SignatureWish {
  const { secret_header: secretHeader = known.secretHeader } = wish;
  const refusal = secretHeader === null ? undefined : checkSecretHeader(secretHeader, headers);
  if (refusal !== undefined) throw wrong('signatures.secret_header', refusal.detail);
  return {
    omniflow: wish.omniflow === undefined ? known.omniflow : wish.omniflow,
    voiceoi: wish.voiceoi ?? known.voiceoi,
    secretHeader,
    ed25519: wish.ed25519 ?? known.ed25519,
  };
}

function checkTogether(
  headers: StoredEndpoint['headers'],
  auth: StoredEndpoint['auth'],
  { secretHeader }: SignatureWish,
): void {
  const refusal = checkHeaders(headers);
  if (refusal !== undefined) throw wrong('headers', refusal.detail);
  const names = [...Object.keys(headers), secretHeader ?? ''].map((name) => name.toLowerCase());
  if (auth !== null && names.includes('authorization')) {
    throw wrong('auth', 'authorization is set by auth or as a header, not both');
  }
}

function withPrivateKey({ keys }: StoredEndpoint, clock: Dice): Pick<StoredEndpoint, 'keys'> {
  return { keys: { ...keys, asymmetric: newPrivateKey(clock) } };
}

// A filter that no event can pass is a typing error, found now instead of by silence.
function checkedEvents(filters: readonly string[]): readonly string[] {
  const isKnown = (filter: string): boolean =>
    /^custom\.(?:\*|[\w.]+)$/.test(filter) || KNOWN_TYPES.some((type) => isSelected(type, [filter]));
  const dead = filters.find((filter) => !isKnown(filter));
  if (dead === undefined) return filters;
  throw wrong('events', `no event is called ${dead}`);
}

function checkedMode(testMode: boolean | null | undefined, key: ApiKey): boolean | null {
  if (testMode === undefined) return key.testMode;
  // null takes live events too: a live key's to give. An endpoint of the other mode could not be seen again.
  if (key.testMode ? testMode === true : testMode !== true) return testMode;
  const mode = key.testMode ? 'test' : 'live';
  throw new VoiceError('permission_denied', `this key makes ${mode} webhooks only`, { field: 'test_mode' });
}

function policyOf(policy: string | readonly number[]): Pick<StoredEndpoint, 'retryDelaysMs' | 'retryPolicy'> {
  const retryPolicy = typeof policy === 'string' ? policy : 'own';
  return { retryDelaysMs: checkedDelaysMs(policy), retryPolicy };
}

function checkedDelaysMs(policy: string | readonly number[]): readonly number[] {
  const delaysMs = retryDelaysMsOf(policy);
  if (delaysMs !== undefined) return delaysMs;
  throw wrong('retry_policy', 'a retry policy is 24h, 30m, omniai or a list of seconds');
}

/** A value that was shown masked and comes back so is the one we know. */
function unmasked(
  headers: StoredEndpoint['headers'],
  known: StoredEndpoint['headers'],
): StoredEndpoint['headers'] {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, value === MASK ? (known[name] ?? value) : value]),
  );
}

function wrong(field: string, message: string): VoiceError {
  return new VoiceError('invalid_argument', message, { field });
}
