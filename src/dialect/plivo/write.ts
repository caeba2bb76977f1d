import type { LegStarted } from '../dialect.ts';
import { MediaWriter } from '../json-media/stream/media-writer.ts';

/** How look-alikes differ in what they are told. */
export interface PlivoManners {
  /** `playAudio` names its stream. */
  readonly namesStream: boolean;
  /** It is told `stop` before the socket is closed. */
  readonly saysStop: boolean;
}

/** What we say to Plivo on one stream. */
export function openPlivoWriter(started: LegStarted, manners: PlivoManners): MediaWriter {
  const { outbound, bidirectional } = started;
  const streamId = started.providerStreamId ?? '';
  const contentType = outbound.codec === 'l16' ? 'audio/x-l16' : 'audio/x-mulaw';
  return new MediaWriter({
    bidirectional,
    audio: [
      `{"event":"playAudio","media":{"contentType":"${contentType}",` +
        `"sampleRate":${outbound.sampleRateHz},"payload":"`,
      manners.namesStream ? `"},"streamId":${JSON.stringify(streamId)}}` : '"}}',
    ],
    mark: (name) => ({ event: 'checkpoint', streamId, name }),
    clear: { event: 'clearAudio', streamId },
    ...(manners.saysStop ? { end: { event: 'stop', streamId } } : {}),
  });
}
