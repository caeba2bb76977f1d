import type { AtMs, Clock } from '../../../base/clock.ts';
import type { Closeable } from '../../../base/lifetime.ts';
import { SchemaThread } from './schema-thread.ts';
import type { SchemaReply } from './schema-worker.ts';

/** A schema as it is applied; `key` names it for good. */
export interface KeyedSchema {
  readonly key: string;
  readonly text: string;
}

/** What a schema says of a body, or why it says nothing. */
export type SchemaVerdict =
  | Exclude<SchemaReply, { type: 'unknown' }>
  /** It took too long, and is let nowhere near a worker for a while. */
  | { readonly type: 'overran' }
  /** It took too long a moment ago. */
  | { readonly type: 'barred'; readonly waitMs: number }
  | { readonly type: 'full' };

export interface SchemaDeskOptions {
  readonly clock: Pick<Clock, 'after' | 'nowMs'>;
  readonly checkWithinMs?: number;
  readonly compileWithinMs?: number;
  readonly waitingMax?: number;
  readonly threads?: number;
}

const CHECK_WITHIN_MS = 250;
/** The first of a thread also warms the compiler. */
const COMPILE_WITHIN_MS = 1_500;
const WAITING_MAX = 200;
/** One that stands still leaves the other to everybody else. */
const THREADS = 2;
const BAR_MS = 5_000;
const BAR_MS_MAX = 300_000;
const BARRED_MAX = 1_000;

/** Applies strangers' schemas in worker threads, each within a deadline: control never waits for one. */
export class SchemaDesk implements Closeable {
  readonly stats = { checks: 0, overruns: 0, crashes: 0, barred: 0, refused: 0, waiting: 0 };
  readonly #options: SchemaDeskOptions;
  readonly #threads: readonly SchemaThread[];
  readonly #barred = new Map<string, { readonly untilAtMs: AtMs; readonly barMs: number }>();
  readonly #idle: SchemaThread[];
  readonly #queue: ((thread: SchemaThread) => void)[] = [];

  constructor(options: SchemaDeskOptions) {
    this.#options = options;
    this.#threads = Array.from({ length: options.threads ?? THREADS }, () => new SchemaThread(options.clock));
    this.#idle = [...this.#threads];
  }

  /** Whether the schema can be used at all. */
  compile(schema: KeyedSchema): Promise<SchemaVerdict> {
    return this.#apply(schema, null);
  }

  /** What the schema says of a body, given as JSON. */
  check(schema: KeyedSchema, body: string): Promise<SchemaVerdict> {
    return this.#apply(schema, body);
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.close()));
  }

  async #apply(schema: KeyedSchema, body: string | null): Promise<SchemaVerdict> {
    if (this.stats.waiting >= (this.#options.waitingMax ?? WAITING_MAX)) {
      this.stats.refused++;
      return { type: 'full' };
    }
    this.stats.waiting++;
    const thread = await this.#freeThread();
    try {
      // Asked only now: it may have overrun while this one waited behind it.
      const waitMs = this.#barredMs(schema.key);
      if (waitMs === 0) return await this.#run(thread, schema, body);
      this.stats.barred++;
      return { type: 'barred', waitMs };
    } finally {
      this.stats.waiting--;
      this.#release(thread);
    }
  }

  async #run(thread: SchemaThread, { key, text }: KeyedSchema, body: string | null): Promise<SchemaVerdict> {
    const { checkWithinMs = CHECK_WITHIN_MS, compileWithinMs = COMPILE_WITHIN_MS } = this.#options;
    this.stats.checks++;
    let reply =
      body === null
        ? ({ type: 'unknown' } as const)
        : await thread.run({ key, schema: null, body }, checkWithinMs);
    if (typeof reply === 'object' && reply.type === 'unknown') {
      const made = await thread.run({ key, schema: text, body: null }, compileWithinMs);
      const isMade = typeof made === 'object' && made.type === 'valid';
      reply = isMade && body !== null ? await thread.run({ key, schema: null, body }, checkWithinMs) : made;
    }
    if (typeof reply === 'object') {
      return reply.type === 'unknown' ? { type: 'broken', detail: 'the schema could not be kept' } : reply;
    }
    if (reply === 'overran') this.stats.overruns++;
    else this.stats.crashes++;
    this.#bar(key);
    return { type: 'overran' };
  }

  /** A thread nobody uses; with all in use, the turn comes in the order of asking. */
  #freeThread(): Promise<SchemaThread> {
    const idle = this.#idle.pop();
    if (idle !== undefined) return Promise.resolve(idle);
    return new Promise((turn) => this.#queue.push(turn));
  }

  #release(thread: SchemaThread): void {
    const next = this.#queue.shift();
    if (next === undefined) this.#idle.push(thread);
    else next(thread);
  }

  #barredMs(key: string): number {
    const bar = this.#barred.get(key);
    return bar === undefined ? 0 : Math.max(0, bar.untilAtMs - this.#options.clock.nowMs());
  }

  /** Twice as long as the last time, up to a limit: who stalls a thread again and again gets few chances. */
  #bar(key: string): void {
    const barMs = Math.min((this.#barred.get(key)?.barMs ?? BAR_MS / 2) * 2, BAR_MS_MAX);
    this.#barred.delete(key);
    this.#barred.set(key, { untilAtMs: this.#options.clock.nowMs() + barMs, barMs });
    const [oldest] = this.#barred.keys();
    if (this.#barred.size > BARRED_MAX && oldest !== undefined) this.#barred.delete(oldest);
  }
}
