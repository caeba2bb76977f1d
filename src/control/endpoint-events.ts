import type { Clock } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import { newId } from '../base/ids.ts';
import type { EndpointNotice } from '../delivery/breaker/health-record.ts';
import { API_VERSION, type EventRecord } from '../events/envelope.ts';
import type { Journal } from '../events/journal.ts';

export interface EndpointEventsOptions {
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

/** Tells operators how endpoints are: `endpoint.failing`, `.disabled`, `.recovered`, one after the other. */
export class EndpointEvents {
  readonly stats = { told: 0, failed: 0, refused: 0 };
  readonly #options: EndpointEventsOptions;
  readonly #sequences = new Map<string, number>();
  #last: Promise<void> = Promise.resolve();
  #waiting = 0;

  constructor(options: EndpointEventsOptions) {
    this.#options = options;
  }

  announce(notice: EndpointNotice): void {
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

  async #tell(notice: EndpointNotice): Promise<void> {
    const { publish, log } = this.#options;
    const { id } = notice.endpoint;
    try {
      let sequence = (this.#sequences.get(id) ?? (await this.#lastSequence(notice))) + 1;
      // Taken by another process that told something of the same endpoint: then ours comes after it.
      for (let tries = 1; (await publish([this.#record(notice, sequence)])).length === 0; tries++) {
        if (tries === TRIES_MAX) throw new Error('its number was taken each time');
        sequence = (await this.#lastSequence(notice)) + 1;
      }
      this.#sequences.set(id, sequence);
      this.stats.told++;
    } catch (error) {
      this.#sequences.delete(id);
      this.stats.failed++;
      log.error({ endpointId: id, type: notice.type, detail: messageOf(error) }, 'endpoint event not told');
    }
  }

  async #lastSequence({ endpoint: { id: resourceId, workspaceId } }: EndpointNotice): Promise<number> {
    const { journal } = this.#options;
    for (let after = 0, last = 0; ;) {
      const page = await journal.read({ workspaceId, resourceId, after, limit: PAGE });
      last = page.at(-1)?.envelope.sequence ?? last;
      after = page.at(-1)?.position ?? after;
      if (page.length < PAGE) return last;
    }
  }

  #record({ type, endpoint, data }: EndpointNotice, sequence: number): EventRecord {
    const { clock, region } = this.#options;
    const nowMs = clock.nowMs();
    return {
      envelope: {
        id: newId('evt', clock),
        type,
        api_version: API_VERSION,
        created_at: new Date(clock.unixMs()).toISOString(),
        workspace_id: endpoint.workspaceId,
        resource: { type: 'endpoint', id: endpoint.id },
        sequence,
        region,
        test_mode: endpoint.testMode ?? false,
        // Without its query, which may hold secrets.
        data: { endpoint_id: endpoint.id, url: endpoint.url.replace(/[?#].*$/s, ''), ...data },
      },
      stamps: { receivedAtMs: nowMs, decidedAtMs: nowMs },
    };
  }
}
