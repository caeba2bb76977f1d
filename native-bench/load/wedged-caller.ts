import { WebSocket, type RawData } from 'ws';
import { FRAME_MS, readSpeech } from './speech.ts';

const RATE_HZ = 48_000;
const FRAME_BYTES = (2 * RATE_HZ * FRAME_MS) / 1000;
/** What a caller in a hurry says at once: a quarter of a second, ten times as fast as it is heard. */
const HURRY_FRAMES = 12;

/** The sample, each of its values held for six. */
const SAID = saidAtWire();

/**
 * A caller of `omnivoice.v1` at 48 kHz that can be told to leave all it is sent in the kernel's buffers. It
 * answers no ping: one that did, and does not any more, is let go after five seconds.
 */
export class WedgedCaller {
  sentFrames = 0;
  readonly #socket: WebSocket;
  readonly #speaking: NodeJS.Timeout;
  #framesAtOnce = 1;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('error', () => socket.terminate());
    this.#speaking = setInterval(() => this.#speak(), FRAME_MS);
  }

  static async dial(url: string): Promise<WedgedCaller> {
    const socket = new WebSocket(url, ['omnivoice.v1'], { autoPong: false, perMessageDeflate: false });
    await new Promise((opened, failed) => {
      socket.once('open', opened).once('error', failed);
    });
    const started = new Promise<void>((resolve) => {
      socket.on('message', (_: RawData, isBinary) => !isBinary && resolve());
    });
    socket.send(JSON.stringify({ type: 'start', format: { codec: 'l16', rate: RATE_HZ } }));
    await started;
    return new WedgedCaller(socket);
  }

  get isOnTheLine(): boolean {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  /** From now on it reads nothing, and speaks so fast that what comes back soon fills every buffer. */
  stopReading(): void {
    this.#socket.pause();
    this.#framesAtOnce = HURRY_FRAMES;
  }

  speakInTime(): void {
    this.#framesAtOnce = 1;
  }

  leave(): void {
    clearInterval(this.#speaking);
    this.#socket.terminate();
  }

  #speak(): void {
    if (!this.isOnTheLine) return;
    const first = this.sentFrames % (SAID.length / FRAME_BYTES - HURRY_FRAMES);
    const end = (first + this.#framesAtOnce) * FRAME_BYTES;
    this.#socket.send(SAID.subarray(first * FRAME_BYTES, end));
    this.sentFrames += this.#framesAtOnce;
  }
}

function saidAtWire(): Buffer {
  const { samples } = readSpeech();
  const times = RATE_HZ / 8000;
  const said = Int16Array.from({ length: samples.length * times }, (_, i) => samples[Math.floor(i / times)]!);
  return Buffer.from(said.buffer);
}
