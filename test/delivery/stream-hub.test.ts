import { beforeEach, describe, expect, it } from 'vitest';
import { isSelected } from '../../src/events/catalogue.ts';
import type { Envelope } from '../../src/events/envelope.ts';
import type { CommittedEvent, JournalEntry, JournalQuery } from '../../src/events/journal.ts';
import { positionOf, StreamHub, type StreamHubOptions } from '../../src/delivery/stream-hub.ts';
import type { StreamItem, StreamQuery, StreamSink } from '../../src/delivery/streams.ts';
import { FakeClock } from '../fakes/clock.ts';
import { turn } from '../fakes/hook-sender.ts';
import { anEnvelope, entryOf, FakeOutbox } from '../fakes/outbox.ts';

/** A journal in memory, whose answers are as old as the question. */
class FakeJournal {
  readonly epoch = 'e-1';
  entries: JournalEntry[] = [];
  reads = 0;
  isBroken = false;
  /** How many turns an answer takes. */
  turnsOf: () => number = () => 1;
  #trimmedTo = 0;

  trim(position: number): void {
    this.#trimmedTo = position;
    this.entries = this.entries.filter((entry) => entry.position > position);
  }

  async bounds(): Promise<{ first: number; last: number }> {
    const last = this.entries.at(-1)?.position ?? 0;
    const bounds = last === 0 ? { first: 1, last: 0 } : { first: this.#trimmedTo + 1, last };
    await this.#wait();
    return bounds;
  }

  async read(query: JournalQuery): Promise<readonly JournalEntry[]> {
    this.reads++;
    if (this.isBroken) throw new Error('the store is gone');
    const found = this.entries.filter(
      ({ position, envelope }) =>
        position > (query.after ?? 0) &&
        envelope.workspace_id === query.workspaceId &&
        envelope.test_mode === query.testMode &&
        isSelected(envelope.type, query.types ?? []) &&
        (query.resourceId === undefined || envelope.resource.id === query.resourceId) &&
        (query.agentId === undefined || envelope.data['agent_id'] === query.agentId),
    );
    const page = found.slice(0, query.limit);
    await this.#wait();
    return page;
  }

  async #wait(): Promise<void> {
    for (let turns = this.turnsOf(); turns > 0; turns--) await turn();
  }
}

/** A reader's connection that remembers what it was told. */
class FakeSink implements StreamSink {
  readonly items: StreamItem[] = [];
  readonly ends: string[] = [];
  bufferedBytes = 0;
  bytesPerItem = 0;

  send(item: StreamItem): void {
    this.items.push(item);
    this.bufferedBytes += this.bytesPerItem;
  }

  end(reason: string): void {
    this.ends.push(reason);
  }

  get positions(): readonly number[] {
    return this.items.flatMap((item) => (item.type === 'event' ? [item.entry.position] : []));
  }

  get cursor(): string | null {
    return this.items.at(-1)?.cursor ?? null;
  }
}

const ALL: StreamQuery = {
  workspaceId: 'ws_1',
  testMode: false,
  types: [],
  callId: null,
  agentId: null,
  from: null,
};
const FROM_START = { ...ALL, from: 'e-1-0' };

let clock: FakeClock;
let journal: FakeJournal;
let hub: StreamHub;
let source: FakeOutbox;

beforeEach(() => {
  clock = new FakeClock();
  journal = new FakeJournal();
  source = new FakeOutbox();
  hub = aHub();
});

function aHub(change: Partial<StreamHubOptions> = {}): StreamHub {
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
  return new StreamHub({ journal, clock, log, ...change });
}

function write(callId = 'call_1', change: Partial<Envelope> = {}): CommittedEvent {
  const committed = source.commit(anEnvelope(callId, 1, change), []);
  journal.entries.push(entryOf(committed));
  return committed;
}

function publish(callId = 'call_1', change: Partial<Envelope> = {}): void {
  hub.publish([write(callId, change)]);
}

async function opened(query: StreamQuery, sink = new FakeSink()): Promise<FakeSink> {
  hub.open(query, sink);
  await settle();
  return sink;
}

async function settle(turns = 30): Promise<void> {
  for (let i = 0; i < turns; i++) await turn();
}

describe('a reader', () => {
  it('without a cursor is told what comes next, and nothing of before', async () => {
    publish();
    publish();
    const sink = await opened(ALL);
    expect(sink.items).toEqual([]);
    publish();
    expect(sink.items).toMatchObject([{ type: 'event', cursor: 'e-1-3', entry: { position: 3 } }]);
  });

  it('with a cursor is told everything after it, over many pages, and then what comes', async () => {
    hub = aHub({ pageEntries: 3 });
    for (let i = 0; i < 10; i++) publish();
    const sink = await opened({ ...ALL, from: 'e-1-4' });
    publish();
    expect(sink.positions).toEqual([5, 6, 7, 8, 9, 10, 11]);
  });

  it('gets what is committed while it replays, once and in its place', async () => {
    for (let i = 0; i < 5; i++) publish();
    journal.turnsOf = () => 6;
    const sink = new FakeSink();
    hub.open(FROM_START, sink);
    for (let i = 0; i < 20; i++) {
      publish();
      await turn();
    }
    await settle();
    expect(sink.positions).toEqual(Array.from({ length: 25 }, (_, index) => index + 1));
  });

  it('gets what was committed before a page was read and published after it once', async () => {
    const committed = [write(), write(), write()];
    journal.turnsOf = () => 4;
    const sink = new FakeSink();
    hub.open(FROM_START, sink);
    await settle(6);
    expect(journal.reads).toBe(1);
    hub.publish(committed);
    await settle();
    publish();
    expect(sink.positions).toEqual([1, 2, 3, 4]);
  });

  it('gets more than may wait for it while it replays by reading again', async () => {
    hub = aHub({ pendingMax: 3 });
    journal.turnsOf = () => 6;
    const sink = new FakeSink();
    hub.open(FROM_START, sink);
    for (let i = 0; i < 30; i++) {
      publish();
      if (i % 4 === 0) await turn();
    }
    await settle(60);
    publish();
    expect(sink.positions).toEqual(Array.from({ length: 31 }, (_, index) => index + 1));
  });

  it('sees its own workspace and mode, and what its filters let through, replayed and live alike', async () => {
    const write = (): void => {
      publish('call_1', { type: 'voice_detected' });
      publish('call_1', { type: 'call_started' });
      publish('call_2', { type: 'voice_ended' });
      publish('call_1', { workspace_id: 'ws_2' });
      publish('call_1', { test_mode: true });
      publish('call_1', { type: 'voice_detected', data: { agent_id: 'other' } });
    };
    const queries: [Partial<StreamQuery>, number[]][] = [
      [{}, [1, 2, 3, 6]],
      [{ types: ['voice_*'] }, []],
      [{ types: ['voice.*'] }, [1, 3, 6]],
      [{ types: ['call_started', 'voice_ended'] }, [2, 3]],
      [{ callId: 'call_2' }, [3]],
      [{ agentId: 'other' }, [6]],
      [{ testMode: true }, [5]],
      [{ workspaceId: 'ws_2' }, [4]],
    ];
    write();
    const sinks = await Promise.all(queries.map(([query]) => opened({ ...FROM_START, ...query })));
    write();
    for (const [index, [query, expected]] of queries.entries()) {
      const both = [...expected, ...expected.map((position) => position + 6)];
      expect(sinks[index]!.positions, `query ${JSON.stringify(query)}`).toEqual(both);
    }
  });

  it('that closes is told nothing more', async () => {
    const sink = new FakeSink();
    const stream = hub.open(ALL, sink);
    await settle();
    publish();
    stream.close();
    stream.close();
    publish();
    expect(sink.positions).toEqual([1]);
    expect(sink.ends).toEqual([]);
    expect(hub.readers).toBe(0);
  });

  it('that closes in the middle of its replay is read for no further', async () => {
    hub = aHub({ pageEntries: 1 });
    for (let i = 0; i < 50; i++) publish();
    const sink = new FakeSink();
    const stream = hub.open(FROM_START, sink);
    await turn();
    await turn();
    stream.close();
    const { reads } = journal;
    await settle();
    expect(journal.reads).toBe(reads);
    expect(sink.items.length).toBeLessThan(5);
  });
});

describe('a gap', () => {
  it('is announced where history was trimmed, with its ends, before what is left', async () => {
    for (let i = 0; i < 10; i++) publish();
    journal.trim(6);
    const sink = await opened({ ...ALL, from: 'e-1-2' });
    expect(sink.items[0]).toEqual({ type: 'gap', cursor: 'e-1-6', from: 3, to: 6 });
    expect(sink.positions).toEqual([7, 8, 9, 10]);
  });

  it('is not announced where nothing is missing', async () => {
    for (let i = 0; i < 10; i++) publish();
    journal.trim(6);
    expect((await opened({ ...ALL, from: 'e-1-6' })).items[0]?.type).toBe('event');
    expect((await opened({ ...ALL, from: 'e-1-10' })).items).toEqual([]);
    expect(hub.stats.gaps).toBe(0);
  });

  it.each(['other-3', 'e-1-99', 'e-1-x', 'e-1-', 'e-1', '3', '', 'e-2-1', 'e-1--1'])(
    'is announced to a reader with the cursor %j, which then follows',
    async (from) => {
      for (let i = 0; i < 4; i++) publish();
      const sink = await opened({ ...ALL, from });
      publish();
      expect(sink.items[0]).toEqual({ type: 'gap', cursor: 'e-1-4', from: null, to: null });
      expect(sink.positions).toEqual([5]);
    },
  );
});

describe('a slow reader', () => {
  it('is let go a mebibyte behind, and resumes without a hole', async () => {
    const sink = await opened(ALL);
    sink.bytesPerItem = 300_000;
    for (let i = 0; i < 6; i++) publish();
    expect(sink.ends).toEqual(['too_slow']);
    expect(sink.positions).toEqual([1, 2, 3, 4]);
    expect((await opened({ ...ALL, from: sink.cursor })).positions).toEqual([5, 6]);
    expect(hub.stats.tooSlow).toBe(1);
  });

  it('is waited for while it replays', async () => {
    for (let i = 0; i < 20; i++) publish();
    const sink = new FakeSink();
    sink.bytesPerItem = 200_000;
    hub.open(FROM_START, sink);
    for (let i = 0; i < 100 && sink.items.length < 20; i++) {
      await settle(3);
      sink.bufferedBytes = Math.max(0, sink.bufferedBytes - 200_000);
      clock.advance(20);
    }
    await settle();
    expect(sink.positions).toHaveLength(20);
    expect(sink.ends).toEqual([]);
  });

  it('is not waited for longer than half a minute', async () => {
    for (let i = 0; i < 20; i++) publish();
    const sink = new FakeSink();
    sink.bytesPerItem = 300_000;
    hub.open(FROM_START, sink);
    for (let i = 0; i < 40; i++) {
      await settle(2);
      clock.advance(1_000);
    }
    expect(sink.ends).toEqual(['too_slow']);
    expect(sink.positions).toEqual([1]);
  });
});

describe('the hub', () => {
  it('takes so many readers and turns the next away', async () => {
    hub = aHub({ readersMax: 2 });
    const [first, second, third] = [new FakeSink(), new FakeSink(), new FakeSink()];
    const stream = hub.open(ALL, first);
    hub.open(ALL, second);
    hub.open(ALL, third);
    expect(third.ends).toEqual(['closing']);
    stream.close();
    hub.open(ALL, new FakeSink());
    expect(hub.stats).toMatchObject({ opened: 3, refused: 1 });
    expect(hub.readers).toBe(2);
  });

  it('ends a stream whose history cannot be read, for the reader to come back', async () => {
    publish();
    journal.isBroken = true;
    const sink = await opened(FROM_START);
    expect(sink.ends).toEqual(['closing']);
    expect(hub.stats.replayFailures).toBe(1);
    expect(hub.readers).toBe(0);
  });

  it('ends everybody when it closes, and takes nobody after', async () => {
    const sink = await opened(ALL);
    hub.close();
    expect(sink.ends).toEqual(['closing']);
    expect((await opened(ALL)).ends).toEqual(['closing']);
  });

  it('does not take events out of commit order', () => {
    const [first, second] = [write(), write()];
    hub.publish([second]);
    expect(() => hub.publish([first])).toThrow('commit order');
  });
});

describe('a cursor', () => {
  it.each([
    ['a-b-7', 'a-b', 7],
    ['a-0', 'a', 0],
    ['a-7', 'b', undefined],
    ['-7', '', 7],
    ['a-1e3', 'a', undefined],
    ['a-9999999999999999', 'a', undefined],
  ])('%j in the history %j is %j', (cursor, epoch, expected) => {
    expect(positionOf(cursor, epoch)).toBe(expected);
  });
});

describe('under random commits and disconnects', () => {
  it('a reader that resumes has seen everything once and in order', async () => {
    const stories = process.env['OMNIVOICE_TEST_LONG'] ? 2_000 : 20;
    for (let seed = 1; seed <= stories; seed++) {
      const dice = new FakeClock({ seed });
      const roll = (sides: number): number => dice.randomBytes(2).readUInt16BE() % sides;
      journal = new FakeJournal();
      journal.turnsOf = () => roll(5);
      source = new FakeOutbox();
      hub = aHub({ pageEntries: 1 + roll(7), pendingMax: roll(6) });
      const query = { ...FROM_START, callId: roll(2) === 0 ? null : 'call_0' };
      const seen: number[] = [];
      let cursor: string | null = query.from;
      let sink = new FakeSink();
      let stream = hub.open(query, sink);
      const reconnect = (): void => {
        stream.close();
        seen.push(...sink.positions);
        cursor = sink.cursor ?? cursor;
        sink = new FakeSink();
        stream = hub.open({ ...query, from: cursor }, sink);
      };
      // Committed is one thing, published a little later another.
      const committed: CommittedEvent[] = [];
      for (let step = 0; step < 150; step++) {
        if (roll(2) === 0) committed.push(write(`call_${roll(3)}`));
        if (roll(2) === 0) hub.publish(committed.splice(0, roll(4)));
        if (roll(3) === 0) await settle(roll(8));
        if (roll(8) === 0) reconnect();
      }
      hub.publish(committed);
      await settle(150);
      seen.push(...sink.positions);
      const expected = journal.entries
        .filter(({ envelope }) => query.callId === null || envelope.resource.id === query.callId)
        .map(({ position }) => position);
      expect(seen, `seed ${seed}`).toEqual(expected);
      expect(hub.stats.gaps, `seed ${seed}`).toBe(0);
    }
  }, 120_000);
});
