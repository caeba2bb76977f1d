import { fork, type ChildProcess } from 'node:child_process';

interface Question {
  readonly id: number;
  readonly name: string;
  readonly argument: unknown;
}

interface Answer {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: string;
}

/** A ramp answers when its last caller is in. */
const ANSWER_WITHIN_MS = 300_000;

/** A process of the bench, asked questions over its channel. */
export class Remote {
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  #lastId = 0;

  private constructor(child: ChildProcess, pid: number) {
    this.#child = child;
    this.pid = pid;
    child.on('message', (answer: Answer) => this.#take(answer));
    // Told by the question that could not be asked, and by its exit.
    child.on('error', () => {});
    child.on('exit', (code, signal) => {
      for (const one of this.#waiting.values()) one.reject(new Error(`a process left: ${code ?? signal}`));
    });
  }

  static open(module: string, args: readonly string[] = []): Remote {
    const child = fork(module, args, { serialization: 'advanced' });
    if (child.pid === undefined) throw new Error(`${module} did not start`);
    return new Remote(child, child.pid);
  }

  async ask<T>(name: string, argument: unknown = {}): Promise<T> {
    const id = ++this.#lastId;
    const waiting = Promise.withResolvers<unknown>();
    this.#waiting.set(id, waiting);
    const late = setTimeout(() => waiting.reject(new Error(`no answer to ${name}`)), ANSWER_WITHIN_MS);
    try {
      this.#child.send({ id, name, argument } satisfies Question);
      return (await waiting.promise) as T;
    } finally {
      clearTimeout(late);
      this.#waiting.delete(id);
    }
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const left = new Promise<void>((resolve) => this.#child.once('exit', () => resolve()));
    this.#child.kill('SIGKILL');
    await left;
  }

  #take({ id, value, error }: Answer): void {
    const waiting = this.#waiting.get(id);
    if (error === undefined) waiting?.resolve(value);
    else waiting?.reject(new Error(error));
  }
}

/** The other end: answers by name. The process goes when its parent does. */
export function answerQuestions(answers: { readonly [name: string]: (argument: never) => unknown }): void {
  process.on('disconnect', () => process.exit());
  process.on('message', ({ id, name, argument }: Question) => {
    const work = async (): Promise<unknown> => await answers[name]!(argument as never);
    work().then(
      (value) => process.send!({ id, value } satisfies Answer),
      (error: unknown) => process.send!({ id, error: String(error) } satisfies Answer),
    );
  });
}
