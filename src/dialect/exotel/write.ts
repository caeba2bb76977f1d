import type { OptionValues } from '../capabilities.ts';
import type { LegStarted } from '../dialect.ts';
import { MediaWriter } from '../json-media/stream/media-writer.ts';
import { messageBytesOf } from './message-size.ts';

/** The byte of silence: mu-law's is all ones (ITU-T G.711, table 2a). */
const MULAW_SILENCE = 0xff;

/** What we say to Exotel on one stream; its audio messages hold 200 ms or so. */
export function openExotelWriter(started: LegStarted, options: OptionValues): MediaWriter {
  const { outbound, bidirectional } = started;
  const streamSid = started.providerStreamId ?? '';
  return new MediaWriter({
    bidirectional,
    audio: [`{"event":"media","stream_sid":${JSON.stringify(streamSid)},"media":{"payload":"`, '"}}'],
    mark: (name) => ({ event: 'mark', stream_sid: streamSid, mark: { name } }),
    clear: { event: 'clear', stream_sid: streamSid },
    longer: {
      messageBytes: messageBytesOf(outbound, options),
      silence: outbound.codec === 'l16' ? 0 : MULAW_SILENCE,
    },
  });
}
