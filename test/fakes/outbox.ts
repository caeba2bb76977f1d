import type { CommittedEvent, JournalEntry } from '../../src/events/journal.ts';
import type { Envelope } from '../../src/events/envelope.ts';
import type {
  Attempt,
  AttemptOutcome,
  DeliveryState,
  Endpoint,
  LanePlace,
  Outbox,
  PendingDelivery,
  Undelivered,
} from '../../src/delivery/outbox.ts';

export interface OutboxRow {
  readonly id: string;
  readonly endpointId: string;
  readonly position: number;
  readonly envelope: Envelope;
  readonly isManual: boolean;
  readonly createdUnixMs: number;
  attempts: number;
  nextAttemptUnixMs: number | null;
  state: DeliveryState;
  refusals?: number;
  isAside?: boolean;
  previousUndelivered?: readonly string[];
  body?: string;
}

/** An endpoint that wants everything. */
export function anEndpoint(change: Partial<Endpoint> = {}): Endpoint {
  return {
    id: 'whk_1',
    workspaceId: 'ws_1',
    url: 'http://127.0.0.1:9/hook',
    events: ['*'],
    agentId: null,
    testMode: null,
    format: 'omnivoice',
    apiVersion: '2025-11-01',
    keys: { symmetric: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', shared: null, asymmetric: null },
    retiringKeys: [],
    signatures: { omniflow: null, voiceoi: false, secretHeader: null, ed25519: false },
    auth: null,
    ordering: 'strict',
    holdMs: 0,
    retryDelaysMs: [5_000, 30_000, 120_000],
    timeoutMs: 10_000,
    success: '2xx',
    headers: {},
    enabled: true,
    ...change,
  };
}

/** An event of a call. */
export function anEnvelope(callId: string, sequence: number, change: Partial<Envelope> = {}): Envelope {
  return {
    id: `evt_${callId}_${sequence}`,
    type: 'voice_detected',
    api_version: '2025-11-01',
    created_at: '2026-11-20T12:00:00.000Z',
    workspace_id: 'ws_1',
    resource: { type: 'call', id: callId },
    sequence,
    region: 'local',
    test_mode: false,
    data: { call_id: callId, agent_id: 'echo' },
    ...change,
  };
}

/** A store's outbox in memory: rows as a commit makes them, and every attempt that was recorded. */
export class FakeOutbox implements Outbox {
  readonly rows = new Map<string, OutboxRow>();
  readonly recorded: { readonly attempt: Attempt; readonly outcome: AttemptOutcome }[] = [];
  /** How many of the next calls of each kind fail. */
  readonly failing = { record: 0, unfinished: 0, load: 0, following: 0 };
  readonly calls = { record: 0, unfinished: 0, load: 0, following: 0, endpoints: 0 };
  names: Undelivered[] = [];
  owned: Endpoint[];
  #lastPosition = 0;

  constructor(endpoints: readonly Endpoint[] = []) {
    this.owned = [...endpoints];
  }

  /** One committed event, owed to the endpoints named, or to all. */
  commit(envelope: Envelope, endpointIds = this.owned.map(({ id }) => id)): CommittedEvent {
    const position = ++this.#lastPosition;
    const deliveries = endpointIds.map((endpointId) => {
      const deliveryId = `dlv_${String(position).padStart(8, '0')}_${endpointId}`;
      const row = { id: deliveryId, endpointId, position, envelope, attempts: 0, nextAttemptUnixMs: null };
      this.rows.set(deliveryId, { ...row, state: 'pending', isManual: false, createdUnixMs: 0 });
      return { deliveryId, endpointId };
    });
    return { position, envelope, deliveries, receivedAtMs: 1, decidedAtMs: 2, committedAtMs: 3 };
  }

  statesOf(endpointId: string): readonly DeliveryState[] {
    return [...this.rows.values()].filter((row) => row.endpointId === endpointId).map(({ state }) => state);
  }

  async endpoints(): Promise<readonly Endpoint[]> {
    this.calls.endpoints++;
    return [...this.owned];
  }

  async unfinished(
    after: { position: number; id: string },
    limit: number,
  ): Promise<readonly PendingDelivery[]> {
    this.#callOf('unfinished');
    const rows = [...this.rows.values()].filter(
      ({ state, position, id }) =>
        (state === 'pending' || state === 'retrying') &&
        (position > after.position || (position === after.position && id > after.id)),
    );
    rows.sort((a, b) => a.position - b.position || (a.id < b.id ? -1 : 1));
    const page = rows.slice(0, limit).map((row) => ({ ...row, envelope: copyOf(row.envelope) }));
    // As with a database: what is read is what was so when the read began.
    await new Promise(setImmediate);
    return page;
  }

  async load(deliveryId: string): Promise<PendingDelivery | undefined> {
    this.#callOf('load');
    const row = this.rows.get(deliveryId);
    return row === undefined ? undefined : { ...row, envelope: copyOf(row.envelope) };
  }

  async record(attempt: Attempt, outcome: AttemptOutcome): Promise<void> {
    this.#callOf('record');
    this.recorded.push({ attempt, outcome });
    const row = this.rows.get(attempt.deliveryId);
    if (row === undefined) return;
    row.state = outcome.state;
    row.attempts = attempt.number;
    row.nextAttemptUnixMs = outcome.nextAttemptUnixMs;
    row.refusals = outcome.refusals ?? 0;
    row.isAside = outcome.isAside ?? false;
    row.previousUndelivered = outcome.previousUndelivered ?? [];
    if (outcome.body !== undefined) row.body ??= outcome.body;
    this.#note(outcome);
  }

  async following(lane: LanePlace, position: number, limit: number): Promise<readonly PendingDelivery[]> {
    this.#callOf('following');
    const rows = [...this.rows.values()].filter(
      (row) =>
        (row.state === 'pending' || row.state === 'retrying') &&
        row.endpointId === lane.endpointId &&
        row.envelope.resource.id === lane.resourceId &&
        row.position > position &&
        !row.isManual &&
        row.isAside !== true,
    );
    rows.sort((a, b) => a.position - b.position);
    const page = rows.slice(0, limit).map((row) => ({ ...row, envelope: copyOf(row.envelope) }));
    await new Promise(setImmediate);
    return page;
  }

  async undelivered(limit: number): Promise<readonly Undelivered[]> {
    return [...this.names].sort((a, b) => b.position - a.position).slice(0, limit);
  }

  #note({ undelivered, named }: AttemptOutcome): void {
    if (undelivered !== undefined) {
      const others = this.names.filter((name) => !isSame(name, undelivered));
      this.names = [...others, undelivered];
    }
    for (const position of named?.positions ?? []) {
      this.names = this.names.filter((name) => !isSame(name, { ...named!, position }));
    }
  }

  #callOf(name: 'record' | 'unfinished' | 'load' | 'following'): void {
    this.calls[name]++;
    if (this.failing[name] === 0) return;
    this.failing[name]--;
    throw new Error(`the store failed to ${name}`);
  }
}

function isSame(
  a: Pick<Undelivered, 'endpointId' | 'resourceId' | 'position'>,
  b: Pick<Undelivered, 'endpointId' | 'resourceId' | 'position'>,
): boolean {
  return a.endpointId === b.endpointId && a.resourceId === b.resourceId && a.position === b.position;
}

// As a database hands it out: equal, never the same object.
function copyOf(envelope: Envelope): Envelope {
  return JSON.parse(JSON.stringify(envelope)) as Envelope;
}

/** Entries without what a commit adds, for readers of a journal. */
export function entryOf({ position, envelope }: CommittedEvent): JournalEntry {
  return { position, envelope };
}
