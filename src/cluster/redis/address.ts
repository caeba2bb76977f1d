/** Where Redis is: one server, or the Sentinels that know which one is the master. */
export type RedisAddress =
  | ({ readonly kind: 'server'; readonly host: string; readonly port: number } & Login)
  | ({ readonly kind: 'sentinel'; readonly name: string; readonly sentinels: readonly HostPort[] } & Login);

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

interface Login {
  readonly isTls: boolean;
  readonly username: string | null;
  readonly password: string | null;
}

const FORM = /^(redis|rediss|redis\+sentinel):\/\/(?:([^:@/]*)(?::([^@/]*))?@)?([^/@?#]+)(?:\/([^/?#]*))?$/;
const PORT = { server: 6379, sentinel: 26_379 } as const;

/**
 * Reads `redis://`, `rediss://` (TLS) or `redis+sentinel://h1:p,h2:p/name`, each with `user:password@` where
 * needed. Undefined where it is none of them.
 */
export function readRedisAddress(url: string): RedisAddress | undefined {
  const match = FORM.exec(url);
  if (match === null) return undefined;
  const [, scheme, user = '', secret = '', hosts = '', name = ''] = match;
  const username = decoded(user);
  const password = decoded(secret);
  if (username === undefined || password === undefined) return undefined;
  const login = { isTls: scheme === 'rediss', username: username || null, password: password || null };
  const isSentinel = scheme === 'redis+sentinel';
  const read = hosts.split(',').map((text) => readHost(text, isSentinel ? PORT.sentinel : PORT.server));
  const places = read.filter((place) => place !== undefined);
  const [first] = places;
  if (first === undefined || places.length < read.length) return undefined;
  if (isSentinel) return name === '' ? undefined : { kind: 'sentinel', name, sentinels: places, ...login };
  return places.length === 1 && name === '' ? { kind: 'server', ...first, ...login } : undefined;
}

function readHost(text: string, fallbackPort: number): HostPort | undefined {
  const match = /^(\[[0-9a-fA-F:.]+\]|[^:[\]\s]+)(?::(\d{1,5}))?$/.exec(text);
  const host = match?.[1]?.replace(/^\[|\]$/g, '');
  const port = Number(match?.[2] ?? fallbackPort);
  return host === undefined || port < 1 || port > 65_535 ? undefined : { host, port };
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    // A stray percent sign: the address is mistaken, and its reader says so.
    return undefined;
  }
}
