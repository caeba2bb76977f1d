import type { AtMs } from '../../base/clock.ts';
import type { CallCommand } from '../../events/call-commands.ts';
import type { CallDesk } from '../call-desk.ts';
import { done, type Asker, type Outcome } from './outcome.ts';

type Of<N extends CallCommand['name']> = Extract<CallCommand, { name: N }>;

/** What became of the call, in the words of whoever says so; the last one stands. */
export function setDisposition(
  desk: CallDesk,
  { disposition, by }: Of<'set_disposition'>,
  _: Asker,
  nowMs: AtMs,
): Outcome {
  desk.notes.disposition = { disposition, by };
  desk.emit('disposition_set', { disposition, by }, nowMs);
  return done({ disposition, by });
}

/** A score for the caller; told when it passes its threshold, and again only after it had fallen below. */
export function qualify(
  desk: CallDesk,
  { score, threshold, criteria }: Of<'qualify'>,
  _: Asker,
  nowMs: AtMs,
): Outcome {
  const wasMet = desk.notes.qualification?.isMet === true;
  const isMet = threshold === null ? null : score >= threshold;
  desk.notes.qualification = { score, threshold, criteria, isMet };
  if (isMet === true && !wasMet) desk.emit('qualification_met', { score, threshold, criteria }, nowMs);
  return done({ score, threshold, met: isMet });
}

/** What was said, as somebody else heard it. */
export function addTranscript(
  desk: CallDesk,
  { segments }: Of<'add_transcript'>,
  _: Asker,
  nowMs: AtMs,
): Outcome {
  for (const segment of segments) {
    desk.notes.addSegment(segment);
    desk.emit('transcript_segment', { ...segment }, nowMs);
  }
  return done({ segments: segments.length });
}
