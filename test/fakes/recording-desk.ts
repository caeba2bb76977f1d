import type { Page } from '../../src/api/ports.ts';
import type {
  RecordedSound,
  RecordingDesk,
  RecordingQuery,
  StoredRecording,
} from '../../src/api/recordings/recording-desk.ts';

/** Recordings in memory. */
export class FakeRecordings implements RecordingDesk {
  readonly all: StoredRecording[] = [];
  sound = Buffer.from('RIFF, and so on to the end');
  openFiles = 0;

  async get(
    place: Pick<RecordingQuery, 'workspaceId' | 'testMode'>,
    id: string,
  ): Promise<StoredRecording | undefined> {
    return this.#seenFrom(place).find((one) => one.id === id);
  }

  async list(query: RecordingQuery): Promise<Page<StoredRecording>> {
    const items = this.#seenFrom(query).filter(({ callId }) => callId === (query.callId ?? callId));
    return { items, total: items.length, nextCursor: null };
  }

  async open(): Promise<RecordedSound> {
    const { sound } = this;
    this.openFiles++;
    const close = async (): Promise<void> => void this.openFiles--;
    return {
      bytes: sound.length,
      read: async function* (from, to) {
        try {
          yield sound.subarray(from, to);
        } finally {
          await close();
        }
      },
      close,
    };
  }

  async remove({ id }: StoredRecording): Promise<void> {
    this.all.splice(
      this.all.findIndex((one) => one.id === id),
      1,
    );
  }

  #seenFrom({ workspaceId, testMode }: Pick<RecordingQuery, 'workspaceId' | 'testMode'>): StoredRecording[] {
    return this.all.filter((one) => one.workspaceId === workspaceId && one.testMode === testMode);
  }
}
