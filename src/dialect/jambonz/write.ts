import { frameSamples } from '../../base/units.ts';
import { frameBytes } from '../../media/format.ts';
import type { BinaryWriter } from '../binary-media/session.ts';
import type { ShortMarks } from '../binary-media/short-marks.ts';
import type { LegStarted, WireMessage } from '../dialect.ts';
import { MediaWriter } from '../json-media/stream/media-writer.ts';
import { textMessage } from '../text-message.ts';
import { StreamedAudio } from './streamed-audio.ts';

const KILL_AUDIO = textMessage({ type: 'killAudio' });
const DISCONNECT = textMessage({ type: 'disconnect' });
/**
 * Nothing plays before 1280 samples are there, and nothing moves on below 640 (mod_audio_fork,
 * streamingPreBufSize): so much silence brings out the last word at any rate, 80 ms at least.
 */
const TAIL_SAMPLES = 1_280;
const TAIL_FRAMES_MIN = 4;
/** Each `playAudio` is a file, and ten of them may wait: long ones. */
const PLAY_AUDIO_FRAMES = 20;

/** What we say to a `listen` whose audio to the caller streams. */
export function openStreamingWriter(
  { outbound, bidirectional }: LegStarted,
  marks: ShortMarks,
): BinaryWriter {
  const audio = new StreamedAudio();
  const tail = silenceOf(outbound.sampleRateHz);
  if (!bidirectional) return { audio: (frame) => audio.write(frame), end: () => DISCONNECT };
  return {
    audio: (frame) => audio.write(frame),
    // Its place is before the binary message that follows it: audio, or the silence behind the last word.
    mark: (name) => textMessage({ type: 'mark', data: { name: marks.give(name) } }),
    tail: () => tail,
    clear: () => KILL_AUDIO,
    end: () => DISCONNECT,
  };
}

/**
 * What we say to a `listen` that plays files. Its marks belong to streams: ours are told by played time.
 */
export function openPlayAudioWriter({ outbound, bidirectional }: LegStarted): BinaryWriter {
  const writer = new MediaWriter({
    bidirectional,
    audio: [
      '{"type":"playAudio","data":{"audioContentType":"raw","sampleRate":' +
        `${outbound.sampleRateHz},"queuePlay":true,"audioContent":"`,
      '"}}',
    ],
    clear: { type: 'killAudio' },
    longer: { messageBytes: PLAY_AUDIO_FRAMES * frameBytes(outbound), silence: 0 },
  });
  return {
    audio: (frame) => writer.audio(frame),
    flush: () => writer.flush(),
    clear: () => writer.clear(),
    end: () => DISCONNECT,
  };
}

function silenceOf(sampleRateHz: number): WireMessage {
  const samples = Math.max(TAIL_SAMPLES, TAIL_FRAMES_MIN * frameSamples(sampleRateHz));
  return { bytes: new Uint8Array(2 * samples), isBinary: true };
}
