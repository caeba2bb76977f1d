import { WebSocket } from 'ws';

const MULAW_SILENCE = 0xff;

let callsMade = 0;

/** A caller as Twilio's media servers are one, written from the provider's page alone and not from our dialect. */
export class TwilioCaller {
  readonly heard: Buffer[] = [];
  readonly heardAtMs: number[] = [];
  /** How much was heard each time the provider was told to drop what it still had. */
  readonly clearedAfterFrames: number[] = [];
  closeCode: number | undefined;
  readonly url: string;
  /** A name of its own: a stream of the same name would be the same call. */
  readonly callSid: string;
  readonly #socket: WebSocket;
  #sequence = 1;
  #chunk = 0;
  #timer: NodeJS.Timeout | undefined;

  private constructor(url: string, socket: WebSocket, callSid: string) {
    this.callSid = callSid;
    this.url = url;
    this.#socket = socket;
  }

  static async dial(
    url: string,
    customParameters: { readonly [name: string]: string } = {},
    callSid = `CA${callsMade++}`,
  ): Promise<TwilioCaller> {
    const socket = new WebSocket(url, { perMessageDeflate: false });
    const caller = new TwilioCaller(url, socket, callSid);
    socket.on('message', (data: Buffer) => caller.#hear(data));
    socket.on('close', (code) => {
      caller.closeCode = code;
      clearTimeout(caller.#timer);
    });
    await new Promise<void>((resolve, reject) => socket.once('open', resolve).once('error', reject));
    socket.on('error', () => {});
    caller.#say({ event: 'connected', protocol: 'Call', version: '1.0.0' });
    caller.#say({
      event: 'start',
      sequenceNumber: String(caller.#sequence++),
      start: {
        accountSid: 'AC0',
        streamSid: 'MZ0',
        callSid: caller.callSid,
        tracks: ['inbound'],
        mediaFormat: { encoding: 'audio/x-mulaw', sampleRate: 8000, channels: 1 },
        customParameters,
      },
      streamSid: 'MZ0',
    });
    return caller;
  }

  press(digit: string): void {
    const dtmf = { track: 'inbound_track', digit };
    this.#say({ event: 'dtmf', sequenceNumber: String(this.#sequence++), dtmf, streamSid: 'MZ0' });
  }

  /** Sends one frame of µ-law bytes. */
  send(frame: Buffer): void {
    const media = {
      track: 'inbound',
      chunk: String(this.#chunk + 1),
      timestamp: String(this.#chunk * 20),
      payload: frame.toString('base64'),
    };
    this.#chunk++;
    this.#say({ event: 'media', sequenceNumber: String(this.#sequence++), media, streamSid: 'MZ0' });
  }

  /** Speaks the audio in real time, in a loop until it hangs up where `isEndless`. */
  speak(audio: Buffer, isEndless = false): Promise<void> {
    const startedAtMs = performance.now();
    const frames = Math.floor(audio.length / 160);
    return new Promise((resolve) => {
      let sent = 0;
      const next = (): void => {
        while (performance.now() >= startedAtMs + sent * 20) {
          if (this.#socket.readyState !== WebSocket.OPEN || (!isEndless && sent >= frames)) return resolve();
          const at = (sent++ % frames) * 160;
          this.send(audio.subarray(at, at + 160));
        }
        this.#timer = setTimeout(next, Math.max(0, startedAtMs + sent * 20 - performance.now()));
      };
      next();
    });
  }

  /** The longest silence between two echoes. */
  get largestGapMs(): number {
    return this.largestGapMsSince(0);
  }

  /** Of the silences that ended after that moment of `performance.now()`. */
  largestGapMsSince(sinceMs: number): number {
    let largestMs = 0;
    for (let i = 1; i < this.heardAtMs.length; i++) {
      if (this.heardAtMs[i]! < sinceMs) continue;
      largestMs = Math.max(largestMs, this.heardAtMs[i]! - this.heardAtMs[i - 1]!);
    }
    return largestMs;
  }

  hangUp(): void {
    clearTimeout(this.#timer);
    this.#say({
      event: 'stop',
      sequenceNumber: String(this.#sequence++),
      stop: { accountSid: 'AC0', callSid: this.callSid },
      streamSid: 'MZ0',
    });
    this.#socket.close(1000);
  }

  /** The network goes away: no stop, no close frame. */
  vanish(): void {
    clearTimeout(this.#timer);
    this.#socket.terminate();
  }

  #hear(data: Buffer): void {
    const message = JSON.parse(data.toString('utf8')) as { event: string; media?: { payload: string } };
    if (message.event === 'clear') this.clearedAfterFrames.push(this.heard.length);
    if (message.event !== 'media' || message.media === undefined) return;
    this.heard.push(Buffer.from(message.media.payload, 'base64'));
    this.heardAtMs.push(performance.now());
  }

  #say(message: object): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }
}

/** What an echo must give back: both codes of zero decode alike, and 0x7f returns as 0xff. */
export function mapped(audio: Buffer): Buffer {
  return Buffer.from(audio.map((code) => (code === 0x7f ? MULAW_SILENCE : code)));
}
