import { l16 } from '../../media/format.ts';
import { BinarySession } from '../binary-media/session.ts';
import { optionOf } from '../capabilities.ts';
import type { Dialect } from '../dialect.ts';
import { ModAudioStreamCaller } from './caller.ts';
import { CHANNELS, PLAYBACK, SAMPLE_RATE } from './options.ts';
import { ModAudioStreamReader } from './read.ts';
import { MESSAGE_FRAMES, openBinaryWriter, openStreamAudioWriter } from './write.ts';

/** FreeSWITCH with mod_audio_stream (github.com/amigniter/mod_audio_stream ec2a781). */
export const modAudioStreamDialect: Dialect = {
  name: 'mod_audio_stream',
  subprotocols: [],
  capabilities: {
    marks: false,
    marksOnClear: 'dropped',
    marksMax: 0,
    clear: false,
    dtmfIn: false,
    dtmfOut: false,
    hangUp: false,
    transfer: false,
    sequenced: false,
    messageFrames: MESSAGE_FRAMES,
    // Nothing takes back what was sent: little is.
    inFlightMsMax: 400,
    twoCodecs: false,
    closeEnds: true,
    resume: false,
    goaway: false,
    keepAliveMs: 0,
    unverified: false,
  },
  options: [SAMPLE_RATE, CHANNELS, PLAYBACK],
  formats: [l16(8000), l16(16_000), l16(24_000), l16(48_000)],
  openSession: ({ options }) => {
    const isJson = optionOf(PLAYBACK, options) === 'stream_audio';
    return new BinarySession({
      reader: new ModAudioStreamReader(options),
      openWriter: isJson ? openStreamAudioWriter : openBinaryWriter,
      audioIsBinary: !isJson,
      isReplaceable: true,
    });
  },
  openCaller: (options) => new ModAudioStreamCaller(options),
  // It signs nothing: STREAM_EXTRA_HEADERS can carry a bearer, which the door checks.
  proofs: [],
};
