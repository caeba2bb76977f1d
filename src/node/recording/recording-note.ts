import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isObject, parseObject } from '../../base/json.ts';
import type { RecordingFormat } from '../../call/recording/tape.ts';

/** What lies beside the sound of a recording: enough to repair it and to tell of it when its node is gone. */
export interface RecordingNote {
  readonly id: string;
  readonly call_id: string;
  readonly workspace_id: string;
  readonly test_mode: boolean;
  readonly format: RecordingFormat;
  readonly sample_rate_hz: number;
  /** Key of the ring that seals the sound; null where it lies open. */
  readonly key_id: string | null;
  readonly started_at: string;
  /** `open`: it is being written, or its writer died. */
  readonly state: 'open' | 'ready' | 'failed';
  readonly duration_ms: number;
  /** Of the file as it is downloaded. */
  readonly bytes: number;
  readonly sha256: string | null;
  /** Why it broke off; `interrupted` where its writer died. */
  readonly reason: string | null;
}

const NOTE = '.json';
const ID = /^rec_[0-9A-Z]{26}$/;
const PRIVATE_DIR = 0o700;
const PRIVATE_FILE = 0o600;

/** Whether this is the id of a recording, and so the name of a file. */
function isRecordingId(id: string): boolean {
  return ID.test(id);
}

export type PlaceOfRecording = Pick<RecordingNote, 'id'>;

/** Where the sound of a recording lies. */
export function soundPathOf(directory: string, { id }: PlaceOfRecording): string {
  return join(folderOf(directory, id), `${id}.sound`);
}

/** Ids begin with their time: five characters of it are nine hours, which keeps folders small. */
function folderOf(directory: string, id: string): string {
  return join(directory, id.slice('rec_'.length, 'rec_'.length + 5));
}

/** Replaces the note whole: a reader sees the old one or the new one. */
export async function writeNote(directory: string, note: RecordingNote): Promise<void> {
  const folder = folderOf(directory, note.id);
  await mkdir(folder, { recursive: true, mode: PRIVATE_DIR });
  const path = join(folder, `${note.id}${NOTE}`);
  const fresh = `${path}.new`;
  const file = await open(fresh, 'w', PRIVATE_FILE);
  try {
    await file.writeFile(`${JSON.stringify(note)}\n`);
    await file.datasync();
  } finally {
    await file.close();
  }
  await rename(fresh, path);
}

/** The note, or undefined where there is none that can be read. */
export async function readNote(
  directory: string,
  place: PlaceOfRecording,
): Promise<RecordingNote | undefined> {
  return readNoteAt(join(folderOf(directory, place.id), `${place.id}${NOTE}`));
}

/** Every note there is, a folder at a time. */
export async function* notesIn(directory: string): AsyncGenerator<RecordingNote> {
  for (const day of await namesIn(directory)) {
    for (const name of await namesIn(join(directory, day))) {
      if (!name.endsWith(NOTE)) continue;
      const note = await readNoteAt(join(directory, day, name));
      if (note !== undefined) yield note;
    }
  }
}

/** Sound first: a note without sound is found again, sound without a note never. */
export async function removeRecording(directory: string, place: PlaceOfRecording): Promise<void> {
  await rm(soundPathOf(directory, place), { force: true });
  await rm(join(folderOf(directory, place.id), `${place.id}${NOTE}`), { force: true });
}

async function readNoteAt(path: string): Promise<RecordingNote | undefined> {
  try {
    const note = parseObject(await readFile(path));
    const isNote = isObject(note) && typeof note['id'] === 'string' && isRecordingId(note['id']);
    return isNote ? (note as unknown as RecordingNote) : undefined;
  } catch {
    // Gone meanwhile, or half a note of a machine that lost power: there is nothing to tell of it.
    return undefined;
  }
}

async function namesIn(directory: string): Promise<readonly string[]> {
  try {
    return (await readdir(directory)).toSorted();
  } catch {
    // Not there, or no folder: nothing was recorded there.
    return [];
  }
}
