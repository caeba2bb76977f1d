import type { CallView } from '../../events/call-view.ts';
import type { TranscriptSegment } from '../../events/call-commands/transcript.ts';
import { readAnswer, type AnalyserAnswer } from './analyser-answer.ts';
import type { Transcript } from './transcript.ts';

/** What came back of one request. */
export type AnalyserReply =
  | { readonly type: 'answer'; readonly status: number; readonly body: string; readonly isWhole: boolean }
  /** No whole answer came; `detail` is a short stable word. */
  | { readonly type: 'lost'; readonly detail: 'timeout' | 'unreachable' }
  /** It may not be reached at all. */
  | { readonly type: 'blocked' };

/** Sends a body to the analyser, within the time it is given. Never throws. */
export interface AnalyserWire {
  ask(body: string, id: string): Promise<AnalyserReply>;
}

/** What is to be made of a reply. */
export type AnalyserVerdict =
  | { readonly type: 'answered'; readonly answer: AnalyserAnswer }
  | { readonly type: 'failed'; readonly error: string; readonly isFinal: boolean };

/** Larger transcripts are sent from their beginning on, as far as they fit. */
const CHARACTERS_MAX = 200_000;
const RETRYABLE = [408, 425, 429];

/** What the analyser is asked: who spoke with whom, and what was said. */
export function questionOf(call: CallView, { segments, isCut }: Transcript, language: string | null): string {
  const { agent_id, direction, started_at } = call.head;
  const kept = withinLimit(segments);
  return JSON.stringify({
    call_id: call.id,
    workspace_id: call.workspace_id,
    test_mode: call.test_mode,
    agent_id,
    direction,
    started_at,
    ended_at: call.ended_at,
    language,
    transcript: { segments: kept, is_cut: isCut || kept.length < segments.length },
  });
}

/** Reads a reply: what is worth another try, and what is an answer. */
export function verdictOf(reply: AnalyserReply): AnalyserVerdict {
  if (reply.type === 'blocked') return { type: 'failed', error: 'blocked', isFinal: true };
  if (reply.type === 'lost') return { type: 'failed', error: reply.detail, isFinal: false };
  const { status, body, isWhole } = reply;
  if (status < 200 || status > 299) {
    return { type: 'failed', error: `http_${status}`, isFinal: status < 500 && !RETRYABLE.includes(status) };
  }
  if (!isWhole) return { type: 'failed', error: 'too_large', isFinal: true };
  const answer = readAnswer(body);
  if (answer === undefined) return { type: 'failed', error: 'invalid_answer', isFinal: true };
  return { type: 'answered', answer };
}

function withinLimit(segments: readonly TranscriptSegment[]): readonly TranscriptSegment[] {
  let characters = 0;
  const end = segments.findIndex(({ text }) => (characters += text.length) > CHARACTERS_MAX);
  return end === -1 ? segments : segments.slice(0, end);
}
