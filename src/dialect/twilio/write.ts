import type { LegStarted } from '../dialect.ts';
import { MediaWriter } from '../json-media/stream/media-writer.ts';

/** What we say to Twilio on one stream. On a stream that listens to nothing we say nothing: error 31924. */
export function openTwilioWriter({ providerStreamId, bidirectional }: LegStarted): MediaWriter {
  const streamSid = providerStreamId ?? '';
  return new MediaWriter({
    bidirectional,
    audio: [`{"event":"media","streamSid":${JSON.stringify(streamSid)},"media":{"payload":"`, '"}}'],
    mark: (name) => ({ event: 'mark', streamSid, mark: { name } }),
    clear: { event: 'clear', streamSid },
  });
}
