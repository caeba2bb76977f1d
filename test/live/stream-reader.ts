import { createParser } from 'eventsource-parser';
import type { Envelope } from '../../src/events/envelope.ts';
import type { House } from './house.ts';

/** A reader of the SSE stream that comes back with `Last-Event-ID` whenever it was cut off. */
export class StreamReader {
  readonly events: Envelope[] = [];
  gaps = 0;
  isOpen = false;
  readonly #house: House;
  readonly #stop = new AbortController();
  #lastEventId = '';

  constructor(house: House) {
    this.#house = house;
  }

  async open(): Promise<void> {
    await this.#connect();
    void this.#stay();
  }

  idsOf(callId: string): readonly string[] {
    return this.events.filter(({ resource }) => resource.id === callId).map(({ id }) => id);
  }

  get completedCalls(): number {
    return this.events.filter(({ type }) => type === 'call_completed').length;
  }

  close(): void {
    this.#stop.abort();
  }

  #reading: Promise<void> = Promise.resolve();

  async #stay(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      await this.#reading;
      await new Promise((resolve) => setTimeout(resolve, 50));
      // Control may not be back yet: try again until it is.
      if (!this.#stop.signal.aborted) await this.#connect().catch(() => undefined);
    }
  }

  async #connect(): Promise<void> {
    const headers: Record<string, string> = { authorization: `Bearer ${this.#house.key}` };
    if (this.#lastEventId !== '') headers['last-event-id'] = this.#lastEventId;
    const url = `${this.#house.ready.api_url}/api/v1/events/stream`;
    const response = await fetch(url, { headers, signal: this.#stop.signal });
    if (!response.ok || response.body === null) throw new Error(`stream: ${response.status}`);
    this.isOpen = true;
    this.#reading = this.#read(response.body).catch(() => undefined);
  }

  async #read(body: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    const parser = createParser({
      onEvent: ({ id, event, data }) => {
        if (id !== undefined) this.#lastEventId = id;
        if (event === 'gap') this.gaps++;
        else if (data !== '' && event !== 'hello') this.#take(data);
      },
    });
    try {
      for await (const chunk of body) parser.feed(decoder.decode(chunk, { stream: true }));
    } finally {
      this.isOpen = false;
    }
  }

  #take(data: string): void {
    const told = JSON.parse(data) as Envelope | { event: Envelope };
    const envelope = 'event' in told ? told.event : told;
    if (typeof envelope.sequence === 'number') this.events.push(envelope);
  }
}
