import { frameBytes } from '../../media/format.ts';
import { AudioBytes } from '../binary-media/audio-bytes.ts';
import type { BinaryWriter } from '../binary-media/session.ts';
import type { LegStarted } from '../dialect.ts';
import { MediaWriter } from '../json-media/stream/media-writer.ts';

/** Each message becomes a file of its own: fewer, longer ones. */
export const MESSAGE_FRAMES = 10;

/**
 * What we say to FreeSWITCH: audio as JSON, which its community build writes to a file for a script to play.
 */
export function openStreamAudioWriter({ outbound }: LegStarted): BinaryWriter {
  const writer = new MediaWriter({
    bidirectional: true,
    audio: [
      '{"type":"streamAudio","data":{"audioDataType":"raw","sampleRate":' +
        `${outbound.sampleRateHz},"audioData":"`,
      '"}}',
    ],
    longer: { messageBytes: MESSAGE_FRAMES * frameBytes(outbound), silence: 0 },
  });
  return { audio: (frame) => writer.audio(frame), flush: () => writer.flush(), clear: () => writer.clear() };
}

/** What the commercial build plays as it comes. */
export function openBinaryWriter(): BinaryWriter {
  const audio = new AudioBytes();
  return { audio: (frame) => audio.write(frame) };
}
