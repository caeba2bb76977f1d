import { WebSocket } from 'ws';
import type { JsonObject } from '../../src/base/json.ts';
import { until } from './house.ts';

interface Back {
  readonly token: string;
  readonly urls: readonly string[];
}

const FRAME_BYTES = 160;
const RETRY_MS = 30;
const COME_BACK_ATTEMPTS = 500;

/** A caller of `omnivoice.v1` that comes back when its line breaks, written from docs/protocol.md alone. */
export class NativeCaller {
  readonly told: JsonObject[] = [];
  readonly heardAtMs: number[] = [];
  readonly closeCodes: number[] = [];
  /** What refused it while it came back, by HTTP status or by the name of the error. */
  readonly refusals: string[] = [];
  /** Hears every frame, and on which of its lines it came: 0 is the first. */
  onAudio: (frame: Buffer, line: number) => void = () => {};
  /** So long it waits before it comes back: callers of one host that do not come all at once. */
  comesBackAfterMs = 0;
  /** When each of its lines broke, and when it was told `resumed`. */
  readonly brokenAtMs: number[] = [];
  readonly resumedAtMs: number[] = [];
  #lines = 0;
  /** The line that was left for another, until it is closed; what the other one says waits for that. */
  #leftLine: WebSocket | undefined;
  readonly #held: (() => void)[] = [];
  #socket: WebSocket;
  #back: Back | undefined;
  #isLeaving = false;
  #isComingBack = false;
  #timer: NodeJS.Timeout | undefined;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    this.#listen(socket);
  }

  static async dial(url: string): Promise<NativeCaller> {
    const socket = new WebSocket(url, ['omnivoice.v1']);
    const caller = new NativeCaller(socket);
    await new Promise<void>((resolve, reject) => socket.once('open', resolve).once('error', reject));
    caller.#say({ type: 'start' });
    await until('started', () => caller.#said('started') !== undefined);
    return caller;
  }

  get callId(): string {
    return String(this.#said('started')?.['call_id']);
  }

  /** Speaks one frame again and again, or each as it is made, in real time, on whatever line it has. */
  speak(frame: Buffer | (() => Buffer)): void {
    const startedAtMs = performance.now();
    let sent = 0;
    const next = (): void => {
      while (performance.now() >= startedAtMs + sent * 20) {
        sent++;
        if (this.#socket.readyState !== WebSocket.OPEN) continue;
        this.#socket.send((typeof frame === 'function' ? frame() : frame).subarray(0, FRAME_BYTES));
      }
      if (!this.#isLeaving)
        this.#timer = setTimeout(next, Math.max(0, startedAtMs + sent * 20 - performance.now()));
    };
    next();
  }

  /**
   * Opens another line while the present one, which says nothing any more, is still open: where it was told,
   * or there.
   */
  async leaveSilentLine(there?: string): Promise<void> {
    const [, ...others] = this.#back?.urls ?? [];
    const { token = '' } = this.#back ?? {};
    await this.#comeBack({ token, urls: there === undefined ? others : [there] });
  }

  get isOnOpenLine(): boolean {
    return this.#socket.readyState === WebSocket.OPEN && !this.#isComingBack;
  }

  resumedTimes(): number {
    return this.told.filter(({ type }) => type === 'resumed').length;
  }

  /** The longest silence between two echoes. */
  get largestGapMs(): number {
    const gaps = this.heardAtMs.map((atMs, index) => atMs - (this.heardAtMs[index - 1] ?? atMs));
    return Math.max(0, ...gaps);
  }

  hangUp(): void {
    this.#isLeaving = true;
    clearTimeout(this.#timer);
    this.#say({ type: 'bye' });
    this.#socket.close(1000);
  }

  #said(type: string): JsonObject | undefined {
    return this.told.find((words) => words['type'] === type);
  }

  #listen(socket: WebSocket): void {
    const line = this.#lines++;
    socket.on('message', (data: Buffer, isBinary) => {
      const hear = (): void => {
        if (isBinary) this.onAudio(data, line);
        this.#hear(data, isBinary);
      };
      if (isBinary && this.#leftLine !== undefined && this.#leftLine !== socket) this.#held.push(hear);
      else hear();
    });
    socket.on('error', () => {});
    socket.on('close', (code) => {
      this.closeCodes.push(code);
      if (this.#leftLine === socket) this.#hearOn();
      if (this.#socket !== socket) return;
      this.brokenAtMs.push(performance.now());
      const back = this.#back;
      if (this.#isLeaving || back === undefined) return;
      if (this.comesBackAfterMs === 0) void this.#comeBack(back);
      else setTimeout(() => void this.#comeBack(back), this.comesBackAfterMs);
    });
  }

  #hear(data: Buffer, isBinary: boolean): void {
    if (isBinary) {
      this.heardAtMs.push(performance.now());
      return;
    }
    const words = JSON.parse(data.toString()) as JsonObject;
    this.told.push(words);
    if (words['type'] === 'resumed') this.resumedAtMs.push(performance.now());
    if (words['type'] === 'goaway') this.#move(String(words['url']), String(words['token']));
    if (words['type'] === 'started' || words['type'] === 'resumed') this.#back = words['resume'] as Back;
  }

  /** As the protocol's page says: the present line is spoken on until the other one has said `resumed`. */
  #move(url: string, token: string): void {
    const old = this.#socket;
    const socket = new WebSocket(url, ['omnivoice.v1', token], { handshakeTimeout: 2_000 });
    socket.on('open', () => socket.send(JSON.stringify({ type: 'resume', token })));
    socket.on('message', (data: Buffer, isBinary) => {
      if (isBinary || this.#socket !== old || !data.toString().includes('"resumed"')) return;
      this.#socket = socket;
      this.#leftLine = old;
      old.close(1000);
    });
    this.#listen(socket);
  }

  /** The line that was left has said its last: what came over the new one is played. */
  #hearOn(): void {
    this.#leftLine = undefined;
    for (const hear of this.#held.splice(0)) hear();
  }

  /** As the protocol's page says: the first URL that answers. */
  async #comeBack({ token, urls }: Back): Promise<void> {
    this.#isComingBack = true;
    for (let attempt = 0; attempt < COME_BACK_ATTEMPTS && !this.#isLeaving; attempt++) {
      const url = urls[attempt % urls.length]!;
      const socket = new WebSocket(url, ['omnivoice.v1', token], { handshakeTimeout: 500 });
      if (await this.#isOpen(socket)) {
        this.#isComingBack = false;
        this.#socket = socket;
        this.#listen(socket);
        this.#say({ type: 'resume', token });
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }

  #isOpen(socket: WebSocket): Promise<boolean> {
    return new Promise((resolve) => {
      socket.once('open', () => resolve(true));
      socket.once('unexpected-response', (_request, response) => {
        this.refusals.push(String(response.statusCode));
        socket.terminate();
        resolve(false);
      });
      socket.once('error', (error) => {
        this.refusals.push(error.message);
        resolve(false);
      });
    });
  }

  #say(words: object): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(words));
  }
}
