import { invariant } from '../../base/errors.ts';
import { frameBytes } from '../../media/format.ts';
import { AudioBytes } from '../binary-media/audio-bytes.ts';
import type { BinaryWriter } from '../binary-media/session.ts';
import type { ShortMarks } from '../binary-media/short-marks.ts';
import { optionOf, type OptionValues } from '../capabilities.ts';
import type { LegStarted, WireMessage } from '../dialect.ts';
import { MessageFiller } from '../json-media/stream/message-filler.ts';
import { COMMAND_BYTES_MAX, writeControl } from './control.ts';
import { ANSWER, MARKS } from './options.ts';
import type { AsteriskLine } from './read.ts';

/** 65 531 bytes passed and 65 532 did not; the documentation says 65 500. */
const MESSAGE_BYTES_MAX = 60_000;

/** What we say to Asterisk on one channel. */
export function openAsteriskWriter(
  started: LegStarted,
  { line, marks, options }: { line: AsteriskLine; marks: ShortMarks; options: OptionValues },
): BinaryWriter {
  const command = (word: string, fields?: Readonly<Record<string, string>>): WireMessage => {
    const bytes = writeControl(line.control, 'command', word, fields);
    invariant(bytes.length <= COMMAND_BYTES_MAX, 'Asterisk ignores longer commands');
    return { bytes, isBinary: false };
  };
  const basic: BinaryWriter = {
    ...audioWriterOf(started, line),
    started: () => (optionOf(ANSWER, options) === 'yes' ? command('ANSWER') : undefined),
    end: () => command('HANGUP'),
  };
  // Packets pass through untouched: there, marks and flushes are errors.
  if (started.outbound.codec === 'opus' || !started.bidirectional) return basic;
  const markWord = MARK_WORDS.get(optionOf(MARKS, options));
  return {
    ...basic,
    mark: (name) =>
      markWord === undefined ? undefined : command(markWord, { correlation_id: marks.give(name) }),
    clear: () => {
      // Marks that wait are thrown away with the audio, and nothing is said of them.
      marks.giveUp();
      return command('FLUSH_MEDIA');
    },
  };
}

const MARK_WORDS: ReadonlyMap<string, string> = new Map([
  ['mark_media', 'MARK_MEDIA'],
  ['stop_media_buffering', 'STOP_MEDIA_BUFFERING'],
]);

/**
 * Each message is whole frames of Asterisk's: the rest of a message that is shorter than one is dropped
 * there.
 */
function audioWriterOf({ outbound }: LegStarted, { optimalFrameBytes }: AsteriskLine): BinaryWriter {
  const ours = frameBytes(outbound);
  const messageBytes = optimalFrameBytes === 0 ? ours : leastCommonMultiple(ours, optimalFrameBytes);
  if (ours === 0 || messageBytes === ours || messageBytes > MESSAGE_BYTES_MAX) {
    const audio = new AudioBytes();
    return { audio: (frame) => audio.write(frame) };
  }
  const filler = new MessageFiller(messageBytes, outbound.codec === 'pcmu' ? 0xff : 0);
  return { audio: (frame) => filler.add(frame), flush: () => filler.fillUp() };
}

function leastCommonMultiple(a: number, b: number): number {
  let [divisor, rest] = [a, b];
  while (rest > 0) [divisor, rest] = [rest, divisor % rest];
  return divisor === 0 ? 0 : (a / divisor) * b;
}
