/** What the limits of calls held back, in all calls of a node together. */
export interface CallCounts {
  /** Frames of live voices that came too fast to be mixed. */
  unmixedFrames: number;
  /** Segments of the talk that the target of a handover was not shown. */
  untoldSegments: number;
  /** Of those it was, the ones that did not go with the handover to the call's next owner. */
  unkeptSegments: number;
  /** Handovers whose target was told of no summary, because nobody made one in time. */
  missingSummaries: number;
  /** Handovers of which members of a queue were shown less than there was. */
  shortenedOffers: number;
  /** Items of agents that were forgotten before they were heard. */
  forgottenItems: number;
  /** Marks nobody is told of. */
  forgottenMarks: number;
  /** Events that have no place in the timeline of their call. */
  untimedEvents: number;
  /** Segments of long transcripts, and members of calls that many have left: what `call_completed` lacks. */
  forgottenSegments: number;
  forgottenMembers: number;
}

export function newCallCounts(): CallCounts {
  return {
    unmixedFrames: 0,
    untoldSegments: 0,
    unkeptSegments: 0,
    missingSummaries: 0,
    shortenedOffers: 0,
    forgottenItems: 0,
    forgottenMarks: 0,
    untimedEvents: 0,
    forgottenSegments: 0,
    forgottenMembers: 0,
  };
}
