import type { Cancel, Clock } from './clock.ts';
import { isObject } from './json.ts';
import type { Closeable } from './lifetime.ts';
import { BEAT_MS, type FromSupervisor, type ToSupervisor } from './supervision.ts';

/** What a child does when it is told. Each is called once, `onReload` as often as it is said. */
export interface SupervisedOptions {
  readonly clock: Pick<Clock, 'after'>;
  /** How long calls may go on where no supervisor says so: a process started by hand. */
  readonly drainDeadlineMs: number;
  readonly onDrain: (deadlineMs: number) => void;
  readonly onStop: () => void;
  readonly onReload: () => void;
  /** The supervisor is gone. Never called in a process that has none. */
  readonly onOrphaned: () => void;
  /** The process itself, unless a test stands in for it. */
  readonly host?: SupervisedHost;
}

/** What is asked of the process: signals, and the channel where a supervisor opened one. */
export interface SupervisedHost {
  readonly send?: ((message: ToSupervisor, done: () => void) => unknown) | undefined;
  readonly connected?: boolean;
  readonly stdout: { write(text: string): unknown };
  on(event: string, listener: (message: unknown) => void): unknown;
  off(event: string, listener: (message: unknown) => void): unknown;
  disconnect?(): void;
}

/** A child's side of supervision. */
export interface Supervised extends Closeable {
  readonly isSupervised: boolean;
  /** To be called when listening. Without a supervisor the facts are printed, as one JSON line. */
  ready(facts: { readonly [name: string]: string }): void;
}

/**
 * Follows the supervisor: beats, drains, stops and reloads as it says. A process started by hand follows
 * signals instead.
 */
export function openSupervised(options: SupervisedOptions): Supervised {
  const host = options.host ?? process;
  return host.send === undefined ? openAlone(options, host) : openChild(options, host);
}

function openChild(options: SupervisedOptions, host: SupervisedHost): Supervised {
  let cancelBeat: Cancel;
  // A channel that breaks while we write is told by 'disconnect'; the failed write itself says nothing more.
  const tell = (message: ToSupervisor): unknown => host.connected && host.send?.(message, () => {});
  const beat = (): void => {
    tell({ type: 'beat' });
    cancelBeat = options.clock.after(BEAT_MS, beat);
  };
  const orders = obedience(options);
  // Terminals and service managers signal the whole group; who leaves when is the supervisor's to say.
  const deaf = listen(host, { SIGINT: () => {}, SIGTERM: () => {}, SIGHUP: () => {} });
  const heard = listen(host, { message: orders.obey, disconnect: () => options.onOrphaned() });
  beat();
  return {
    isSupervised: true,
    ready: (facts) => tell({ type: 'ready', facts }),
    close: () => {
      cancelBeat();
      heard();
      deaf();
      if (host.connected) host.disconnect?.();
    },
  };
}

function openAlone(options: SupervisedOptions, host: SupervisedHost): Supervised {
  const orders = obedience(options);
  const onSignal = (): void => orders.leave(options.drainDeadlineMs);
  const heard = listen(host, { SIGINT: onSignal, SIGTERM: onSignal, SIGHUP: () => options.onReload() });
  return {
    isSupervised: false,
    ready: (facts) => {
      host.stdout.write(`${JSON.stringify({ type: 'ready', facts } satisfies ToSupervisor)}\n`);
    },
    close: heard,
  };
}

type Stage = 'running' | 'draining' | 'stopping';

function obedience(options: SupervisedOptions): {
  obey: (message: unknown) => void;
  leave: (deadlineMs: number) => void;
} {
  let stage: Stage = 'running';
  const drain = (deadlineMs: number): void => {
    if (stage !== 'running') return;
    stage = 'draining';
    options.onDrain(deadlineMs);
  };
  const stop = (): void => {
    if (stage === 'stopping') return;
    stage = 'stopping';
    options.onStop();
  };
  return {
    obey: (message) => {
      const order = orderOf(message);
      if (order?.type === 'drain') drain(order.deadlineMs);
      if (order?.type === 'stop') stop();
      if (order?.type === 'reload') options.onReload();
    },
    // The first signal drains, the second stops.
    leave: (deadlineMs) => (stage === 'running' ? drain(deadlineMs) : stop()),
  };
}

function orderOf(message: unknown): FromSupervisor | undefined {
  return isObject(message) ? (message as unknown as FromSupervisor) : undefined;
}

function listen(host: SupervisedHost, handlers: { [event: string]: (value: unknown) => void }): () => void {
  for (const [event, handler] of Object.entries(handlers)) host.on(event, handler);
  return () => {
    for (const [event, handler] of Object.entries(handlers)) host.off(event, handler);
  };
}
