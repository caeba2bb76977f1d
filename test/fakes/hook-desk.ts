import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openApi, type Api } from '../../src/api/api.ts';
import { newApiKey } from '../../src/api/api-key.ts';
import { systemClock, type Clock } from '../../src/base/clock.ts';
import { openDelivery, type Delivery } from '../../src/delivery/delivery.ts';
import { HostQueues } from '../../src/control/queues/host-queues.ts';
import { HostInbound } from '../../src/control/inbound.ts';
import { StreamHub } from '../../src/delivery/stream-hub.ts';
import type { Command, CommandResult } from '../../src/events/commands.ts';
import type { EventRecord } from '../../src/events/envelope.ts';
import type { CommittedEvent } from '../../src/events/journal.ts';
import type { EncryptionKey } from '../../src/store/cipher.ts';
import { openStore, type Store } from '../../src/store/store.ts';
import { FakeCluster } from './cluster-desk.ts';
import { FakePostCall } from './post-call-desk.ts';
import { FakeRecordings } from './recording-desk.ts';

const KEYS: readonly EncryptionKey[] = [{ id: 'k1', key: new Uint8Array(32).fill(7) }];

export interface HookDeskOptions {
  readonly path?: string;
  readonly encryptionKeys?: readonly EncryptionKey[];
  readonly egressAllow?: readonly string[];
  readonly clock?: Clock;
  /** What the nodes answer to a command; without it they do everything. */
  readonly command?: (command: Command) => CommandResult | Promise<CommandResult>;
}

/** What an API answers, as far as tests look into it. */
export interface DeskAnswer {
  readonly status: number;
  readonly text: string;
  readonly body: ReturnType<typeof JSON.parse>;
}

/** A control without nodes: real store, real delivery over real HTTP, real API; all logging is kept. */
export class HookDesk {
  readonly logged: unknown[] = [];
  readonly path: string;
  readonly store: Store;
  readonly delivery: Delivery;
  readonly inbound: HostInbound;
  readonly api: Api;
  /** A live key with every scope. */
  readonly key: string;
  readonly #folder: string | undefined;

  private constructor(parts: {
    path: string;
    folder: string | undefined;
    store: Store;
    delivery: Delivery;
    inbound: HostInbound;
    api: Api;
    key: string;
    logged: unknown[];
  }) {
    this.path = parts.path;
    this.#folder = parts.folder;
    this.store = parts.store;
    this.delivery = parts.delivery;
    this.inbound = parts.inbound;
    this.api = parts.api;
    this.key = parts.key;
    this.logged = parts.logged;
  }

  static async open(options: HookDeskOptions = {}): Promise<HookDesk> {
    const { clock = systemClock, egressAllow = ['127.0.0.1'] } = options;
    const folder = options.path === undefined ? mkdtempSync(join(tmpdir(), 'omnivoice-desk-')) : undefined;
    const path = options.path ?? join(folder!, 'store.db');
    const logged: unknown[] = [];
    const say = (fields: object, sentence: string): void => void logged.push({ ...fields, sentence });
    const log = { debug: say, info: say, warn: say, error: say };
    const encryptionKeys = options.encryptionKeys ?? KEYS;
    const store = await openStore({ path, clock, encryptionKeys, log });
    const delivery = openDelivery({
      outbox: store.outbox,
      clock,
      settings: { egressAllow, userAgent: 'Omnivoice/test', closeGraceMs: 50 },
      observer: { hookSent: () => undefined, attemptFinished: () => undefined },
      log,
    });
    const made = newApiKey({ workspaceId: 'ws_default', name: 'desk' }, clock);
    await store.keys.create({ ...made.key, ratePerMinute: 100_000 });
    const streams = new StreamHub({ journal: store.journal, clock, log });
    const answer = options.command ?? (() => ({ ok: true, value: null }));
    const nodes = {
      serving: 1,
      command: async (_call: unknown, command: Command) => answer(command),
      applyCredentials: async () => undefined,
      drain: async () => answer({ name: 'drain' }),
    };
    const announce = (events: readonly CommittedEvent[]): void => {
      streams.publish(events);
      delivery.accept(events);
    };
    const inbound = new HostInbound({ store, nodes, announce, clock, log });
    const api = await openApi({
      ports: store,
      nodes,
      cluster: new FakeCluster(),
      agents: {
        store: store.agents,
        dialects: [],
        tell: async () => undefined,
        apply: async () => undefined,
        tryOut: async () => [],
      },
      postCall: new FakePostCall(),
      recordings: new FakeRecordings(),
      queues: new HostQueues({ clock, command: async (_, command) => answer(command) }),
      streams,
      journal: store.journal,
      delivery,
      inbound,
      clock,
      settings: {
        host: '127.0.0.1',
        port: 0,
        publicUrl: 'http://127.0.0.1:8080',
        mediaUrl: () => 'ws://127.0.0.1:8081',
        region: 'local',
        dialects: [{ name: 'native', options: [], proofs: [] }],
        signingSecrets: [new Uint8Array(32)],
        trustedProxies: [],
        loopDelayMaxMs: 0,
      },
      isReady: () => true,
      renderMetrics: async () => ({ contentType: 'text/plain', body: '' }),
      log,
    });
    await delivery.start();
    inbound.wake();
    return new HookDesk({ path, folder, store, delivery, inbound, api, key: made.secret, logged });
  }

  /** One request to the API. */
  async ask(method: string, url: string, body?: object): Promise<DeskAnswer> {
    const answer = await this.api.app.inject({
      method: method as 'GET',
      url: `/api/v1${url}`,
      headers: { authorization: `Bearer ${this.key}` },
      ...(body !== undefined && { payload: body }),
    });
    const text = answer.payload;
    return { status: answer.statusCode, text, body: JSON.parse(text) };
  }

  /** Makes an endpoint, and fails where it is not made. */
  async hook(
    wish: object,
  ): Promise<{ readonly id: string; readonly secret: string; readonly [name: string]: unknown }> {
    const { status, body, text } = await this.ask('POST', '/webhooks', { events: ['*'], ...wish });
    if (status !== 201) throw new Error(text);
    return body.data;
  }

  /** Commits events, and has them sent. */
  /** Tells them as of now: what is older than a day is not tried again. */
  async publish(...records: readonly EventRecord[]): Promise<void> {
    const created_at = new Date(systemClock.unixMs()).toISOString();
    const fresh = records.map(({ envelope, stamps }) => ({ envelope: { ...envelope, created_at }, stamps }));
    this.delivery.accept(await this.store.journal.append(fresh));
  }

  async close({ keep = false } = {}): Promise<void> {
    await this.delivery.close();
    await this.api.close();
    await this.inbound.close();
    await this.store.close();
    if (this.#folder !== undefined && !keep) rmSync(this.#folder, { recursive: true, force: true });
  }
}
