import type {
  RecordedSound,
  RecordingDesk,
  RecordingQuery,
  StoredRecording,
} from '../../api/recordings/recording-desk.ts';
import type { Page } from '../../api/ports.ts';
import type { Cancel, Clock } from '../../base/clock.ts';
import { messageOf } from '../../base/errors.ts';
import type { Closeable } from '../../base/lifetime.ts';
import { numberOf, textOf } from '../../base/json.ts';
import type { CallView } from '../../events/call-view.ts';
import type { Envelope } from '../../events/envelope.ts';
import type { CommittedEvent } from '../../events/journal.ts';
import {
  notesIn,
  readNote,
  removeRecording,
  type RecordingNote,
} from '../../node/recording/recording-note.ts';
import type { RingKey } from '../../node/recording/sealing.ts';
import { settleRecording } from '../../node/recording/settle-recording.ts';
import { SoundFile } from '../../node/recording/sound-file.ts';
import type { RecordingEnd, SqlRecordings } from '../../store/recordings/recordings.ts';
import { isSilentFor } from './writer-signs.ts';

const LOOK_EVERY_MS = 1_000;
const DAY_MS = 86_400_000;
const ROWS_AT_A_TIME = 200;
/** A writer whose file did not grow for so long is gone, or its disk is. */
const WRITER_SILENT_MS = 12_000;
const WRITER_SILENT_FOLLOWED_MS = 60_000;
/** Events that may wait for their rows; what is missed is found in the files at the next start. */
const WAITING_MAX = 10_000;

export interface HostRecordingsOptions {
  readonly directory: string;
  readonly keys: readonly RingKey[];
  readonly retentionDays: number;
  readonly publicUrl: string;
  readonly store: SqlRecordings;
  readonly calls: { get(workspaceId: string, id: string): Promise<CallView | undefined> };
  readonly clock: Clock;
  readonly log: {
    warn(fields: object, sentence: string): void;
    error(fields: object, sentence: string): void;
  };
}

/** Who is there once the house is put together. */
export interface RecordingsHouse {
  /** Whether that life of a node is there: it finishes its recordings itself. */
  isFollowing(incarnation: string): boolean;
  /** Tells everybody of what was committed. */
  announce(events: readonly CommittedEvent[]): void;
}

/**
 * Recordings of a host: rows follow events, files are fetched and forgotten, and what a node could not tell
 * of any more, because its call was over or it was, is told here.
 */
export class HostRecordings implements RecordingDesk, Closeable {
  readonly stats = { told: 0, mended: 0, lost: 0, expired: 0, missedEvents: 0 };
  readonly #options: HostRecordingsOptions;
  #house: RecordingsHouse = { isFollowing: () => true, announce: () => {} };
  #last: Promise<void> = Promise.resolve();
  #waiting = 0;
  #cancel: Cancel = () => {};
  #isClosed = false;

  constructor(options: HostRecordingsOptions) {
    this.#options = options;
  }

  /** From now on what was not told is told, what was not mended is mended, and what is old is forgotten. */
  start(house: RecordingsHouse): void {
    this.#house = house;
    this.#enqueue(() => this.#findNotes());
    this.#look();
  }

  /** Keeps the rows in step with what was committed, in its order. */
  committed(events: readonly CommittedEvent[]): void {
    for (const { envelope } of events) {
      if (!envelope.type.startsWith('recording_')) continue;
      if (this.#waiting >= WAITING_MAX) this.stats.missedEvents++;
      else this.#enqueue(() => this.#follow(envelope));
    }
  }

  get(
    place: Pick<RecordingQuery, 'workspaceId' | 'testMode'>,
    id: string,
  ): Promise<StoredRecording | undefined> {
    return this.#options.store.get(place, id);
  }

  list(query: RecordingQuery): Promise<Page<StoredRecording>> {
    return this.#options.store.list(query);
  }

  async open(recording: StoredRecording): Promise<RecordedSound> {
    const { directory, keys } = this.#options;
    const note = await readNote(directory, recording);
    return SoundFile.open(directory, note ?? noteOf(recording), keys);
  }

  async remove(recording: StoredRecording): Promise<void> {
    await removeRecording(this.#options.directory, recording);
    await this.#options.store.remove(recording.id);
  }

  /** When everything that was due so far is done. */
  idle(): Promise<void> {
    return this.#last;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancel();
    await this.#last;
  }

  #enqueue(work: () => Promise<void>): void {
    this.#waiting++;
    this.#last = this.#last
      .then(work)
      .catch((error: unknown) =>
        this.#options.log.error({ error: messageOf(error) }, 'recordings could not be kept in step'),
      )
      .finally(() => this.#waiting--);
  }

  #look(): void {
    this.#cancel = this.#options.clock.after(LOOK_EVERY_MS, () => {
      this.#enqueue(async () => {
        await this.#settleDue();
        await this.#expire();
      });
      void this.#last.finally(() => {
        if (!this.#isClosed) this.#look();
      });
    });
  }

  async #follow({ type, data, workspace_id, test_mode, resource, created_at }: Envelope): Promise<void> {
    const id = textOf(data['recording_id']);
    if (id === undefined) return;
    const { store } = this.#options;
    if (type === 'recording_started') {
      return store.add({
        id,
        workspaceId: workspace_id,
        testMode: test_mode,
        callId: resource.id,
        state: 'recording',
        format: textOf(data['format']) ?? 'wav_g711',
        sampleRateHz: numberOf(data['sample_rate_hz']) ?? 8000,
        startedAt: created_at,
        durationMs: null,
        bytes: null,
        sha256: null,
        reason: null,
      });
    }
    if (type !== 'recording_ready' && type !== 'recording_failed') return;
    await store.settle(id, {
      state: type === 'recording_ready' ? 'ready' : 'failed',
      durationMs: numberOf(data['duration_ms']) ?? null,
      bytes: numberOf(data['bytes']) ?? null,
      sha256: textOf(data['sha256']) ?? null,
      reason: textOf(data['reason']) ?? null,
    });
  }

  /** Files of which no event was kept: the store is younger, or control died in between. */
  async #findNotes(): Promise<void> {
    const { directory, store } = this.#options;
    for await (const note of notesIn(directory)) {
      if (this.#isClosed) return;
      if (!(await store.has(note.id))) await store.add(recordingOf(note));
    }
  }

  async #settleDue(): Promise<void> {
    const { store, calls } = this.#options;
    for (const recording of await store.unsettled(ROWS_AT_A_TIME)) {
      const call = await calls.get(recording.workspaceId, recording.callId);
      // While the call goes on its node tells of it.
      if (call?.completed === true) await this.#settle(recording, call);
    }
  }

  async #settle(recording: StoredRecording, call: CallView): Promise<void> {
    const { directory, keys, clock, log } = this.#options;
    const note = await readNote(directory, recording);
    if (note !== undefined && note.state !== 'open') return this.#tell(recording, call, endOf(note));
    // Whoever had the call last finishes what it wrote; earlier owners may be gone, and wrote it nonetheless.
    const isFollowing = this.#house.isFollowing(call.incarnation);
    if (isFollowing && note === undefined) return;
    const silentMs = isFollowing ? WRITER_SILENT_FOLLOWED_MS : WRITER_SILENT_MS;
    if (!(await isSilentFor(directory, recording, silentMs, clock))) return;
    try {
      const open = note ?? noteOf(recording);
      const mended = await settleRecording(directory, open, keys, { state: 'ready', reason: 'interrupted' });
      this.stats.mended++;
      await this.#tell(recording, call, endOf(mended));
    } catch (error) {
      this.stats.lost++;
      log.warn({ recording_id: recording.id, error: messageOf(error) }, 'a recording is lost');
      const nothing = { durationMs: 0, bytes: 0, sha256: null };
      await this.#tell(recording, call, { state: 'failed', reason: 'lost', ...nothing });
    }
  }

  async #tell(recording: StoredRecording, call: CallView, end: RecordingEnd): Promise<void> {
    const { store, publicUrl } = this.#options;
    const url = `${publicUrl}/api/v1/recordings/${recording.id}/content`;
    const committed = await store.tellEnd(recording, call, end, url);
    this.stats.told += committed.length;
    this.#house.announce(committed);
  }

  async #expire(): Promise<void> {
    const { store, clock, retentionDays } = this.#options;
    const before = new Date(clock.unixMs() - retentionDays * DAY_MS).toISOString();
    for (const recording of await store.startedBefore(before, ROWS_AT_A_TIME)) {
      await this.remove(recording);
      this.stats.expired++;
    }
  }
}

function endOf({ state, duration_ms: durationMs, bytes, sha256, reason }: RecordingNote): RecordingEnd {
  return { state: state === 'ready' ? 'ready' : 'failed', durationMs, bytes, sha256, reason };
}

function recordingOf(note: RecordingNote): StoredRecording {
  return {
    id: note.id,
    workspaceId: note.workspace_id,
    testMode: note.test_mode,
    callId: note.call_id,
    // Settled with its call, as if an event had told of its beginning.
    state: 'recording',
    format: note.format,
    sampleRateHz: note.sample_rate_hz,
    startedAt: note.started_at,
    durationMs: null,
    bytes: null,
    sha256: null,
    reason: null,
  };
}

/** Where the note itself is gone, what the row has is all there is. */
function noteOf(recording: StoredRecording): RecordingNote {
  return {
    id: recording.id,
    call_id: recording.callId,
    workspace_id: recording.workspaceId,
    test_mode: recording.testMode,
    format: recording.format as RecordingNote['format'],
    sample_rate_hz: recording.sampleRateHz,
    key_id: null,
    started_at: recording.startedAt,
    state: 'open',
    duration_ms: recording.durationMs ?? 0,
    bytes: recording.bytes ?? 0,
    sha256: recording.sha256,
    reason: recording.reason,
  };
}
