import type {
  ApiKey,
  CallQuery,
  DeliveryRow,
  Page,
  PageQuery,
  StoredCredential,
  StoredEndpoint,
} from '../../src/api/ports.ts';
import type { ApiOptions } from '../../src/api/api-options.ts';
import type { PendingDelivery } from '../../src/delivery/outbox.ts';
import type { CallView } from '../../src/events/call-view.ts';
import type { InboundHook } from '../../src/records/inbound/inbound-hook.ts';
import type { LoggedCall } from '../../src/records/inbound/inbound-store.ts';
import type { JsonObject } from '../../src/base/json.ts';

type Ports = ApiOptions['ports'];

/** A page of things kept in order of creation, newest first; the cursor is an offset. */
function pageOf<T>(items: readonly T[], query: PageQuery): Page<T> {
  const from = query.cursor === undefined ? (query.page - 1) * query.limit : Number(query.cursor);
  const newestFirst = [...items].reverse();
  const shown = newestFirst.slice(from, from + query.limit);
  const next = from + shown.length;
  return { items: shown, total: items.length, nextCursor: next < items.length ? String(next) : null };
}

/** The store behind the API, in memory, with what a test may look at. */
export class FakePorts implements Ports {
  readonly allKeys = new Map<string, ApiKey>();
  readonly allCredentials = new Map<string, StoredCredential>();
  readonly allCalls = new Map<string, CallView>();
  readonly allEndpoints = new Map<string, StoredEndpoint>();
  readonly allDeliveries: DeliveryRow[] = [];
  readonly allInbound = new Map<string, InboundHook>();
  readonly inboundLog: LoggedCall[] = [];
  readonly answers = new Map<
    string,
    { bodyHash: string; status: number; answer: JsonObject; expiresUnixMs: number }
  >();
  lookups = 0;
  updates = 0;
  #version = 0;

  readonly keys: Ports['keys'] = {
    byHash: async (secretHash) => {
      this.lookups++;
      return [...this.allKeys.values()].find((key) => key.secretHash === secretHash);
    },
    get: async (workspaceId, id) => owned(this.allKeys, workspaceId, id),
    list: async (query) => pageOf(visible(this.allKeys, query), query),
    create: async (key) => void this.allKeys.set(key.id, key),
    update: async (workspaceId, id, change) => {
      this.updates++;
      const key = owned(this.allKeys, workspaceId, id);
      if (key !== undefined) this.allKeys.set(id, { ...key, ...change });
      return this.allKeys.get(id);
    },
    remove: async (workspaceId, id) => removed(this.allKeys, workspaceId, id),
    rotate: async (oldId, oldExpiresAt, fresh) => {
      this.allKeys.set(oldId, { ...this.allKeys.get(oldId)!, expiresAt: oldExpiresAt });
      this.allKeys.set(fresh.id, fresh);
    },
    count: async () => this.allKeys.size,
  };

  readonly credentials: Ports['credentials'] = {
    create: async (credential) => {
      this.#version++;
      this.allCredentials.set(credential.id, credential);
    },
    list: async (query) => pageOf(visible(this.allCredentials, query), query),
    setControl: async (workspaceId, id, control) => {
      const held = this.allCredentials.get(id);
      if (held === undefined || held.workspaceId !== workspaceId) return undefined;
      const { control: _, ...rest } = held;
      const changed = control === null ? rest : { ...rest, control };
      this.allCredentials.set(id, changed);
      return changed;
    },
    controlOf: async (workspaceId, id) => {
      const { control, dialect, workspaceId: owner } = this.allCredentials.get(id) ?? {};
      if (control === undefined || dialect === undefined || owner !== workspaceId) return undefined;
      return { control, dialect };
    },
    remove: async (workspaceId, id) => {
      this.#version++;
      return removed(this.allCredentials, workspaceId, id);
    },
    bySecret: async (secretHash) =>
      [...this.allCredentials.values()].find((credential) => credential.secretHash === secretHash),
    view: async () => ({ version: this.#version, credentials: [...this.allCredentials.values()] }),
  };

  readonly calls: Ports['calls'] = {
    get: async (workspaceId, id) => {
      const call = this.allCalls.get(id);
      return call?.workspace_id === workspaceId ? call : undefined;
    },
    list: async (query) => pageOf([...this.allCalls.values()].filter(matches(query)), query),
  };

  readonly endpoints: Ports['endpoints'] = {
    create: async (endpoint) => void this.allEndpoints.set(endpoint.id, endpoint),
    get: async (workspaceId, id) => owned(this.allEndpoints, workspaceId, id),
    list: async (query) => {
      const shown = [...this.allEndpoints.values()].filter(
        ({ workspaceId, testMode }) =>
          workspaceId === query.workspaceId && (testMode === true) === query.testMode,
      );
      return pageOf(shown, query);
    },
    update: async (workspaceId, id, change) => {
      const known = owned(this.allEndpoints, workspaceId, id);
      if (known !== undefined) this.allEndpoints.set(id, { ...known, ...change });
      return this.allEndpoints.get(id);
    },
    remove: async (workspaceId, id) => removed(this.allEndpoints, workspaceId, id),
  };

  // What a store makes of them is tested on a real one, through the API.
  readonly deliveries: Ports['deliveries'] = {
    list: async (query) =>
      pageOf(
        this.allDeliveries.filter((row) => row.endpointId === query.endpointId),
        query,
      ),
    get: async (_, id) => {
      const row = this.allDeliveries.find((one) => one.id === id);
      if (row === undefined) return undefined;
      return { ...row, envelope: null, previousUndelivered: [], sentBody: null };
    },
    attempts: async () => [],
    deadLetters: async (query) =>
      pageOf(
        this.allDeliveries.filter(({ state }) => state === 'dead'),
        query,
      ),
    replay: async (wishes) => {
      for (const { deliveryId, replayId } of wishes) {
        const row = this.allDeliveries.find(({ id }) => id === deliveryId)!;
        this.allDeliveries.push({ ...row, id: replayId, isManual: true });
      }
      return wishes.map(({ replayId }) => ({ id: replayId }) as PendingDelivery);
    },
  };

  // What a store makes of calls is tested on a real one, through the API.
  readonly inbound: Ports['inbound'] = {
    find: (id) => this.allInbound.get(id),
    create: async (hook) => void this.allInbound.set(hook.id, hook),
    count: async () => this.allInbound.size,
    list: async (query) => pageOf(visible(this.allInbound, query), query),
    update: async (hook) => void this.allInbound.set(hook.id, hook),
    remove: async (id) => void this.allInbound.delete(id),
    accept: async (call) => ({ callId: call.id, isDuplicate: false }),
    refused: async () => undefined,
    log: async (query) => pageOf([...this.inboundLog], query),
    due: async () => [],
    nextDueUnixMs: async () => undefined,
    progressed: async () => undefined,
  };

  readonly idempotency: Ports['idempotency'] = {
    find: async (keyId, idempotencyKey) => this.answers.get(`${keyId} ${idempotencyKey}`),
    remember: async (keyId, idempotencyKey, entry) =>
      void this.answers.set(`${keyId} ${idempotencyKey}`, entry),
  };
}

interface Owned {
  readonly workspaceId: string;
}

function owned<T extends Owned>(all: Map<string, T>, workspaceId: string, id: string): T | undefined {
  const found = all.get(id);
  return found?.workspaceId === workspaceId ? found : undefined;
}

function removed<T extends Owned>(all: Map<string, T>, workspaceId: string, id: string): boolean {
  return owned(all, workspaceId, id) !== undefined && all.delete(id);
}

function visible<T extends Owned & { readonly testMode: boolean }>(
  all: Map<string, T>,
  query: PageQuery,
): T[] {
  return [...all.values()].filter(
    ({ workspaceId, testMode }) => workspaceId === query.workspaceId && testMode === query.testMode,
  );
}

function matches(query: CallQuery): (call: CallView) => boolean {
  return (call) =>
    call.workspace_id === query.workspaceId &&
    call.test_mode === query.testMode &&
    (query.state === undefined || call.state === query.state) &&
    (query.direction === undefined || call.head.direction === query.direction) &&
    (query.agentId === undefined || call.head.agent_id === query.agentId) &&
    (query.from === undefined || call.head.from === query.from) &&
    (query.to === undefined || call.head.to === query.to);
}
