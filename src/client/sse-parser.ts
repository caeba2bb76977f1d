/** One event of an event stream, dispatched. */
export interface SseEvent {
  readonly event: string;
  readonly data: string;
  /** The last event id at that moment: what a reader resumes with. */
  readonly id: string;
}

const LINE_CHARACTERS_MAX = 4 * 1_048_576;

/**
 * Reads `text/event-stream` as WHATWG HTML §9.2.6 says. Feed it text as it comes, in pieces of any size; what
 * is dispatched goes to `onEvent`.
 */
export class SseParser {
  /** The id of the last block that was read, events or not. */
  lastEventId = '';
  /** What the server asks a reader to wait before it comes back. */
  retryMs: number | undefined;
  readonly #onEvent: (event: SseEvent) => void;
  #rest = '';
  #isFirst = true;
  #event = '';
  #data: string[] = [];
  #id = '';

  constructor(onEvent: (event: SseEvent) => void) {
    this.#onEvent = onEvent;
  }

  feed(piece: string): void {
    const text = this.#rest + (this.#isFirst ? piece.replace(/^\uFEFF/, '') : piece);
    if (piece !== '') this.#isFirst = false;
    // A CR at the very end may be the first half of a CRLF: it waits for what follows.
    const usable = text.endsWith('\r') ? text.slice(0, -1) : text;
    const lines = usable.split(/\r\n|\n|\r/);
    this.#rest = (lines.pop() ?? '') + text.slice(usable.length);
    if (this.#rest.length > LINE_CHARACTERS_MAX) throw new Error('a line of the event stream has no end');
    for (const line of lines) this.#line(line);
  }

  #line(line: string): void {
    if (line === '') {
      this.#dispatch();
      return;
    }
    const colon = line.indexOf(':');
    if (colon === 0) return;
    const field = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? '' : line.slice(colon + 1).replace(/^ /, '');
    this.#field(field, value);
  }

  #field(field: string, value: string): void {
    if (field === 'event') this.#event = value;
    if (field === 'data') this.#data.push(value);
    if (field === 'id' && !value.includes('\0')) this.#id = value;
    if (field === 'retry' && /^\d+$/.test(value)) this.retryMs = Number(value);
  }

  #dispatch(): void {
    this.lastEventId = this.#id;
    const { data, event } = { data: this.#data, event: this.#event };
    this.#data = [];
    this.#event = '';
    if (data.length === 0) return;
    this.#onEvent({ event: event === '' ? 'message' : event, data: data.join('\n'), id: this.lastEventId });
  }
}
