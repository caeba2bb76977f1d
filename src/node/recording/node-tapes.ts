import { mkdirSync } from 'node:fs';
import type { Clock } from '../../base/clock.ts';
import { invariant, messageOf, refuse, type Refusal } from '../../base/errors.ts';
import type { Closeable } from '../../base/lifetime.ts';
import type { Agents } from '../../call/agents/published.ts';
import type { CallFacts } from '../../call/facts.ts';
import type {
  RecordingFormat,
  Tape,
  TapeEnd,
  TapeFailure,
  Tapes,
  TapeWish,
} from '../../call/recording/tape.ts';
import { publicUrlOf } from '../../config/addresses.ts';
import type { DataPaths } from '../../config/data-dir.ts';
import type { Settings } from '../../config/settings.ts';
import { realDisk, type Disk } from './disk.ts';
import { FileTape, type TapeHouse } from './file-tape.ts';
import type { RecordingNote } from './recording-note.ts';
import { Sealing, type RingKey } from './sealing.ts';
import { openContainer } from './sound-container.ts';

/** Tapes as the settings of a node want them. */
export function openNodeTapes({ settings, paths, clock, agents, log }: TapeSettings): NodeTapes {
  return new NodeTapes({
    directory: settings.recordingsDir ?? paths.recordingsDir,
    disk: realDisk,
    clock,
    keys: settings.encryptionKeys,
    isSealed: settings.recordingEncryption === 'on',
    format: settings.recordingFormat,
    bytesMax: settings.recordingBytesMax,
    freeMinRatio: settings.diskFreeMinRatio,
    isWanted: (facts) => settings.recordCalls === 'all' || agents.agentFor(facts)?.terms.record === true,
    url: `${publicUrlOf(settings)}/api/v1/recordings`,
    log,
  });
}

interface TapeSettings {
  readonly settings: Settings;
  readonly paths: Pick<DataPaths, 'recordingsDir'>;
  readonly clock: Pick<Clock, 'randomBytes'>;
  readonly agents: Agents;
  readonly log: { error(fields: object, sentence: string): void };
}

export interface NodeTapesOptions {
  readonly directory: string;
  readonly disk: Disk;
  readonly clock: Pick<Clock, 'randomBytes'>;
  /** Newest first. */
  readonly keys: readonly RingKey[];
  readonly isSealed: boolean;
  /** `wav`: G.711 where the caller's line is 8 kHz, else 16-bit samples. */
  readonly format: 'wav' | RecordingFormat;
  readonly bytesMax: number;
  readonly freeMinRatio: number;
  readonly isWanted: (facts: CallFacts) => boolean;
  /** What downloads are built from: `https://host/api/v1/recordings`. */
  readonly url: string;
  readonly log: { error(fields: object, sentence: string): void };
}

/** Recordings of a node, written to its disk. */
export class NodeTapes implements Tapes, Closeable {
  readonly stats = {
    opened: 0,
    finished: 0,
    /** Recordings that could not begin. */
    refused: 0,
    /** Frames that came too fast to have a place in their recording. */
    lostFrames: 0,
    failedByReason: { disk_full: 0, disk_too_slow: 0, too_large: 0, io_error: 0 } satisfies Record<
      TapeFailure,
      number
    >,
  };
  readonly #options: NodeTapesOptions;
  readonly #house: TapeHouse;
  readonly #finishing = new Set<Promise<unknown>>();

  constructor(options: NodeTapesOptions) {
    mkdirSync(options.directory, { recursive: true, mode: 0o700 });
    this.#options = options;
    const { directory, disk, clock, keys, bytesMax, freeMinRatio } = options;
    this.#house = { directory, disk, clock, keys, bytesMax, freeMinRatio };
  }

  open(wish: TapeWish, failed: (reason: TapeFailure) => void): Tape | Refusal {
    const { clock, keys, isSealed } = this.#options;
    const note = this.#noteOf(wish);
    const [key] = keys;
    try {
      invariant(!isSealed || key !== undefined, 'there is a key to seal recordings with');
      const serial = clock.randomBytes(4).readUInt32LE();
      const tape = new FileTape({
        house: this.#house,
        note,
        container: openContainer(note.format, wish.sampleRateHz, serial),
        sealing: isSealed ? new Sealing(key!, note.id) : undefined,
        failed: (reason) => {
          this.stats.failedByReason[reason]++;
          this.#options.log.error({ recording_id: note.id, reason }, 'a recording broke off');
          failed(reason);
        },
      });
      this.stats.opened++;
      return this.#watched(tape);
    } catch (error) {
      this.stats.refused++;
      return refuse('unavailable', messageOf(error));
    }
  }

  isWanted(facts: CallFacts): boolean {
    return this.#options.isWanted(facts);
  }

  urlOf(recordingId: string): string {
    return `${this.#options.url}/${recordingId}/content`;
  }

  /** When everything that is finishing is on the disk. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#finishing);
  }

  #watched(tape: FileTape): Tape {
    return {
      format: tape.format,
      write: (left, right) => tape.write(left, right),
      finish: (lostFrames) => {
        this.stats.lostFrames += lostFrames;
        const finishing = tape.finish().then((end: TapeEnd | undefined) => {
          if (end !== undefined) this.stats.finished++;
          return end;
        });
        this.#finishing.add(finishing);
        void finishing.finally(() => this.#finishing.delete(finishing));
        return finishing;
      },
    };
  }

  #noteOf({ recordingId, facts, sampleRateHz, startedAt }: TapeWish): RecordingNote {
    const { format, isSealed, keys } = this.#options;
    const plain = sampleRateHz === 8000 ? 'wav_g711' : 'wav_l16';
    return {
      id: recordingId,
      call_id: facts.id,
      workspace_id: facts.workspaceId,
      test_mode: facts.testMode,
      format: format === 'wav' ? plain : format,
      sample_rate_hz: sampleRateHz,
      key_id: isSealed ? (keys[0]?.id ?? null) : null,
      started_at: startedAt,
      state: 'open',
      duration_ms: 0,
      bytes: 0,
      sha256: null,
      reason: null,
    };
  }
}
