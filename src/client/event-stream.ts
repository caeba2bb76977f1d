import { sleep, type Clock } from '../base/clock.ts';
import { FAULTS, VoiceError } from '../base/errors.ts';
import { numberOf, parseObject } from '../base/json.ts';
import type { Envelope } from '../events/envelope.ts';
import { queryText, type Requests } from './requests.ts';
import { SseParser, type SseEvent } from './sse-parser.ts';

const RETRY_MS = 1_000;
const RETRY_MS_MAX = 15_000;
// The server's heartbeat is 15 s: twice that without a byte, and nobody is there.
const SILENCE_MS_MAX = 35_000;

export interface EventStreamWish {
  /** Types, families as in `call.*`, `*`; absent: all. */
  readonly types?: readonly string[];
  readonly callId?: string;
  readonly agentId?: string;
  /** Cursor of the last event seen; absent: from now on. */
  readonly from?: string;
  /** Ends the stream. */
  readonly signal?: AbortSignal;
  /** Told when the stream is up, again after each reconnect: what happens from then on will be told. */
  readonly onOpen?: () => void;
}

/** What a live stream tells: an event, or that some can no longer be told. */
export type LiveItem =
  | { readonly type: 'event'; readonly cursor: string; readonly event: Envelope }
  | {
      readonly type: 'gap';
      readonly cursor: string;
      readonly from: number | null;
      readonly to: number | null;
    };

/**
 * Follows events until `signal` says to stop. A broken connection is taken up again where it broke; only a
 * refusal that trying again cannot change ends the stream with an error.
 */
export async function* followEvents(
  requests: Requests,
  wish: EventStreamWish,
  clock: Pick<Clock, 'after'>,
): AsyncGenerator<LiveItem, void, void> {
  let cursor = wish.from ?? '';
  let failures = 0;
  while (wish.signal?.aborted !== true) {
    let retryMs = RETRY_MS;
    let isOpen = false;
    try {
      for await (const read of readOnce(requests, wish, cursor, clock)) {
        failures = 0;
        retryMs = read.retryMs ?? retryMs;
        cursor = read.cursor;
        if (!isOpen) wish.onOpen?.();
        isOpen = true;
        if (read.item !== undefined) yield read.item;
      }
    } catch (error) {
      if (wish.signal?.aborted) return;
      if (error instanceof VoiceError && !FAULTS[error.code].retryable) throw error;
      failures++;
    }
    const waitMs = Math.min(retryMs * 2 ** Math.max(0, failures - 1), RETRY_MS_MAX);
    await pause(clock, waitMs, wish.signal);
  }
}

interface Read {
  /** Absent where only the cursor moved. */
  readonly item?: LiveItem;
  readonly cursor: string;
  readonly retryMs: number | undefined;
}

/** One connection, from its first byte to its last. */
async function* readOnce(
  requests: Requests,
  wish: EventStreamWish,
  cursor: string,
  clock: Pick<Clock, 'after'>,
): AsyncGenerator<Read, void, void> {
  const silence = new AbortController();
  const signals = [silence.signal, ...(wish.signal ? [wish.signal] : [])];
  let stopWatch = clock.after(SILENCE_MS_MAX, () => silence.abort());
  try {
    const query = queryText({
      types: wish.types?.join(','),
      call_id: wish.callId,
      agent_id: wish.agentId,
    });
    const headers = { accept: 'text/event-stream', ...(cursor !== '' && { 'last-event-id': cursor }) };
    const response = await requests.open(`/events/stream${query}`, headers, AbortSignal.any(signals));
    const items: LiveItem[] = [];
    const parser = new SseParser((event) => items.push(...itemsOf(event)));
    const decoder = new TextDecoder();
    for await (const bytes of response.body ?? []) {
      stopWatch();
      stopWatch = clock.after(SILENCE_MS_MAX, () => silence.abort());
      parser.feed(decoder.decode(bytes, { stream: true }));
      const { retryMs, lastEventId } = parser;
      for (const item of items.splice(0)) yield { item, cursor: item.cursor, retryMs };
      // The server's greeting is an id alone: from here on nothing can be missed.
      if (lastEventId !== '') yield { cursor: lastEventId, retryMs };
    }
  } finally {
    stopWatch();
  }
}

function itemsOf({ event, data, id }: SseEvent): LiveItem[] {
  const said = parseObject(data);
  if (said === undefined) return [];
  if (event === 'gap') {
    return [
      { type: 'gap', cursor: id, from: numberOf(said['from']) ?? null, to: numberOf(said['to']) ?? null },
    ];
  }
  // Our own server wrote it; what it is called has its shape.
  return event === 'message' ? [{ type: 'event', cursor: id, event: said as unknown as Envelope }] : [];
}

async function pause(clock: Pick<Clock, 'after'>, delayMs: number, signal?: AbortSignal): Promise<void> {
  if (signal === undefined) return sleep(clock, delayMs);
  await new Promise<void>((resolve) => {
    const cancel = clock.after(delayMs, resolve);
    signal.addEventListener('abort', () => {
      cancel();
      resolve();
    });
    if (signal.aborted) resolve();
  });
}
