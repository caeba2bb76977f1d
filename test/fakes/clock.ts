import { seededDice, type Cancel, type Clock, type Dice } from '../../src/base/clock.ts';

interface Task {
  readonly dueAtMs: number;
  readonly order: number;
  readonly run: () => void;
}

/** Virtual time and seeded dice: nothing happens until a test says so, and then always the same. */
export class FakeClock implements Clock {
  #nowMs: number;
  #unixMs: number;
  readonly #dice: Dice;
  #order = 0;
  #tasks: Task[] = [];

  constructor(options: { nowMs?: number; unixMs?: number; seed?: number } = {}) {
    this.#nowMs = options.nowMs ?? 0;
    this.#unixMs = options.unixMs ?? Date.UTC(2026, 10, 20, 12);
    this.#dice = seededDice(options.seed ?? 1);
  }

  nowMs(): number {
    return this.#nowMs;
  }

  unixMs(): number {
    return Math.floor(this.#unixMs);
  }

  get pendingTasks(): number {
    return this.#tasks.length;
  }

  after(delayMs: number, run: () => void): Cancel {
    const task = { dueAtMs: this.#nowMs + Math.max(0, delayMs), order: this.#order++, run };
    this.#tasks.push(task);
    return () => {
      this.#tasks = this.#tasks.filter((other) => other !== task);
    };
  }

  randomBytes(count: number): Buffer {
    const bytes = Buffer.alloc(count);
    for (let i = 0; i < count; i++) bytes[i] = Math.floor(this.#dice() * 256);
    return bytes;
  }

  /** Moves time on, running what falls due in order and at its own instant. */
  advance(durationMs: number): void {
    const untilMs = this.#nowMs + durationMs;
    for (let task = this.#next(untilMs); task !== undefined; task = this.#next(untilMs)) {
      this.#tasks = this.#tasks.filter((other) => other !== task);
      this.#moveTo(task.dueAtMs);
      task.run();
    }
    this.#moveTo(untilMs);
  }

  /** Steps the wall clock alone, as NTP or an operator does. */
  stepWallClock(byMs: number): void {
    this.#unixMs += byMs;
  }

  #next(untilMs: number): Task | undefined {
    const due = this.#tasks.filter((task) => task.dueAtMs <= untilMs);
    return due.sort((a, b) => a.dueAtMs - b.dueAtMs || a.order - b.order)[0];
  }

  #moveTo(atMs: number): void {
    this.#unixMs += atMs - this.#nowMs;
    this.#nowMs = atMs;
  }
}
