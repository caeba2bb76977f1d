import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { sleep, type Clock } from '../../base/clock.ts';

/** Who was asked to leave, and does not, is ended after this. */
const LEAVES_WITHIN_MS = 3_000;
/** A second signal hurries a host on: nobody is on its lines any more. */
const HURRIED_AFTER_MS = 200;

export interface ProcessWish {
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: { readonly [name: string]: string };
  readonly clock: Pick<Clock, 'after'>;
  /** One line of what it prints. */
  readonly onLine?: (line: string) => void;
  readonly onLeft?: () => void;
}

/** A process of the demonstration: it ends with it, one way or the other. */
export class DemoProcess {
  readonly #process: ChildProcess;
  readonly #clock: Pick<Clock, 'after'>;
  /** The end of what it said, for who wants to know why it left. */
  #said = '';

  constructor({ program, args, env, clock, onLine, onLeft }: ProcessWish) {
    this.#clock = clock;
    this.#process = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], ...(env && { env }) });
    // Said by `hasLeft`: a program that cannot be started has no process.
    this.#process.on('error', () => onLeft?.());
    this.#process.on('exit', () => {
      // Whoever it leaves behind holds the other ends of them, and would hold us.
      this.#process.stdout?.destroy();
      this.#process.stderr?.destroy();
      onLeft?.();
    });
    let rest = '';
    this.#process.stdout?.on('data', (piece: Buffer) => {
      const lines = (rest + piece.toString('utf8')).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) this.#hear(line, onLine);
    });
    this.#process.stderr?.on('data', (piece: Buffer) => this.#hear(piece.toString('utf8'), undefined));
  }

  get hasLeft(): boolean {
    const { pid, exitCode, signalCode } = this.#process;
    return pid === undefined || exitCode !== null || signalCode !== null;
  }

  get lastWords(): string {
    return this.#said;
  }

  /** It did not leave by itself. */
  get wasKilled(): boolean {
    return this.#process.signalCode === 'SIGKILL';
  }

  /** As kill -9. */
  kill(): void {
    this.#process.kill('SIGKILL');
  }

  /** Asked, asked again, and ended. */
  async close(): Promise<void> {
    if (this.hasLeft) return;
    const left = once(this.#process, 'exit');
    this.#process.kill('SIGTERM');
    await Promise.race([left, sleep(this.#clock, HURRIED_AFTER_MS)]);
    this.#process.kill('SIGTERM');
    await Promise.race([left, sleep(this.#clock, LEAVES_WITHIN_MS)]);
    if (!this.hasLeft) this.kill();
    await left;
  }

  #hear(line: string, onLine: ProcessWish['onLine']): void {
    this.#said = `${this.#said}${line}\n`.slice(-2_000);
    onLine?.(line);
  }
}
