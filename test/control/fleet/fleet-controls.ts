import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { HookReceiver } from '../../fakes/hook-receiver.ts';
import { until } from '../../fakes/until.ts';
import { atTheEnd } from '../../store/temp-store.ts';

const CHILD = join(import.meta.dirname, 'fleet-child.ts');
const STARTS_WITHIN_MS = 20_000;

type Line = Readonly<Record<string, unknown>>;

/** A real process of a fleet. */
export class FleetControl {
  readonly lines: Line[] = [];
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
    createInterface({ input: child.stdout! }).on('line', (line) => this.lines.push(JSON.parse(line) as Line));
    child.stdin!.on('error', () => undefined);
  }

  static async start(databaseUrl: string): Promise<FleetControl> {
    const stdio: ['pipe', 'pipe', 'inherit'] = ['pipe', 'pipe', 'inherit'];
    const control = new FleetControl(spawn(process.execPath, [CHILD, databaseUrl], { stdio }));
    atTheEnd(() => control.kill());
    await until(() => control.#said('ready').length > 0, 'control is ready', STARTS_WITHIN_MS);
    return control;
  }

  get heard(): readonly number[] {
    return this.#said('heard').map((line) => line['heard'] as number);
  }

  /** The cursor of the last event its reader heard. */
  get cursor(): string {
    return (this.#said('cursor').at(-1)?.['cursor'] ?? '-') as string;
  }

  /** Commits events of a call, and resolves once they are committed. */
  async tell(callId: string, first: number, count: number): Promise<void> {
    await this.#ask(`tell ${callId} ${first} ${count}`, 'told');
  }

  async stream(from = '-'): Promise<void> {
    await this.#ask(`stream ${from}`, 'streaming');
  }

  /** Asks for a delivery to be sent once more. */
  async replay(deliveryId: string): Promise<void> {
    await this.#ask(`replay ${deliveryId}`, 'replayed');
  }

  async holding(): Promise<number> {
    return (await this.#ask('holding', 'holding'))['holding'] as number;
  }

  stop(): void {
    this.#child.kill('SIGSTOP');
  }

  goOn(): void {
    this.#child.kill('SIGCONT');
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }

  async leave(): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.stdin!.write('leave\n');
    await ended;
  }

  async #ask(order: string, answer: string): Promise<Line> {
    const { length: before } = this.#said(answer);
    this.#child.stdin!.write(`${order}\n`);
    await until(() => this.#said(answer).length > before, answer, STARTS_WITHIN_MS);
    return this.#said(answer).at(-1)!;
  }

  #said(what: string): readonly Line[] {
    const failed = this.lines.find((line) => 'failed' in line);
    if (failed !== undefined) throw new Error(`the process says ${String(failed['failed'])}`);
    return this.lines.filter((line) => what in line);
  }
}

/** First arrivals of each event, by call, in the order they came. */
export function firstArrivals({ received }: HookReceiver): ReadonlyMap<string, readonly number[]> {
  const seen = new Set<string>();
  const byCall = new Map<string, number[]>();
  for (const { headers, body } of received) {
    const id = headers['webhook-id']!;
    if (seen.has(id)) continue;
    seen.add(id);
    const { resource, sequence } = JSON.parse(body) as { resource: { id: string }; sequence: number };
    byCall.set(resource.id, [...(byCall.get(resource.id) ?? []), sequence]);
  }
  return byCall;
}
