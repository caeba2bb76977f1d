import { open } from 'node:fs/promises';
import { endOfOgg, markedLast } from './ogg-end.ts';
import { soundPathOf, writeNote, type RecordingNote } from './recording-note.ts';
import type { RingKey } from './sealing.ts';
import { headerOf, sampleBytesOf, wavDurationMs } from './sound-container.ts';
import { SoundFile } from './sound-file.ts';

/** What becomes of a recording: it is whole, or it broke off and why. */
export type Settling =
  | { readonly state: 'ready'; readonly reason: 'interrupted' | null }
  | { readonly state: 'failed'; readonly reason: string };

/**
 * Brings the sound of a recording to an end that every player understands, however it ended, and writes down
 * how long and how large it is. Nothing may be writing to it.
 */
export async function settleRecording(
  directory: string,
  note: RecordingNote,
  keys: readonly RingKey[],
  settling: Settling,
): Promise<RecordingNote> {
  const durationMs = await mend(directory, note, keys);
  const sound = await SoundFile.open(directory, note, keys);
  try {
    const { bytes } = sound;
    const settled = { ...note, ...settling, duration_ms: durationMs, bytes, sha256: await sound.sha256() };
    await writeNote(directory, settled);
    return settled;
  } finally {
    await sound.close();
  }
}

/** Cuts off what is not whole, and sets the sizes right; how long the sound is. */
async function mend(directory: string, note: RecordingNote, keys: readonly RingKey[]): Promise<number> {
  const sound = await SoundFile.open(directory, note, keys);
  try {
    const headerBytes = headerOf(note.format, note.sample_rate_hz, 0)?.length ?? 0;
    if (note.format === 'ogg_opus') return await mendOgg(directory, note, sound);
    const sampleBytes = sampleBytesOf(note.format);
    const dataBytes = Math.max(0, sound.bytes - headerBytes);
    const whole = dataBytes - (dataBytes % sampleBytes);
    await mendWav(directory, note, sound, whole);
    return wavDurationMs(note.format, note.sample_rate_hz, whole);
  } finally {
    await sound.close();
  }
}

async function mendWav(
  directory: string,
  note: RecordingNote,
  sound: SoundFile,
  dataBytes: number,
): Promise<void> {
  const file = await open(soundPathOf(directory, note), 'r+');
  try {
    if (note.key_id !== null) return await file.truncate(sound.wholeBytes);
    const header = headerOf(note.format, note.sample_rate_hz, dataBytes)!;
    await file.truncate(header.length + dataBytes);
    await file.write(header, 0, header.length, 0);
    await file.datasync();
  } finally {
    await file.close();
  }
}

async function mendOgg(directory: string, note: RecordingNote, sound: SoundFile): Promise<number> {
  const { bytes, durationMs, lastPage } = await endOfOgg(sound.pieces(0, sound.bytes));
  const file = await open(soundPathOf(directory, note), 'r+');
  try {
    // Sealed blocks hold whole pages, and stay as they are: a page that is not marked as the last is one all
    // the same.
    if (note.key_id !== null) await file.truncate(sound.wholeBytes);
    else {
      await file.truncate(bytes);
      if (lastPage !== undefined) {
        const page = markedLast(lastPage.page);
        await file.write(page, 0, page.length, lastPage.at);
      }
      await file.datasync();
    }
    return durationMs;
  } finally {
    await file.close();
  }
}
