import { VoiceError } from '../../base/errors.ts';
import { readRedisAddress } from './address.ts';
import { RedisConnection } from './connection.ts';
import { RedisRegistry, type RedisRegistryOptions } from './redis-registry.ts';

export interface RedisOptions extends Pick<RedisRegistryOptions, 'region' | 'clock' | 'observe'> {
  readonly url: string;
  readonly log: { warn(fields: object, sentence: string): void };
}

/** The registry of a region, in Redis. Throws `invalid_argument` where the address is none. */
export function openRedisRegistry({ url, log, ...options }: RedisOptions): RedisRegistry {
  const address = readRedisAddress(url);
  if (address === undefined) throw new VoiceError('invalid_argument', 'the address of Redis cannot be read');
  let last = '';
  // The client repeats its error with every attempt: it is told once for as long as it stays the same.
  const onError = ({ message }: Error): void => {
    if (message !== last) log.warn({ error: message }, 'Redis does not answer');
    last = message;
  };
  return new RedisRegistry({ ...options, connection: new RedisConnection({ address, onError }) });
}
