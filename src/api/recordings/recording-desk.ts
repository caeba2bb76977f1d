import type { Page, PageQuery } from '../ports.ts';

/** A recording as the store keeps it. */
export interface StoredRecording {
  readonly id: string;
  readonly workspaceId: string;
  readonly testMode: boolean;
  readonly callId: string;
  /** `failed`: it broke off; what was written until then can be fetched. */
  readonly state: 'recording' | 'ready' | 'failed';
  readonly format: string;
  readonly sampleRateHz: number;
  readonly startedAt: string;
  readonly durationMs: number | null;
  readonly bytes: number | null;
  /** Of the file as it is downloaded; hex. */
  readonly sha256: string | null;
  /** Why it broke off; `interrupted` where its node died and it was mended. */
  readonly reason: string | null;
}

export interface RecordingQuery extends PageQuery {
  readonly callId?: string;
}

/** The sound of a recording as it is downloaded: what is sealed at rest is open here. */
export interface RecordedSound {
  readonly bytes: number;
  /** Bytes `from` up to, not including, `to`. The file is closed when they are read, or given up. */
  read(from: number, to: number): AsyncGenerator<Uint8Array>;
  close(): Promise<void>;
}

/** Recordings, as the API may use them. */
export interface RecordingDesk {
  get(place: Pick<PageQuery, 'workspaceId' | 'testMode'>, id: string): Promise<StoredRecording | undefined>;
  list(query: RecordingQuery): Promise<Page<StoredRecording>>;
  /** Throws `not_found` where the file is gone. */
  open(recording: StoredRecording): Promise<RecordedSound>;
  /** The file first, then the row. */
  remove(recording: StoredRecording): Promise<void>;
}
