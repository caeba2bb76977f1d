import { WebSocket } from 'ws';
import type { JsonObject } from '../../src/base/json.ts';
import { until } from './house.ts';

/** A member of a queue, written from docs/queues.md alone. */
export class Member {
  readonly told: JsonObject[] = [];
  closeCode: number | undefined;
  readonly #socket: WebSocket;

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data: Buffer) => this.told.push(JSON.parse(data.toString()) as JsonObject));
    socket.on('close', (code) => (this.closeCode = code));
  }

  static async join(url: string, headers: Record<string, string> = {}): Promise<Member> {
    const socket = new WebSocket(url, { headers });
    const member = new Member(socket);
    await new Promise<void>((resolve, reject) => socket.once('open', resolve).once('error', reject));
    return member;
  }

  say(words: object): void {
    this.#socket.send(JSON.stringify(words));
  }

  async hears(type: string): Promise<JsonObject> {
    await until(type, () => this.told.some((news) => news['type'] === type));
    return this.told.find((news) => news['type'] === type)!;
  }

  leave(): void {
    this.#socket.close(1000);
  }
}
