import type { LegStarted } from '../dialect.ts';
import { MediaWriter } from '../json-media/stream/media-writer.ts';

/** What we say to SignalWire on one stream: what Twilio is told, and digits into the call. */
export function openSignalwireWriter({ providerStreamId, bidirectional }: LegStarted): MediaWriter {
  const streamSid = providerStreamId ?? '';
  return new MediaWriter({
    bidirectional,
    audio: [`{"event":"media","streamSid":${JSON.stringify(streamSid)},"media":{"payload":"`, '"}}'],
    mark: (name) => ({ event: 'mark', streamSid, mark: { name } }),
    clear: { event: 'clear', streamSid },
    dtmf: (digit) => ({ event: 'dtmf', streamSid, dtmf: { digit } }),
  });
}
