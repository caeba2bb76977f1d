import type { Clock } from '../../base/clock.ts';
import { messageOf } from '../../base/errors.ts';
import type { Closeable } from '../../base/lifetime.ts';
import { WokenRounds } from '../../base/woken-rounds.ts';
import type { CallView } from '../../events/call-view.ts';
import type { CommittedEvent } from '../../events/journal.ts';
import { questionOf, verdictOf, type AnalyserVerdict, type AnalyserWire } from './analyser.ts';
import { analysed, spokenIn, UNHEARD, type Analysis, type Summarizer } from './analysis.ts';
import { analysisEvents } from './analysis-events.ts';
import type { AnalysisWork, CallMaterial, CompletedCall } from './analysis-store.ts';
import { transcriptOf, type Transcript } from './transcript.ts';

export interface AnalysisRunnerOptions {
  readonly work: AnalysisWork;
  readonly summarizer: Summarizer;
  /** Absent where nobody is asked. */
  readonly analyser?: AnalyserWire | undefined;
  /** What the agent of a call speaks; null where nobody has said. */
  readonly languageOf: (call: CallView) => Promise<string | null>;
  readonly publicUrl: string;
  /** Tells everybody of what was committed, in the very turn of the commit. */
  readonly announce: (events: readonly CommittedEvent[]) => void;
  readonly clock: Clock;
  readonly log: { warn(fields: object, sentence: string): void };
}

/** An analyser that failed is asked again so much later; then we do without it. */
const RETRY_DELAYS_MS = [5_000, 30_000, 120_000];
/** Longer than an analyser and a summary may take: whoever has not told by then is gone. */
const CLAIMED_MS = 30_000;
const AT_ONCE = 4;
const PAGE = 500;
/** Calls of which is known that they wait; the journal knows the others. */
const WAITING_MAX = 2_000;
const LOOK_AGAIN_MS = 5_000;
/** Calls of hosts that are gone are told by those who share the store with them. */
const LOOK_FOR_OTHERS_MS = 60_000;
const SLEEP_MS_MIN = 20;

/** A call that waits for its turn, or for its analyser. */
interface Waiting extends CompletedCall {
  readonly tries: number;
  readonly dueUnixMs: number;
}

/**
 * Tells what calls were like, once each. What is still to be told follows from the journal, so a crash at any
 * moment leaves it where it was.
 */
export class AnalysisRunner implements Closeable {
  readonly stats = { told: 0, retries: 0, gaveUp: 0, failures: 0, cutTranscripts: 0, held: 0 };
  readonly #options: AnalysisRunnerOptions;
  readonly #rounds: WokenRounds;
  readonly #waiting = new Map<string, Waiting>();
  /** Up to here the journal was looked through; undefined before the first look. */
  #seenUpTo: number | undefined;
  #movedTo = 0;

  constructor(options: AnalysisRunnerOptions) {
    this.#options = options;
    this.#rounds = new WokenRounds({
      clock: options.clock,
      round: () => this.#round(),
      failed: (error) => this.#failed(error, {}),
      retryMs: LOOK_AGAIN_MS,
    });
  }

  /** A call was completed, or may have been. */
  wake(): void {
    this.#rounds.wake();
  }

  /** What is under way is finished; what is not begun stays in the journal. */
  close(): Promise<void> {
    return this.#rounds.close();
  }

  async #round(): Promise<number> {
    const isMore = await this.#look();
    await this.#takeAll();
    await this.#moveCursor();
    return isMore ? 0 : this.#restMs();
  }

  /** Whether there may be more in the journal than one look finds. */
  async #look(): Promise<boolean> {
    const { work, clock } = this.#options;
    this.#seenUpTo ??= this.#movedTo = await work.cursor();
    if (this.#waiting.size >= WAITING_MAX) {
      this.stats.held++;
      return false;
    }
    const { calls, upTo } = await work.completedAfter(this.#seenUpTo, PAGE);
    const dueUnixMs = clock.unixMs();
    for (const call of calls) this.#waiting.set(call.callId, { ...call, tries: 0, dueUnixMs });
    this.#seenUpTo = upTo;
    return calls.length === PAGE;
  }

  /** A few beside each other: one that waits for its analyser holds up no other. */
  async #takeAll(): Promise<void> {
    const nowUnixMs = this.#options.clock.unixMs();
    const due = [...this.#waiting.values()].filter(({ dueUnixMs }) => dueUnixMs <= nowUnixMs);
    const hands = Array.from({ length: AT_ONCE }, async () => {
      for (let next = due.shift(); next !== undefined; next = due.shift()) {
        if (this.#rounds.isClosed) return;
        await this.#take(next);
      }
    });
    await Promise.all(hands);
  }

  async #moveCursor(): Promise<void> {
    const positions = [...this.#waiting.values()].map(({ position }) => position - 1);
    const told = Math.min(this.#seenUpTo ?? 0, ...positions);
    if (told <= this.#movedTo) return;
    await this.#options.work.moveTo(told);
    this.#movedTo = told;
  }

  #restMs(): number {
    const { clock } = this.#options;
    const nextUnixMs = Math.min(...[...this.#waiting.values()].map(({ dueUnixMs }) => dueUnixMs));
    return Math.min(Math.max(SLEEP_MS_MIN, nextUnixMs - clock.unixMs()), LOOK_FOR_OTHERS_MS);
  }

  async #take(one: Waiting): Promise<void> {
    const { work, clock } = this.#options;
    const nowUnixMs = clock.unixMs();
    try {
      const claim = await work.claim(one.callId, nowUnixMs, nowUnixMs + CLAIMED_MS);
      if (claim === 'told') return void this.#waiting.delete(one.callId);
      if (claim === 'taken') return this.#later(one, CLAIMED_MS);
      // Erased while it was looked at: once more, and then there is nothing left of it to look at.
      for (let isDone = false; !isDone;) isDone = await this.#analyse(one);
    } catch (error) {
      this.#failed(error, { call_id: one.callId });
      this.#later(one, CLAIMED_MS);
    }
  }

  #later(one: Waiting, delayMs: number): void {
    this.#waiting.set(one.callId, { ...one, dueUnixMs: this.#options.clock.unixMs() + delayMs });
  }

  /** False where the call has changed meanwhile. */
  async #analyse(one: Waiting): Promise<boolean> {
    const { work, announce, publicUrl, clock } = this.#options;
    const material = await work.materialOf(one.callId);
    if (material === undefined) return this.#waiting.delete(one.callId);
    const isErased = material.call.erased_at !== undefined;
    const transcript = transcriptOf(isErased ? [] : material.envelopes);
    if (transcript.isCut) this.stats.cutTranscripts++;
    const analysis = await this.#analysisOf(material, transcript, one.tries);
    if (analysis === 'later') {
      this.#later({ ...one, tries: one.tries + 1 }, RETRY_DELAYS_MS[one.tries]!);
      return true;
    }
    const telling = { material, transcript, analysis, publicUrl, clock };
    const told = await work.tell(material, (lastSequence) => analysisEvents(telling, lastSequence));
    if (told.type === 'changed') return false;
    this.#waiting.delete(one.callId);
    if (told.events.length > 0) this.stats.told++;
    announce(told.events);
    return true;
  }

  async #analysisOf(
    { call }: CallMaterial,
    transcript: Transcript,
    tries: number,
  ): Promise<Analysis | 'later'> {
    if (transcript.segments.length === 0) return UNHEARD;
    const { summarizer, languageOf } = this.#options;
    const language = spokenIn(transcript, await languageOf(call));
    const verdict = await this.#ask(call, transcript, language);
    if (verdict?.type === 'failed') {
      if (!verdict.isFinal && tries < RETRY_DELAYS_MS.length) {
        this.stats.retries++;
        return 'later';
      }
      this.stats.gaveUp++;
    }
    return analysed(transcript, { language, verdict, attempts: tries + 1, summarizer });
  }

  async #ask(
    call: CallView,
    transcript: Transcript,
    language: string | null,
  ): Promise<AnalyserVerdict | undefined> {
    const { analyser } = this.#options;
    if (analyser === undefined) return undefined;
    return verdictOf(await analyser.ask(questionOf(call, transcript, language), call.id));
  }

  #failed(error: unknown, fields: object): void {
    this.stats.failures++;
    this.#options.log.warn({ ...fields, error: messageOf(error) }, 'a call could not be analysed');
  }
}
