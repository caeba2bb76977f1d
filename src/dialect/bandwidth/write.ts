import type { AudioFormat } from '../../media/format.ts';
import type { LegStarted } from '../dialect.ts';
import { MediaWriter } from '../json-media/stream/media-writer.ts';

/** What we say to Bandwidth: audio that names its own type, and `clear`. */
export function openBandwidthWriter({ outbound, bidirectional }: LegStarted): MediaWriter {
  return new MediaWriter({
    bidirectional,
    audio: [
      `{"eventType":"playAudio","media":{"contentType":"${contentTypeOf(outbound)}","payload":"`,
      '"}}',
    ],
    clear: { eventType: 'clear' },
  });
}

function contentTypeOf({ codec, sampleRateHz }: AudioFormat): string {
  if (codec !== 'l16') return 'audio/pcmu';
  return `audio/pcm;rate=${sampleRateHz};channels=1;bit-depth=16;endian=little;encoding=signed`;
}
