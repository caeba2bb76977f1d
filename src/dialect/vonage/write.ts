import { AudioBytes } from '../binary-media/audio-bytes.ts';
import type { BinaryWriter } from '../binary-media/session.ts';
import type { ShortMarks } from '../binary-media/short-marks.ts';
import { textMessage } from '../text-message.ts';

const CLEAR = textMessage({ action: 'clear' });

/**
 * What we say to Vonage: audio of exactly one frame a message, and two actions. Whether a notify that waits
 * comes back when the queue is cleared is not documented: it is given up, and what comes late is ignored.
 */
export function openVonageWriter(marks: ShortMarks): BinaryWriter {
  const audio = new AudioBytes();
  return {
    audio: (frame) => audio.write(frame),
    mark: (name) => textMessage({ action: 'notify', payload: { id: marks.give(name) } }),
    clear: () => {
      marks.giveUp();
      return CLEAR;
    },
  };
}
