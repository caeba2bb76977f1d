import type { Insertable, Selectable } from 'kysely';
import type { StoredEndpoint } from '../../api/ports.ts';
import {
  HOOK_FORMATS,
  type EndpointAuth,
  type RetiringKeys,
  type SigningKeys,
} from '../../delivery/outbox.ts';
import type { Cipher } from '../cipher.ts';
import type { EndpointsTable } from '../schema.ts';

/** The columns of an endpoint that hold secrets, each sealed for its own place. */
export const SEALED_COLUMNS = ['secrets', 'headers', 'auth'] as const;

interface KeptKeys {
  readonly keys: SigningKeys;
  readonly retiring: readonly RetiringKeys[];
}

/** An endpoint as it is written, its secrets sealed. */
export function endpointRow(endpoint: StoredEndpoint, cipher: Cipher): Insertable<EndpointsTable> {
  const { id, keys, retiringKeys: retiring, headers, auth } = endpoint;
  const seal = (field: string, value: unknown): string =>
    cipher.seal(JSON.stringify(value), { rowId: id, field });
  return {
    id,
    workspace_id: endpoint.workspaceId,
    url: endpoint.url,
    events: JSON.stringify(endpoint.events),
    agent_id: endpoint.agentId,
    test_mode: endpoint.testMode,
    secrets: seal('secrets', { keys, retiring } satisfies KeptKeys),
    headers: seal('headers', headers),
    auth: auth === null ? null : seal('auth', auth),
    signatures: JSON.stringify(endpoint.signatures),
    ordering: endpoint.ordering,
    hold_ms: endpoint.holdMs,
    retry_delays_ms: JSON.stringify(endpoint.retryDelaysMs),
    retry_policy: endpoint.retryPolicy,
    timeout_ms: endpoint.timeoutMs,
    success: endpoint.success,
    enabled: endpoint.enabled,
    disabled_reason: endpoint.disabledReason,
    description: endpoint.description,
    format: endpoint.format,
    api_version: endpoint.apiVersion,
    created_at: endpoint.createdAt,
    removed_at: null,
  };
}

/** An endpoint as it was written. */
export function endpointOf(row: Selectable<EndpointsTable>, cipher: Cipher): StoredEndpoint {
  const open = (field: (typeof SEALED_COLUMNS)[number], sealed: string): unknown =>
    JSON.parse(cipher.open(sealed, { rowId: row.id, field }));
  const { keys, retiring } = keptKeysOf(open('secrets', row.secrets));
  return {
    id: row.id,
    workspaceId: row.workspace_id,
    url: row.url,
    events: JSON.parse(row.events) as readonly string[],
    agentId: row.agent_id,
    testMode: row.test_mode === null ? null : Boolean(row.test_mode),
    format: HOOK_FORMATS.find((name) => name === row.format) ?? 'omnivoice',
    apiVersion: row.api_version,
    keys,
    retiringKeys: retiring,
    signatures: JSON.parse(row.signatures) as StoredEndpoint['signatures'],
    auth: row.auth === null ? null : (open('auth', row.auth) as EndpointAuth),
    ordering: row.ordering === 'none' || row.ordering === 'bounded' ? row.ordering : 'strict',
    holdMs: row.hold_ms,
    retryDelaysMs: JSON.parse(row.retry_delays_ms) as readonly number[],
    retryPolicy: row.retry_policy,
    timeoutMs: row.timeout_ms,
    success: row.success === 'only_200' ? 'only_200' : '2xx',
    headers: open('headers', row.headers) as StoredEndpoint['headers'],
    enabled: Boolean(row.enabled),
    disabledReason: row.disabled_reason,
    description: row.description,
    createdAt: row.created_at,
  };
}

/** The first schema kept a list of `whsec_…`, the second keys by kind. */
function keptKeysOf(kept: unknown): KeptKeys {
  if (!Array.isArray(kept)) return kept as KeptKeys;
  const [newest = ''] = kept as readonly string[];
  return { keys: { symmetric: newest, shared: null, asymmetric: null }, retiring: [] };
}
