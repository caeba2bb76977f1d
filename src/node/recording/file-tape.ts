import type { Clock } from '../../base/clock.ts';
import type { Tape, TapeEnd, TapeFailure } from '../../call/recording/tape.ts';
import type { Disk, DiskFile } from './disk.ts';
import { soundPathOf, writeNote, type RecordingNote } from './recording-note.ts';
import type { RingKey, Sealing } from './sealing.ts';
import { headerOf, type SoundContainer } from './sound-container.ts';
import { settleRecording } from './settle-recording.ts';

/** Chunks of a second that may wait for the disk: one that is slower for longer is too slow to record on. */
const WAITING_CHUNKS_MAX = 10;
/** The room on the disk is looked at with every so manieth chunk. */
const LOOK_EVERY_CHUNKS = 10;

/** What all tapes of a node share. */
export interface TapeHouse {
  readonly directory: string;
  readonly disk: Disk;
  readonly clock: Pick<Clock, 'randomBytes'>;
  /** Newest first. */
  readonly keys: readonly RingKey[];
  readonly bytesMax: number;
  readonly freeMinRatio: number;
}

export interface FileTapeOptions {
  readonly house: TapeHouse;
  readonly note: RecordingNote;
  readonly container: SoundContainer;
  readonly sealing: Sealing | undefined;
  readonly failed: (reason: TapeFailure) => void;
}

type TapeState = { readonly name: 'on' } | { readonly name: 'off'; readonly failure: TapeFailure | null };

/** One recording on its way to the disk: a bounded queue of chunks and one writer, which nobody waits for. */
export class FileTape implements Tape {
  readonly format: RecordingNote['format'];
  readonly #options: FileTapeOptions;
  readonly #waiting: Uint8Array[] = [];
  #state: TapeState = { name: 'on' };
  #writing: Promise<void>;
  #isWriting = true;
  #settling: Promise<TapeEnd | undefined> | undefined;
  #file: DiskFile | undefined;
  #writtenBytes = 0;
  #soundBytes = 0;
  #blocks = 0;

  constructor(options: FileTapeOptions) {
    this.format = options.note.format;
    this.#options = options;
    this.#waiting.push(options.container.begin());
    this.#writing = this.#write();
  }

  write(left: Int16Array, right: Int16Array): void {
    if (this.#state.name === 'off') return;
    const chunk = this.#options.container.write(left, right);
    if (chunk !== undefined) this.#queue(chunk);
  }

  async finish(): Promise<TapeEnd | undefined> {
    const rest = this.#state.name === 'on' ? this.#options.container.end() : undefined;
    if (rest !== undefined) this.#queue(rest);
    if (this.#state.name === 'on') this.#state = { name: 'off', failure: null };
    await this.#drained();
    this.#options.container.close();
    return this.#settle();
  }

  #queue(chunk: Uint8Array): void {
    if (this.#waiting.length >= WAITING_CHUNKS_MAX) return this.#break('disk_too_slow');
    this.#waiting.push(chunk);
    if (this.#isWriting) return;
    this.#isWriting = true;
    this.#writing = this.#write();
  }

  async #write(): Promise<void> {
    try {
      this.#file ??= await this.#create();
      for (let chunk = this.#waiting[0]; chunk !== undefined; chunk = this.#waiting[0]) {
        await this.#writeChunk(this.#file, chunk);
        this.#waiting.shift();
      }
    } catch (error) {
      this.#break(isFull(error) ? 'disk_full' : 'io_error');
    } finally {
      this.#isWriting = false;
    }
  }

  async #create(): Promise<DiskFile> {
    const { house, note } = this.#options;
    const file = await house.disk.create(soundPathOf(house.directory, note));
    await writeNote(house.directory, note);
    return file;
  }

  async #writeChunk(file: DiskFile, chunk: Uint8Array): Promise<void> {
    const { house, note, sealing } = this.#options;
    const bytes = sealing === undefined ? chunk : sealing.seal(chunk, this.#blocks, house.clock);
    if (this.#writtenBytes + bytes.length > house.bytesMax) return this.#break('too_large');
    if (this.#blocks++ % LOOK_EVERY_CHUNKS === 0) {
      const freeRatio = await house.disk.freeRatio(house.directory);
      if (freeRatio < house.freeMinRatio) return this.#break('disk_full');
    }
    await file.write(bytes, this.#writtenBytes);
    this.#writtenBytes += bytes.length;
    this.#soundBytes += chunk.length;
    const headerBytes = headerOf(note.format, note.sample_rate_hz, 0)?.length;
    if (sealing !== undefined || headerBytes === undefined) return;
    // The sizes follow the sound: whoever reads now, or finds the file after a crash, reads what is there.
    await file.write(headerOf(note.format, note.sample_rate_hz, this.#soundBytes - headerBytes)!, 0);
  }

  /** The first thing that goes wrong ends it; what is on the disk is made whole and kept. */
  #break(failure: TapeFailure): void {
    if (this.#state.name === 'off' && this.#state.failure !== null) return;
    const wasOn = this.#state.name === 'on';
    this.#state = { name: 'off', failure };
    this.#waiting.length = 0;
    queueMicrotask(() => this.#options.failed(failure));
    // One that was being finished is settled by whoever finishes it.
    if (wasOn) void this.#giveUp();
  }

  async #giveUp(): Promise<void> {
    await this.#drained();
    this.#options.container.close();
    await this.#settle();
  }

  async #drained(): Promise<void> {
    while (this.#isWriting) await this.#writing;
  }

  #settle(): Promise<TapeEnd | undefined> {
    this.#settling ??= this.#settleOnce();
    return this.#settling;
  }

  /** A file that cannot even be read is found again at the next start, where its note is. */
  async #settleOnce(): Promise<TapeEnd | undefined> {
    const { house, note } = this.#options;
    const failure = this.#state.name === 'off' ? this.#state.failure : null;
    try {
      await this.#file?.close();
      const settling =
        failure === null
          ? { state: 'ready' as const, reason: null }
          : { state: 'failed' as const, reason: failure };
      const settled = await settleRecording(house.directory, note, house.keys, settling);
      if (failure !== null || settled.sha256 === null) return undefined;
      return { durationMs: settled.duration_ms, bytes: settled.bytes, sha256: settled.sha256 };
    } catch (error) {
      if (failure === null) this.#break(isFull(error) ? 'disk_full' : 'io_error');
      return undefined;
    }
  }
}

function isFull(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'ENOSPC' || code === 'EDQUOT';
}
