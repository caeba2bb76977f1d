import type { AtMs, Clock } from '../../../base/clock.ts';
import { messageOf, VoiceError } from '../../../base/errors.ts';
import { isObject, textOf } from '../../../base/json.ts';
import type { EventStreamWish, LiveItem } from '../../../client/event-stream.ts';
import type { Envelope } from '../../../events/envelope.ts';
import type { EventWatch } from './event-watch.ts';

/** Events may be here before it is known whose they are; those of strangers fall off the end. */
const UNCLAIMED_EVENTS_MAX = 2_000;
const OPENING_MS = 5_000;

interface Arrived {
  readonly envelope: Envelope;
  readonly atMs: AtMs;
  readonly unixMs: number;
}

export interface EventFeedOptions {
  readonly clock: Clock;
  readonly stream: (wish: EventStreamWish) => AsyncIterable<LiveItem>;
  /** Only this call's events; all calls' where it is absent. */
  readonly callId?: string;
}

/** The live stream of events, handed out to the calls that wait for them. */
export class EventFeed {
  readonly stats = { events: 0, gaps: 0, forgotten: 0 };
  readonly #options: EventFeedOptions;
  readonly #stop = new AbortController();
  readonly #byCallId = new Map<string, EventWatch>();
  readonly #byProviderId = new Map<string, EventWatch>();
  #unclaimed: Arrived[] = [];
  /** Resolves when nothing more will come. */
  readonly failed: Promise<void>;
  readonly #settleFailed: () => void;
  #failure: string | undefined;

  constructor(options: EventFeedOptions) {
    this.#options = options;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.failed = promise;
    this.#settleFailed = resolve;
  }

  /** Why there are no events; undefined while there are. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** Resolves when nothing can be missed any more, or when it is clear that nothing will come. */
  async open(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const cancel = this.#options.clock.after(OPENING_MS, () => this.#fail('the event stream does not open'));
    void this.#follow(resolve).finally(resolve);
    await promise;
    cancel();
  }

  /** The call has this id; what has already come of it is told now. */
  watchCall(callId: string, watch: EventWatch): void {
    this.#byCallId.set(callId, watch);
    const mine = this.#unclaimed.filter(({ envelope }) => envelope.resource.id === callId);
    this.#unclaimed = this.#unclaimed.filter(({ envelope }) => envelope.resource.id !== callId);
    for (const { envelope, atMs, unixMs } of mine) watch.see(envelope, atMs, unixMs);
  }

  /** The call has whatever id its `call_started` says, which names ours. */
  watchProviderCall(providerCallId: string, watch: EventWatch): void {
    this.#byProviderId.set(providerCallId, watch);
  }

  close(): void {
    this.#stop.abort();
  }

  async #follow(onOpen: () => void): Promise<void> {
    const { stream, callId } = this.#options;
    const wish = { signal: this.#stop.signal, onOpen, ...(callId !== undefined && { callId }) };
    try {
      for await (const item of stream(wish)) {
        if (item.type === 'gap') this.stats.gaps++;
        else this.#take(item.event);
      }
    } catch (error) {
      const isDenied = error instanceof VoiceError && error.code === 'permission_denied';
      this.#fail(isDenied ? 'the key lacks events:read' : messageOf(error));
    }
  }

  #take(envelope: Envelope): void {
    const { clock } = this.#options;
    const arrived = { envelope, atMs: clock.nowMs(), unixMs: clock.unixMs() };
    this.stats.events++;
    const providerCallId = providerCallIdOf(envelope);
    const claimed = providerCallId === undefined ? undefined : this.#byProviderId.get(providerCallId);
    if (claimed !== undefined && !this.#byCallId.has(envelope.resource.id)) {
      this.watchCall(envelope.resource.id, claimed);
    }
    const watch = this.#byCallId.get(envelope.resource.id);
    if (watch !== undefined) return watch.see(envelope, arrived.atMs, arrived.unixMs);
    this.#unclaimed.push(arrived);
    if (this.#unclaimed.length <= UNCLAIMED_EVENTS_MAX) return;
    this.#unclaimed.shift();
    this.stats.forgotten++;
  }

  #fail(failure: string): void {
    this.#failure ??= failure;
    this.#settleFailed();
    this.close();
  }
}

function providerCallIdOf({ data }: Envelope): string | undefined {
  const metadata = data['metadata'];
  return isObject(metadata) ? textOf(metadata['provider_call_id']) : undefined;
}
