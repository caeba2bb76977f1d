import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';
import type { Envelope } from '../../src/events/envelope.ts';

export interface Received {
  readonly envelope: Envelope;
  readonly atUnixMs: number;
}

/** A hook receiver that believes only what the `standardwebhooks` package verifies. */
export class HookReceiver {
  readonly received: Received[] = [];
  readonly unverified: string[] = [];
  secret = '';
  #server: Server | undefined;
  #port = 0;

  get url(): string {
    return `http://127.0.0.1:${this.#port}/hooks`;
  }

  /** Listens; on the same port as before when it was killed. */
  async open(): Promise<void> {
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        response.statusCode = this.#take(Buffer.concat(chunks).toString('utf8'), request.headers) ? 200 : 401;
        response.end();
      });
    });
    await new Promise<void>((resolve) => this.#server!.listen(this.#port, '127.0.0.1', resolve));
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  /** Gone at once, connections and all, as a process that is killed. */
  async kill(): Promise<void> {
    this.#server?.closeAllConnections();
    await new Promise<void>((resolve) => void (this.#server?.close(() => resolve()) ?? resolve()));
    this.#server = undefined;
  }

  /** First arrivals of each event of a call, in the order they came. */
  firstArrivals(callId: string): Envelope[] {
    const seen = new Map<string, Envelope>();
    for (const { envelope } of this.received) {
      if (envelope.resource.id === callId && !seen.has(envelope.id)) seen.set(envelope.id, envelope);
    }
    return [...seen.values()];
  }

  get callIds(): readonly string[] {
    return [...new Set(this.received.map(({ envelope }) => envelope.resource.id))];
  }

  #take(body: string, headers: NodeJS.Dict<string | string[]>): boolean {
    try {
      new Webhook(this.secret).verify(body, headers as Record<string, string>);
    } catch {
      this.unverified.push(body);
      return false;
    }
    this.received.push({ envelope: JSON.parse(body) as Envelope, atUnixMs: Date.now() });
    return true;
  }
}
