import type { Clock } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import { newId } from '../base/ids.ts';
import type { EndpointNotice } from '../delivery/breaker/health-record.ts';
import { API_VERSION, type Envelope, type EventRecord } from '../events/envelope.ts';
import type { Journal } from '../events/journal.ts';

/** What control itself has to tell of something that is no call. */
export type Notice = Pick<Envelope, 'type' | 'resource' | 'workspace_id' | 'test_mode' | 'data'>;

export interface NoticesOptions {
  readonly journal: Pick<Journal, 'read'>;
  /** Commits events and tells everybody. */
  readonly publish: (records: readonly EventRecord[]) => Promise<readonly unknown[]>;
  readonly region: string;
  readonly clock: Clock;
  readonly log: { error(fields: object, sentence: string): void };
}

const PAGE = 200;
const WAITING_MAX = 1_000;
const TRIES_MAX = 5;

/** Tells operators how endpoints and agents are, one notice after the other, each under its next number. */
export class Notices {
  readonly stats = { told: 0, failed: 0, refused: 0 };
  readonly #options: NoticesOptions;
  readonly #sequences = new Map<string, number>();
  #last: Promise<void> = Promise.resolve();
  #waiting = 0;

  constructor(options: NoticesOptions) {
    this.#options = options;
  }

  announce(notice: Notice): void {
    if (this.#waiting >= WAITING_MAX) {
      this.stats.refused++;
      return;
    }
    this.#waiting++;
    this.#last = this.#last.then(() => this.#tell(notice)).finally(() => this.#waiting--);
  }

  /** When everything announced so far is told, or has failed. */
  async close(): Promise<void> {
    await this.#last;
  }

  async #tell(notice: Notice): Promise<void> {
    const { publish, log } = this.#options;
    const { id } = notice.resource;
    try {
      let sequence = (this.#sequences.get(id) ?? (await this.#lastSequence(notice))) + 1;
      // Taken by somebody else who told something of the same resource: then ours comes after it.
      for (let tries = 1; (await publish([this.#record(notice, sequence)])).length === 0; tries++) {
        if (tries === TRIES_MAX) throw new Error('its number was taken each time');
        sequence = (await this.#lastSequence(notice)) + 1;
      }
      this.#sequences.set(id, sequence);
      this.stats.told++;
    } catch (error) {
      this.#sequences.delete(id);
      this.stats.failed++;
      log.error({ resourceId: id, type: notice.type, detail: messageOf(error) }, 'notice not told');
    }
  }

  async #lastSequence({ resource: { id: resourceId }, workspace_id: workspaceId }: Notice): Promise<number> {
    const { journal } = this.#options;
    for (let after = 0, last = 0; ;) {
      const page = await journal.read({ workspaceId, resourceId, after, limit: PAGE });
      last = page.at(-1)?.envelope.sequence ?? last;
      after = page.at(-1)?.position ?? after;
      if (page.length < PAGE) return last;
    }
  }

  #record(notice: Notice, sequence: number): EventRecord {
    const { clock, region } = this.#options;
    const nowMs = clock.nowMs();
    const created_at = new Date(clock.unixMs()).toISOString();
    const own = { id: newId('evt', clock), api_version: API_VERSION, created_at, sequence, region };
    return { envelope: { ...own, ...notice }, stamps: { receivedAtMs: nowMs, decidedAtMs: nowMs } };
  }
}

/** `endpoint.failing`, `.disabled` and `.recovered`. */
export function endpointNotice({ type, endpoint, data }: EndpointNotice): Notice {
  return {
    type,
    workspace_id: endpoint.workspaceId,
    resource: { type: 'endpoint', id: endpoint.id },
    test_mode: endpoint.testMode ?? false,
    // Without its query, which may hold secrets.
    data: { endpoint_id: endpoint.id, url: endpoint.url.replace(/[?#].*$/s, ''), ...data },
  };
}
