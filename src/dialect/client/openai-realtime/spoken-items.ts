import { frameBytes, type AudioFormat } from '../../../media/format.ts';
import { FRAME_MS } from '../../../base/units.ts';
import { isWord } from '../../json-media/scalars.ts';
import type { Place } from './delta-scan.ts';

/** Items whose length is remembered: an interruption is about the latest. */
const ITEMS_MAX = 32;
const RESPONSES_MAX = 8;

interface SpokenItem {
  readonly id: string;
  readonly bytes: Uint8Array;
  audioBytes: number;
}

/**
 * What the agent has sent of each item, so that no more is cut off than there is, and which responses nobody
 * wants to hear any more. Counting a delta makes no string.
 */
export class SpokenItems {
  readonly stats = { droppedDeltas: 0 };
  readonly #bytesPerMs: number;
  #items: SpokenItem[] = [];
  #unwanted: Uint8Array[] = [];

  constructor(format: AudioFormat) {
    this.#bytesPerMs = frameBytes(format) / FRAME_MS;
  }

  /** The item spoken last, or null before the first. */
  get latestId(): string | null {
    return this.#items.at(-1)?.id ?? null;
  }

  /** False when the audio belongs to a response that was cut short: it is dropped. */
  takeDelta(message: Uint8Array, item: Place, response: Place, audioBytes: number): boolean {
    for (let i = 0; i < this.#unwanted.length; i++) {
      if (!isWord(message, response.start, response.end, this.#unwanted[i]!)) continue;
      this.stats.droppedDeltas++;
      return false;
    }
    if (item.start >= 0) this.#itemAt(message, item).audioBytes += audioBytes;
    return true;
  }

  /** Milliseconds of audio that came for an item; undefined where it is not known. */
  sentMs(itemId: string): number | undefined {
    const item = this.#items.find(({ id }) => id === itemId);
    return item === undefined ? undefined : Math.floor(item.audioBytes / this.#bytesPerMs);
  }

  /** Whatever still comes of this response is late. */
  drop(responseId: string): void {
    if (this.#unwanted.some((id) => Buffer.compare(id, Buffer.from(responseId)) === 0)) return;
    this.#unwanted.push(Buffer.from(responseId));
    if (this.#unwanted.length > RESPONSES_MAX) this.#unwanted.shift();
  }

  #itemAt(message: Uint8Array, { start, end }: Place): SpokenItem {
    for (let i = this.#items.length - 1; i >= 0; i--) {
      if (isWord(message, start, end, this.#items[i]!.bytes)) return this.#items[i]!;
    }
    const bytes = Uint8Array.from(message.subarray(start, end));
    const item = { id: Buffer.from(bytes).toString(), bytes, audioBytes: 0 };
    this.#items.push(item);
    if (this.#items.length > ITEMS_MAX) this.#items.shift();
    return item;
  }
}
