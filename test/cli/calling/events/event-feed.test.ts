import { describe, expect, it } from 'vitest';
import { EventFeed } from '../../../../src/cli/calling/events/event-feed.ts';
import { EventWatch } from '../../../../src/cli/calling/events/event-watch.ts';
import { VoiceError } from '../../../../src/base/errors.ts';
import type { EventStreamWish, LiveItem } from '../../../../src/client/event-stream.ts';
import type { Envelope } from '../../../../src/events/envelope.ts';
import { FakeClock } from '../../../fakes/clock.ts';
import { eventOf } from './events.ts';

/** A stream that says what a test tells it to. */
function openStream() {
  const items: LiveItem[] = [];
  let wake = (): void => undefined;
  let failure: Error | undefined;
  const wishes: EventStreamWish[] = [];
  async function* stream(wish: EventStreamWish): AsyncGenerator<LiveItem> {
    wishes.push(wish);
    wish.onOpen?.();
    while (wish.signal?.aborted !== true) {
      if (failure !== undefined) throw failure;
      for (const item of items.splice(0)) yield item;
      await new Promise<void>((resolve) => {
        wake = resolve;
        wish.signal?.addEventListener('abort', () => resolve());
      });
    }
  }
  const settled = () => new Promise((resolve) => setImmediate(resolve));
  return {
    stream,
    wishes,
    tells: async (...events: Envelope[]) => {
      items.push(...events.map((event) => ({ type: 'event', cursor: '', event }) as const));
      wake();
      await settled();
    },
    breaks: async (error: Error) => {
      failure = error;
      wake();
      await settled();
    },
  };
}

async function openFeed(source: ReturnType<typeof openStream>, callId?: string) {
  const feed = new EventFeed({
    clock: new FakeClock(),
    stream: source.stream,
    ...(callId !== undefined && { callId }),
  });
  await feed.open();
  return feed;
}

function openWatch() {
  return new EventWatch({ ofMediaMs: () => undefined }, () => undefined);
}

describe('a feed of events', () => {
  it('hands each call its own, and asks for one call only where there is one', async () => {
    const source = openStream();
    const feed = await openFeed(source, 'call_1');
    expect(source.wishes[0]).toMatchObject({ callId: 'call_1' });
    const [one, two] = [openWatch(), openWatch()];
    feed.watchCall('call_1', one);
    feed.watchCall('call_2', two);
    await source.tells(eventOf(1), eventOf(1, 'leg_connected', {}, 'call_2'), eventOf(2));
    expect([one.stats.events, two.stats.events]).toEqual([2, 1]);
    feed.close();
  });

  it('keeps what came before it was known whose it is', async () => {
    const source = openStream();
    const feed = await openFeed(source);
    await source.tells(eventOf(1), eventOf(2));
    const watch = openWatch();
    feed.watchCall('call_1', watch);
    await source.tells(eventOf(3));
    expect(watch.stats).toMatchObject({ events: 3, missing: 0, outOfOrder: 0 });
    feed.close();
  });

  it('finds a call by the id its provider gave it', async () => {
    const source = openStream();
    const feed = await openFeed(source);
    const watch = openWatch();
    feed.watchProviderCall('CA1', watch);
    const started = eventOf(1, 'call_started', { metadata: { provider_call_id: 'CA1' } }, 'call_9');
    await source.tells(started, eventOf(2, 'leg_connected', {}, 'call_9'));
    expect(watch.stats.events).toBe(2);
    feed.close();
  });

  it('forgets the oldest of strangers', async () => {
    const source = openStream();
    const feed = await openFeed(source);
    await source.tells(...Array.from({ length: 2_010 }, (_, i) => eventOf(i + 1)));
    expect(feed.stats).toMatchObject({ events: 2_010, forgotten: 10 });
    feed.close();
  });

  it('says why there are no events', async () => {
    const source = openStream();
    const feed = await openFeed(source);
    await source.breaks(new VoiceError('permission_denied', 'nothing for you'));
    await feed.failed;
    expect(feed.failure).toBe('the key lacks events:read');
  });

  it('gives up on a stream that does not open', async () => {
    const clock = new FakeClock();
    const feed = new EventFeed({
      clock,
      stream: async function* (wish) {
        await new Promise<void>((resolve) => wish.signal?.addEventListener('abort', () => resolve()));
        yield* [];
      },
    });
    const opened = feed.open();
    clock.advance(5_000);
    await opened;
    expect(feed.failure).toBe('the event stream does not open');
  });
});
