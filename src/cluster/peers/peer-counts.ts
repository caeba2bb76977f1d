/** What the peer links of a node count together, for `/metrics`. */
export class PeerCounts {
  /** Dials that ended without a link. */
  failedDials = 0;
  /** Connections whose TLS or greeting did not prove the shared secret, or came too late. */
  strangers = 0;
  /** Links ended because what came was none of ours. */
  malformed = 0;
  /** Links ended because the peer stopped reading. */
  stalled = 0;
  /** Connections turned away: there are too many. */
  turnedAway = 0;
  /** Questions not even asked: too many wait, or the link is not open. */
  refusedQuestions = 0;
  /** Questions asked and not answered in time. */
  unansweredQuestions = 0;
  /** Frames not sent: the peer reads too slowly. */
  droppedFrames = 0;
}
