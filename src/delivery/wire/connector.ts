import type { LookupFunction, Socket } from 'node:net';
import { callbackify } from 'node:util';
import { buildConnector } from 'undici';
import type { Clock } from '../../base/clock.ts';
import { watchConnect } from './connect-timings.ts';
import type { ResolverStats } from './resolver.ts';
import { EgressBlocked, isReachable, literalOf, verdictOf, type EgressAllow } from './guard.ts';

/** Names to addresses, as the connector needs them. */
export interface NameResolver {
  readonly stats?: ResolverStats;
  resolve(host: string): Promise<readonly string[]>;
}

export interface ConnectorOptions {
  readonly allow: EgressAllow;
  readonly resolver: NameResolver;
  readonly timeoutMs: number;
  readonly clock: Pick<Clock, 'nowMs'>;
  /** PEM of further authorities to trust, beside those of the runtime. */
  readonly ca?: string;
}

/**
 * Opens sockets of hooks to nothing the guard forbids. A literal address is judged here, since undici asks no
 * lookup for one; names are resolved once and connected to exactly what was judged, so that a second DNS
 * answer cannot slip in; and the peer of the socket is judged again when it stands.
 */
export function guardedConnector(options: ConnectorOptions): buildConnector.connector {
  const { allow, resolver, timeoutMs, clock, ca } = options;
  const connect = buildConnector({
    lookup: guardedLookup(allow, resolver),
    timeout: timeoutMs,
    // One request a connection (delivery.md §3.5); the channels that tell of sockets are of HTTP/1.
    allowH2: false,
    ...(ca === undefined ? {} : { ca }),
  });
  return (target, callback) => {
    const literal = literalOf(target.hostname);
    const verdict = literal === undefined ? 'public' : verdictOf(literal, allow, literal);
    if (!isReachable(verdict)) {
      callback(new EgressBlocked(target.hostname, verdict), null);
      return;
    }
    // undici hands the socket out before it is connected, though its types do not say so.
    const opened: unknown = connect(target, (...[error, socket]) => {
      if (error !== null) return callback(error, null);
      const blocked = judgePeer(socket, target.hostname, allow);
      if (blocked === undefined) return callback(null, socket);
      socket.destroy();
      return callback(blocked, null);
    });
    watchConnect(opened, clock);
  };
}

/** The addresses of a host that hooks may reach; throws `EgressBlocked` when it has others only. */
export async function reachableAddresses(
  host: string,
  allow: EgressAllow,
  resolver: NameResolver,
): Promise<readonly string[]> {
  const addresses = await resolver.resolve(host);
  const reachable = addresses.filter((address) => isReachable(verdictOf(address, allow, host)));
  if (reachable.length > 0) return reachable;
  const [first = host] = addresses;
  throw new EgressBlocked(`${host} (${first})`, verdictOf(first, allow, host));
}

function guardedLookup(allow: EgressAllow, resolver: NameResolver): LookupFunction {
  const lookUp = callbackify((host: string) => reachableAddresses(host, allow, resolver));
  return (host, options, callback) => {
    lookUp(host, (error: NodeJS.ErrnoException | null, addresses?: readonly string[]) => {
      const answers = (addresses ?? []).map((address) => ({
        address,
        family: address.includes(':') ? 6 : 4,
      }));
      if (error !== null || options.all === true) return callback(error, answers);
      return callback(null, answers[0]?.address ?? '', answers[0]?.family);
    });
  };
}

function judgePeer(socket: Socket, host: string, allow: EgressAllow): EgressBlocked | undefined {
  // A socket that was already torn down has no peer to judge; its error follows.
  const address = socket.remoteAddress ?? '';
  const verdict = verdictOf(address, allow, host);
  return isReachable(verdict) ? undefined : new EgressBlocked(`${host} (${address})`, verdict);
}
