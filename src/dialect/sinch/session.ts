import { invariant, FAULTS } from '../../base/errors.ts';
import { AudioBytes } from '../binary-media/audio-bytes.ts';
import type { CommandAnswer, DialectSession, Inbound, ReadResult, WireMessage } from '../dialect.ts';
import { textMessage } from '../text-message.ts';
import { SinchReader } from './read.ts';

const ANSWER = textMessage({ command: 'answer' });
const BUSY = textMessage({ command: 'busy' });
const REJECT = textMessage({ command: 'reject' });
const CLEAR = textMessage({ command: 'clear' });
const HEARTBEAT = textMessage({ command: 'heartbeat' });

/** The server's side of a Sinch stream: whether it answers, and what it plays. */
export class SinchSession implements DialectSession {
  readonly audioIsBinary = true;
  readonly #reader = new SinchReader();
  readonly #audio = new AudioBytes();
  #hasStarted = false;

  read(message: Uint8Array, isBinary: boolean, into: Inbound): ReadResult {
    const result = this.#reader.read(message, isBinary, into);
    if (result.type === 'started') this.#hasStarted = true;
    return result;
  }

  writeAudio(frame: Uint8Array): Uint8Array {
    invariant(this.#hasStarted, 'audio is written after connect');
    return this.#audio.write(frame);
  }

  writeStarted(): WireMessage {
    return ANSWER;
  }

  /** Busy where another try may help. */
  writeAnswer({ id, ok, fault }: CommandAnswer): WireMessage | undefined {
    if (ok || id !== null) return undefined;
    return Object.entries(FAULTS).some(([name, { retryable }]) => name === fault && retryable)
      ? BUSY
      : REJECT;
  }

  writeClear(): WireMessage {
    return CLEAR;
  }

  writeKeepAlive(): WireMessage {
    return HEARTBEAT;
  }

  // It has no words for the rest; closing the socket ends the call.
  writeMark(): undefined {}
  writeDtmf(): undefined {}
  writeEvent(): undefined {}
  writeGoaway(): undefined {}
  writeEnd(): undefined {}
}
