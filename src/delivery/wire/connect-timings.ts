import { Socket } from 'node:net';
import type { Clock } from '../../base/clock.ts';
import type { AttemptTimings } from '../outbox.ts';

/** What the opening of a socket took, by its stages; null for those it did not have. */
export type ConnectTimings = Pick<AttemptTimings, 'dnsMs' | 'connectMs' | 'tlsMs'>;

/** Of a socket that was open already. */
export const NO_CONNECT: ConnectTimings = { dnsMs: null, connectMs: null, tlsMs: null };

const timingsOf = new WeakMap<Socket, ConnectTimings>();

/** Notes when the name was known, the connection stood and TLS was agreed; from now on. */
export function watchConnect(socket: unknown, clock: Pick<Clock, 'nowMs'>): void {
  if (!(socket instanceof Socket)) return;
  let sinceMs = clock.nowMs();
  const note = (name: keyof ConnectTimings) => (): void => {
    const known = timingsOf.get(socket) ?? NO_CONNECT;
    // Happy eyeballs may ask and connect more than once: the first of each is what was waited for.
    if (known[name] !== null) return;
    const nowMs = clock.nowMs();
    timingsOf.set(socket, { ...known, [name]: nowMs - sinceMs });
    sinceMs = nowMs;
  };
  // Before the listener that hands the socket over: the request leaves within it.
  socket
    .prependOnceListener('lookup', note('dnsMs'))
    .prependOnceListener('connect', note('connectMs'))
    .prependOnceListener('secureConnect', note('tlsMs'));
}

/** What was noted of this socket's opening. */
export function connectTimingsOf(socket: Socket): ConnectTimings {
  return timingsOf.get(socket) ?? NO_CONNECT;
}
