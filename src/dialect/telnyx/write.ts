import type { LegStarted } from '../dialect.ts';
import { MediaWriter } from '../json-media/stream/media-writer.ts';

/**
 * What we say to Telnyx on one stream; it wants no stream named. A message holds one frame of 20 ms, the
 * least it takes, and one packet of Opus.
 */
export function openTelnyxWriter({ bidirectional }: LegStarted): MediaWriter {
  return new MediaWriter({
    bidirectional,
    audio: ['{"event":"media","media":{"payload":"', '"}}'],
    mark: (name) => ({ event: 'mark', mark: { name } }),
    clear: { event: 'clear' },
  });
}
