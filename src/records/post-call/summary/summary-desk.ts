import type { Clock } from '../../../base/clock.ts';
import type { Closeable } from '../../../base/lifetime.ts';
import { JobThread } from '../../job-thread.ts';
import type { TranscriptSegment } from '../../../events/call-commands/transcript.ts';
import { SENTENCES_MAX, sentencesOf, type Sentence } from './sentences.ts';
import type { SummaryJob, SummaryReply } from './summary-worker.ts';

/** What a call was about, and who says so. */
export interface Summary {
  readonly method: 'lexrank' | 'http';
  readonly text: string;
}

export interface SummaryDeskOptions {
  readonly clock: Pick<Clock, 'after'>;
  readonly withinMs?: number;
  /** Of a longer call so many sentences are ranked, from everywhere in it. */
  readonly sentencesMax?: number;
  /** What several desks count together. */
  readonly stats?: { overruns: number; crashes: number };
}

const HEAP_MB = 64;
const WITHIN_MS = 5_000;
const PICKED_MAX = 5;
const TEXT_CHARACTERS_MAX = 1_000;

/** Sums calls up in their own words: the sentences most like all others (LexRank), picked in a thread. */
export class SummaryDesk implements Closeable {
  readonly stats: { overruns: number; crashes: number };
  readonly #thread: JobThread<SummaryJob, SummaryReply>;
  readonly #withinMs: number;
  readonly #sentencesMax: number;
  #last: Promise<unknown> = Promise.resolve();

  constructor({ clock, withinMs = WITHIN_MS, sentencesMax = SENTENCES_MAX, stats }: SummaryDeskOptions) {
    this.stats = stats ?? { overruns: 0, crashes: 0 };
    const module = new URL('./summary-worker.ts', import.meta.url);
    this.#thread = new JobThread({ clock, module, heapMb: HEAP_MB });
    this.#withinMs = withinMs;
    this.#sentencesMax = sentencesMax;
  }

  /** Null where nothing was said that could sum a call up, or the thread came to no end. */
  async summaryOf(segments: readonly TranscriptSegment[]): Promise<Summary | null> {
    const sentences = sentencesOf(segments, this.#sentencesMax);
    if (sentences.length === 0) return null;
    if (sentences.length <= PICKED_MAX) return { method: 'lexrank', text: textOf(sentences) };
    const job = { lines: sentences.map(({ text }) => text) };
    // The thread takes one at a time.
    const running = this.#last.then(() => this.#thread.run(job, this.#withinMs));
    this.#last = running;
    const reply = await running;
    if (typeof reply === 'object')
      return { method: 'lexrank', text: textOf(picked(sentences, reply.weights)) };
    this.stats[reply === 'overran' ? 'overruns' : 'crashes']++;
    return null;
  }

  /** Somebody will soon want a summary, and not wait for a thread to start. */
  warm(): void {
    this.#thread.warm();
  }

  close(): Promise<void> {
    return this.#thread.close();
  }
}

/** The heaviest, in the order they were said. */
function picked(sentences: readonly Sentence[], weights: readonly number[]): readonly Sentence[] {
  const byWeight = sentences.map((_, index) => index).sort((a, b) => weights[b]! - weights[a]! || a - b);
  const chosen = new Set<string>();
  const kept = byWeight.filter((index) => {
    const { text } = sentences[index]!;
    if (chosen.size === PICKED_MAX || chosen.has(text)) return false;
    chosen.add(text);
    return true;
  });
  return kept.sort((a, b) => a - b).map((index) => sentences[index]!);
}

function textOf(sentences: readonly Sentence[]): string {
  let text = '';
  for (const { speaker, text: said } of sentences) {
    const line = `${speaker}: ${said}`;
    const longer = text === '' ? line : `${text}\n${line}`;
    if (longer.length > TEXT_CHARACTERS_MAX && text !== '') break;
    text = longer.slice(0, TEXT_CHARACTERS_MAX);
  }
  return text;
}
