import type { AgentStore } from '../../api/agents/agent-desk.ts';
import type { PostCallDesk, ToldSegment, TranscriptPage } from '../../api/post-call/post-call-desk.ts';
import type { RecordingDesk, StoredRecording } from '../../api/recordings/recording-desk.ts';
import type { Clock } from '../../base/clock.ts';
import { VoiceError } from '../../base/errors.ts';
import { textOf } from '../../base/json.ts';
import type { Closeable } from '../../base/lifetime.ts';
import type { AskResult, SumUpAsk } from '../../events/asks.ts';
import type { CallView } from '../../events/call-view.ts';
import type { CommittedEvent, Journal, JournalEntry } from '../../events/journal.ts';
import type { AnalyserWire } from '../../records/post-call/analyser.ts';
import { AnalysisRunner } from '../../records/post-call/analysis-runner.ts';
import type { AnalysisWork } from '../../records/post-call/analysis-store.ts';
import { SummaryDesk } from '../../records/post-call/summary/summary-desk.ts';
import { segmentOf } from '../../records/post-call/transcript.ts';

/** A call has at most so many recordings: more than a page of them would be a defect of ours. */
const RECORDINGS_MAX = 200;
/** Ranking is quadratic: forty sentences take a tenth of what a whole call does. */
const BRIEFING_SENTENCES_MAX = 40;
const BRIEFING_WITHIN_MS = 1_000;

export interface HostPostCallOptions {
  readonly store: {
    readonly analyses: AnalysisWork;
    readonly erasure: { erase(callId: string, at: string): Promise<void> };
    readonly journal: Pick<Journal, 'read'>;
    readonly agents: Pick<AgentStore, 'get'>;
  };
  readonly recordings: Pick<RecordingDesk, 'list' | 'remove'>;
  /** Absent where nobody is asked. */
  readonly analyser?: (AnalyserWire & Closeable) | undefined;
  readonly publicUrl: string;
  /** Tells everybody of events, in the very turn of their commit. */
  readonly announce: (events: readonly CommittedEvent[]) => void;
  readonly clock: Clock;
  readonly log: { warn(fields: object, sentence: string): void };
}

/** What happens to calls when they are over: they are analysed, read, and erased. */
export class HostPostCall implements PostCallDesk, Closeable {
  readonly summaries: SummaryDesk;
  /** Apart from those: somebody waits for what a call was about while it runs. */
  readonly briefings: SummaryDesk;
  readonly runner: AnalysisRunner;
  readonly #options: HostPostCallOptions;

  constructor(options: HostPostCallOptions) {
    const { store, analyser, publicUrl, announce, clock, log } = options;
    this.#options = options;
    this.summaries = new SummaryDesk({ clock });
    this.briefings = new SummaryDesk({
      clock,
      withinMs: BRIEFING_WITHIN_MS,
      sentencesMax: BRIEFING_SENTENCES_MAX,
      stats: this.summaries.stats,
    });
    this.runner = new AnalysisRunner({
      work: store.analyses,
      summarizer: this.summaries,
      analyser,
      languageOf: (call) => this.#languageOf(call),
      publicUrl,
      announce,
      clock,
      log,
    });
  }

  /** Begins with what an earlier life left undone. */
  wake(): void {
    this.runner.wake();
  }

  committed(events: readonly CommittedEvent[]): void {
    if (events.some(({ envelope }) => envelope.type === 'call_completed')) this.runner.wake();
    // A call that is written down may be handed over: then nobody waits for a thread to start.
    if (events.some(({ envelope }) => envelope.type === 'transcript_segment')) this.briefings.warm();
  }

  /** What a call was about so far, for whoever it is handed over to. */
  async sumUp({ segments }: SumUpAsk): Promise<AskResult> {
    return { ok: true, value: { summary: await this.briefings.summaryOf(segments) } };
  }

  async transcript(
    call: CallView,
    { cursor, limit }: { cursor: string | undefined; limit: number },
  ): Promise<TranscriptPage> {
    const entries = await this.#options.store.journal.read({
      workspaceId: call.workspace_id,
      resourceId: call.id,
      types: ['transcript_segment'],
      after: Number(cursor ?? 0),
      limit: limit + 1,
    });
    const shown = entries.slice(0, limit);
    const last = shown.at(-1);
    const isMore = entries.length > limit && last !== undefined;
    return { segments: shown.map(toldSegment), nextCursor: isMore ? String(last.position) : null };
  }

  async erase(call: CallView): Promise<void> {
    const { store, recordings, clock } = this.#options;
    const kept = await this.#recordingsOf(call);
    if (kept.some(({ state }) => state === 'recording')) {
      throw new VoiceError('failed_precondition', 'one of its recordings is still being written');
    }
    for (const recording of kept) await recordings.remove(recording);
    await store.erasure.erase(call.id, new Date(clock.unixMs()).toISOString());
  }

  async close(): Promise<void> {
    await this.runner.close();
    await this.summaries.close();
    await this.briefings.close();
    await this.#options.analyser?.close();
  }

  async #recordingsOf(call: CallView): Promise<readonly StoredRecording[]> {
    const { items } = await this.#options.recordings.list({
      workspaceId: call.workspace_id,
      testMode: call.test_mode,
      callId: call.id,
      limit: RECORDINGS_MAX,
      page: 1,
    });
    return items;
  }

  /** A test call may be answered by an agent that is not of test mode; never the other way round. */
  async #languageOf({ workspace_id: workspaceId, test_mode, head }: CallView): Promise<string | null> {
    const { agent_id: id } = head;
    if (id === null) return null;
    const find = (testMode: boolean) => this.#options.store.agents.get({ workspaceId, testMode }, id);
    const agent = (await find(test_mode)) ?? (test_mode ? await find(false) : undefined);
    return agent?.published?.language ?? null;
  }
}

function toldSegment({ envelope: { sequence, created_at: at, data } }: JournalEntry): ToldSegment {
  return { ...segmentOf(data), sequence, at, legId: textOf(data['leg_id']) ?? null };
}
