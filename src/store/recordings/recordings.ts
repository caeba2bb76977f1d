import type { Kysely, Selectable } from 'kysely';
import type { Page, PageQuery } from '../../api/ports.ts';
import type { RecordingQuery, StoredRecording } from '../../api/recordings/recording-desk.ts';
import type { Clock } from '../../base/clock.ts';
import { newId } from '../../base/ids.ts';
import type { JsonObject } from '../../base/json.ts';
import type { CallView } from '../../events/call-view.ts';
import { API_VERSION, type EventRecord } from '../../events/envelope.ts';
import type { CommittedEvent } from '../../events/journal.ts';
import type { SqlJournal } from '../journal/journal.ts';
import { mapped, pageOf } from '../page.ts';
import type { RecordingsTable, Schema } from '../schema.ts';

/** How a recording ended. */
export type RecordingEnd = Pick<StoredRecording, 'durationMs' | 'bytes' | 'sha256' | 'reason'> & {
  readonly state: 'ready' | 'failed';
};

/** Recordings there are, as their events and their files tell of them. */
export class SqlRecordings {
  readonly #db: Kysely<Schema>;
  readonly #journal: Pick<SqlJournal, 'appendMade'>;
  readonly #clock: Clock;

  constructor(db: Kysely<Schema>, journal: Pick<SqlJournal, 'appendMade'>, clock: Clock) {
    this.#db = db;
    this.#journal = journal;
    this.#clock = clock;
  }

  /** Told twice, it is there once. */
  async add(recording: StoredRecording): Promise<void> {
    const { id, state, format } = recording;
    await this.#db
      .insertInto('recordings')
      .values({
        id,
        workspace_id: recording.workspaceId,
        test_mode: recording.testMode,
        call_id: recording.callId,
        state,
        format,
        sample_rate_hz: recording.sampleRateHz,
        started_at: recording.startedAt,
        ...columnsOf(recording),
      })
      .onConflict((conflict) => conflict.column('id').doNothing())
      .execute();
  }

  async has(id: string): Promise<boolean> {
    const row = await this.#db.selectFrom('recordings').select('id').where('id', '=', id).executeTakeFirst();
    return row !== undefined;
  }

  async get(
    { workspaceId, testMode }: Pick<PageQuery, 'workspaceId' | 'testMode'>,
    id: string,
  ): Promise<StoredRecording | undefined> {
    const row = await this.#db
      .selectFrom('recordings')
      .selectAll()
      .where('id', '=', id)
      .where('workspace_id', '=', workspaceId)
      .where('test_mode', '=', testMode)
      .executeTakeFirst();
    return row && recordingOf(row);
  }

  async list(query: RecordingQuery): Promise<Page<StoredRecording>> {
    let matching = this.#db
      .selectFrom('recordings')
      .selectAll()
      .where('workspace_id', '=', query.workspaceId)
      .where('test_mode', '=', query.testMode);
    if (query.callId !== undefined) matching = matching.where('call_id', '=', query.callId);
    return mapped(await pageOf(matching, ['started_at', 'id'], query), recordingOf);
  }

  /** Those whose end nobody has told yet, oldest first. */
  async unsettled(limit: number): Promise<readonly StoredRecording[]> {
    return this.#inState('recording', limit);
  }

  /** Settled ones that began before an instant, oldest first. */
  async startedBefore(startedAt: string, limit: number): Promise<readonly StoredRecording[]> {
    const [ready, failed] = [await this.#inState('ready', limit), await this.#inState('failed', limit)];
    return [...ready, ...failed].filter((one) => one.startedAt < startedAt);
  }

  /** The call's own node has told of its end. */
  async settle(id: string, end: RecordingEnd): Promise<void> {
    await this.#db
      .updateTable('recordings')
      .set({ state: end.state, ...columnsOf(end) })
      .where('id', '=', id)
      .execute();
  }

  /**
   * Tells the end of a recording whose call is over, once: the row and the event are one commit. The event
   * is numbered on from the call's last.
   */
  async tellEnd(
    recording: StoredRecording,
    call: CallView,
    end: RecordingEnd,
    url: string,
  ): Promise<readonly CommittedEvent[]> {
    return this.#journal.appendMade(async (transaction, lastOf) => {
      const { numUpdatedRows } = await transaction
        .updateTable('recordings')
        .set({ state: end.state, ...columnsOf(end) })
        .where('id', '=', recording.id)
        .where('state', '=', 'recording')
        .executeTakeFirstOrThrow();
      if (Number(numUpdatedRows) === 0) return [];
      return [this.#recordOf(recording, call, end, url, (await lastOf(call.id)) + 1)];
    });
  }

  async remove(id: string): Promise<void> {
    await this.#db.deleteFrom('recordings').where('id', '=', id).execute();
  }

  async #inState(state: string, limit: number): Promise<readonly StoredRecording[]> {
    const rows = await this.#db
      .selectFrom('recordings')
      .selectAll()
      .where('state', '=', state)
      .orderBy('started_at')
      .limit(limit)
      .execute();
    return rows.map(recordingOf);
  }

  #recordOf(
    { id }: StoredRecording,
    call: CallView,
    end: RecordingEnd,
    url: string,
    sequence: number,
  ): EventRecord {
    const nowMs = this.#clock.nowMs();
    const { durationMs: duration_ms, bytes, sha256, reason, state } = end;
    const own: JsonObject =
      state === 'ready'
        ? { recording_id: id, url, channels: 2, duration_ms, bytes, sha256, reason }
        : { recording_id: id, reason, duration_ms, url };
    return {
      envelope: {
        id: newId('evt', this.#clock),
        type: `recording_${state}`,
        api_version: API_VERSION,
        created_at: new Date(this.#clock.unixMs()).toISOString(),
        workspace_id: call.workspace_id,
        resource: { type: 'call', id: call.id },
        sequence,
        region: call.region,
        test_mode: call.test_mode,
        data: { ...call.head, state: call.state, ...own },
      },
      stamps: { receivedAtMs: nowMs, decidedAtMs: nowMs },
    };
  }
}

function columnsOf({ durationMs, bytes, sha256, reason }: Omit<RecordingEnd, 'state'>) {
  return { duration_ms: durationMs, bytes, sha256, reason };
}

function recordingOf(row: Selectable<RecordingsTable>): StoredRecording {
  return {
    id: row.id,
    workspaceId: row.workspace_id,
    testMode: Boolean(row.test_mode),
    callId: row.call_id,
    state: row.state as StoredRecording['state'],
    format: row.format,
    sampleRateHz: row.sample_rate_hz,
    startedAt: row.started_at,
    durationMs: row.duration_ms,
    bytes: row.bytes,
    sha256: row.sha256,
    reason: row.reason,
  };
}
