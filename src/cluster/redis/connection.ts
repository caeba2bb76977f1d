import { Redis, type RedisOptions } from 'ioredis';
import { onDeadline, systemClock } from '../../base/clock.ts';
import type { Closeable } from '../../base/lifetime.ts';
import type { RedisAddress } from './address.ts';
import { Circuit } from './circuit.ts';
import type { Script } from './scripts.ts';

/** A command is given up after this; the server may still run it, so every write here can be repeated. */
export const COMMAND_TIMEOUT_MS = 300;

type Options = RedisOptions & { readonly replyMapping: 'legacy' };

const retryDelayMs = (times: number): number => Math.min(50 * times, 250);

// The defaults are dangerous for leases: a command on a stopped Redis hangs as long as it does, and after a
// restart the client would send an old write again, over the new owner's.
const OPTIONS: Options = {
  replyMapping: 'legacy',
  // Of what the client asks by itself when it connects. It fires before answers that wait in the socket are
  // read, so a late loop would fail with it: ours have a deadline of their own.
  commandTimeout: 1_000,
  socketTimeout: 1_000,
  connectTimeout: 500,
  keepAlive: 5_000,
  maxRetriesPerRequest: 0,
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  retryStrategy: retryDelayMs,
  sentinelRetryStrategy: retryDelayMs,
  failoverDetector: true,
  // 1 and never 2: the command that met a demoted master is not sent again.
  reconnectOnError: (error) => (error.message.includes('READONLY') ? 1 : false),
};

export interface RedisConnectionOptions {
  readonly address: RedisAddress;
  /** Hears of errors, which Redis' client repeats with every attempt; may be called often. */
  readonly onError?: (error: Error) => void;
}

/** One connection for beats and claims: every question has an answer within 300 ms, or none at all. */
export class RedisConnection implements Closeable {
  readonly circuit = new Circuit();
  readonly #redis: Redis;

  constructor({ address, onError }: RedisConnectionOptions) {
    this.#redis = new Redis(optionsOf(address));
    this.#redis.on('error', (error: Error) => onError?.(error));
  }

  get isReady(): boolean {
    return this.#redis.status === 'ready';
  }

  /** Runs the script. Undefined where there was no answer in time, or a refusal of the server. */
  async run(script: Script, keys: readonly string[], values: readonly (string | number)[]): Promise<unknown> {
    try {
      const answer = await inTime(this.#evaluate(script, keys, values));
      this.circuit.worked();
      return answer;
    } catch {
      // Refused, hung, read-only or full: the registry cannot be asked, and the circuit counts it.
      this.circuit.failed();
      return undefined;
    }
  }

  close(): void {
    this.#redis.disconnect();
  }

  async #evaluate(
    script: Script,
    keys: readonly string[],
    values: readonly (string | number)[],
  ): Promise<unknown> {
    const rest = [...keys, ...values];
    try {
      return await this.#redis.evalsha(script.sha, keys.length, ...rest);
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
      return this.#redis.eval(script.lua, keys.length, ...rest);
    }
  }
}

function inTime<T>(answer: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = onDeadline(systemClock, COMMAND_TIMEOUT_MS, () => reject(new Error('no answer in time')));
    answer.then(resolve, reject).finally(cancel);
  });
}

/** The options of ioredis for that address. */
export function optionsOf(address: RedisAddress): Options {
  const login = {
    ...(address.username === null ? {} : { username: address.username }),
    ...(address.password === null ? {} : { password: address.password }),
    ...(address.isTls ? { tls: {} } : {}),
  };
  if (address.kind === 'server') return { ...OPTIONS, ...login, host: address.host, port: address.port };
  return { ...OPTIONS, ...login, name: address.name, sentinels: [...address.sentinels] };
}
