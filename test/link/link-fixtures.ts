import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { EventRecord } from '../../src/events/envelope.ts';
import type { CommittedEvent, SpooledBatch } from '../../src/events/journal.ts';
import type { LinkJournal } from '../../src/link/commit-queue.ts';
import type { LinkLog } from '../../src/link/link-log.ts';
import type { NodeFacts, NodeStatus } from '../../src/link/messages.ts';

/** An event record that carries its own number, and as much ballast as wanted. */
export function eventRecord(number: number, ballast = ''): EventRecord {
  return {
    envelope: {
      id: `evt_${number}`,
      type: 'voice_detected',
      api_version: '2025-11-01',
      created_at: '2026-11-20T12:00:00.000Z',
      workspace_id: 'ws_1',
      resource: { type: 'call', id: 'call_1' },
      sequence: number,
      region: 'local',
      test_mode: false,
      data: { ballast },
    },
    stamps: { receivedAtMs: number, decidedAtMs: number },
  };
}

/** A directory that is gone when the test has finished. */
export function temporaryDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'link-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

export const FACTS: NodeFacts = { incarnation: 'node-a', node: 0, pid: 1, region: 'local', ownPort: 8082 };

export const STATUS: NodeStatus = {
  state: 'serving',
  legs: 0,
  calls: 0,
  capLegs: 800,
  loopDelayP99Ms: 1,
  spoolBytes: 0,
};

/** A log that keeps its sentences. */
export class KeptLog implements LinkLog {
  readonly lines: string[] = [];

  info(_fields: object, sentence: string): void {
    this.lines.push(`info ${sentence}`);
  }

  warn(fields: object, sentence: string): void {
    this.lines.push(`warn ${sentence} ${JSON.stringify(fields)}`);
  }

  error(fields: object, sentence: string): void {
    this.lines.push(`error ${sentence} ${JSON.stringify(fields)}`);
  }
}

/** A journal in memory that keeps its promises: in order, once, one cursor per incarnation. */
export class FakeJournal implements LinkJournal {
  /** Event numbers by incarnation, in commit order. */
  readonly committed = new Map<string, number[]>();
  readonly batchSizes: number[] = [];
  readonly forgotten: string[] = [];
  holes = 0;
  /** Runs before a batch counts; throw to fail the commit, wait to make it slow. */
  beforeCommit: (batch: SpooledBatch) => Promise<void> = () => Promise.resolve();
  /** Runs after the batch counts and before anybody hears of it. */
  afterCommit: () => Promise<void> = () => Promise.resolve();
  readonly #cursors = new Map<string, number>();
  #position = 0;

  numbersOf(incarnation: string): readonly number[] {
    return this.committed.get(incarnation) ?? [];
  }

  async commit(batch: SpooledBatch): Promise<readonly CommittedEvent[]> {
    await this.beforeCommit(batch);
    const cursor = this.#cursors.get(batch.incarnation) ?? 0;
    if (batch.first > cursor + 1) this.holes++;
    const fresh = batch.records.slice(Math.max(0, cursor + 1 - batch.first));
    const numbers = this.committed.get(batch.incarnation) ?? [];
    numbers.push(...fresh.map(({ envelope }) => envelope.sequence));
    this.committed.set(batch.incarnation, numbers);
    this.#cursors.set(batch.incarnation, Math.max(cursor, batch.first + batch.records.length - 1));
    this.batchSizes.push(batch.records.length);
    await this.afterCommit();
    return fresh.map(({ envelope, stamps }) => ({
      ...stamps,
      position: ++this.#position,
      envelope,
      committedAtMs: 0,
      deliveries: [],
    }));
  }

  cursorOf(incarnation: string): Promise<number> {
    return Promise.resolve(this.#cursors.get(incarnation) ?? 0);
  }

  forgetCursor(incarnation: string): Promise<void> {
    this.forgotten.push(incarnation);
    this.#cursors.delete(incarnation);
    return Promise.resolve();
  }
}

/** 1, 2, … count. */
export function upTo(count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}
