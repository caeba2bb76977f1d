import { l16 } from '../../media/format.ts';
import { BinarySession } from '../binary-media/session.ts';
import { ShortMarks } from '../binary-media/short-marks.ts';
import type { Dialect } from '../dialect.ts';
import { LISTEN_ONLY } from '../json-media/stream/options.ts';
import { JambonzCaller } from './caller.ts';
import { isStreaming, OUTBOUND_RATE, PLAYBACK } from './options.ts';
import { JambonzReader } from './read.ts';
import { openPlayAudioWriter, openStreamingWriter } from './write.ts';

/** jambonz' verb `listen`, and Cognigy's Voice Gateway (docs.jambonz.org; mod_audio_fork 30f2189). */
export const jambonzDialect: Dialect = {
  name: 'jambonz',
  // mod_audio_fork outside jambonz offers drachtio's name.
  subprotocols: ['audio.jambonz.org', 'audio.drachtio.org'],
  capabilities: {
    marks: true,
    // `killAudio` brings back whatever is outstanding, as `cleared`.
    marksOnClear: 'returned',
    // Beyond 30 they are thrown away without a word (mod_audio_fork, MAX_MARKS).
    marksMax: 30,
    clear: true,
    dtmfIn: true,
    dtmfOut: false,
    // `disconnect` ends the verb; the call goes on with the next one.
    hangUp: false,
    transfer: false,
    sequenced: false,
    messageFrames: 1,
    // More than the 80 ms or 160 ms it holds before it plays; no `killAudio` reaches those.
    inFlightMsMax: 1_000,
    twoCodecs: true,
    closeEnds: true,
    resume: false,
    goaway: false,
    keepAliveMs: 0,
    unverified: false,
  },
  options: [PLAYBACK, OUTBOUND_RATE, LISTEN_ONLY],
  formats: [l16(8000), l16(16_000), l16(24_000), l16(48_000)],
  openSession: ({ options }) => {
    const marks = new ShortMarks();
    const streams = isStreaming(options);
    return new BinarySession({
      reader: new JambonzReader(options, marks),
      openWriter: (started) => (streams ? openStreamingWriter(started, marks) : openPlayAudioWriter(started)),
      audioIsBinary: streams,
      hasTail: streams,
    });
  },
  openCaller: (options) => new JambonzCaller(options),
  // `wsAuth` arrives as Basic, which the door checks.
  proofs: [],
};
