import { WebSocket } from 'ws';
import type { JsonObject } from '../../src/base/json.ts';
import { until } from './house.ts';

/** Where somebody was told to join. */
export interface Ticket {
  readonly ws_url: string;
  readonly token: string;
}

const FRAME_BYTES = 160;

/** One of `omnivoice.v1` that came by an invitation, in PCMU, written from docs/protocol.md alone. */
export class Guest {
  readonly told: JsonObject[] = [];
  /** What was heard, 20 ms each. */
  readonly heard: Buffer[] = [];
  closeCode: number | undefined;
  legId = '';
  readonly #socket: WebSocket;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data: Buffer, isBinary) => {
      if (isBinary) this.heard.push(data);
      else this.told.push(JSON.parse(data.toString()) as JsonObject);
    });
    socket.on('close', (code) => (this.closeCode = code));
  }

  static async join({ ws_url, token }: Ticket): Promise<Guest> {
    const socket = new WebSocket(ws_url, ['omnivoice.v1', token]);
    const guest = new Guest(socket);
    await new Promise<void>((resolve, reject) => socket.once('open', resolve).once('error', reject));
    guest.say({ type: 'start', events: true });
    await until('started', () => guest.told.some(({ type }) => type === 'started'));
    guest.legId = String(guest.told.find(({ type }) => type === 'started')!['leg_id']);
    return guest;
  }

  say(words: object): void {
    this.#socket.send(JSON.stringify(words));
  }

  /** Speaks `count` frames in real time. */
  async speak(frameAt: (index: number) => Buffer, count: number): Promise<void> {
    const startedAtMs = performance.now();
    for (let sent = 0; sent < count; sent++) {
      const waitMs = startedAtMs + sent * 20 - performance.now();
      if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
      this.#socket.send(frameAt(sent).subarray(0, FRAME_BYTES));
    }
  }

  get events(): readonly string[] {
    return this.told
      .filter(({ type }) => type === 'event')
      .map(({ event }) => String((event as JsonObject)['type']));
  }

  leave(): void {
    this.#socket.close(1000);
  }
}
