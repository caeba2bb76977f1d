import type { PostCallDesk, ToldSegment, TranscriptPage } from '../../src/api/post-call/post-call-desk.ts';
import type { CallView } from '../../src/events/call-view.ts';

/** Transcripts in memory, and a list of what was erased. */
export class FakePostCall implements PostCallDesk {
  readonly segments: ToldSegment[] = [];
  readonly erased: string[] = [];

  async transcript(
    _call: CallView,
    { cursor, limit }: { cursor: string | undefined; limit: number },
  ): Promise<TranscriptPage> {
    const after = this.segments.filter(({ sequence }) => sequence > Number(cursor ?? 0));
    const segments = after.slice(0, limit);
    const isMore = after.length > limit;
    return { segments, nextCursor: isMore ? String(segments.at(-1)!.sequence) : null };
  }

  async erase({ id }: CallView): Promise<void> {
    this.erased.push(id);
  }
}
