import { WebSocket } from 'ws';
import type { House } from './house.ts';

/** What became of a caller: in, or the status it was refused with, and by whom. */
export type Placed =
  | { readonly type: 'in'; readonly port: string; readonly socket: WebSocket }
  | {
      readonly type: 'refused';
      readonly by: 'control' | 'node';
      readonly status: number;
      readonly retryAfter: string | null;
    };

interface Session {
  readonly ws_url: string;
  readonly token: string;
  readonly region: string;
}

/** Starts a session and connects where it says, as `omnivoice.v1`, without a word of sound. */
export async function place(house: House, wish: object = {}): Promise<Placed> {
  const answer = await house.fetch('POST', '/voice/sessions', { agent_id: 'silent', ...wish });
  const body = (await answer.json()) as { readonly data: Session };
  if (!answer.ok) {
    const retryAfter = answer.headers.get('retry-after');
    return { type: 'refused', by: 'control', status: answer.status, retryAfter };
  }
  return connect(body.data.ws_url, body.data.token);
}

/** Connects to that URL; in once the protocol has said that the leg is. */
export function connect(url: string, token?: string): Promise<Placed> {
  const socket = new WebSocket(url, token === undefined ? ['omnivoice.v1'] : ['omnivoice.v1', token]);
  return new Promise((resolve, reject) => {
    const refused = (status: number, retryAfter: string | null): void =>
      resolve({ type: 'refused', by: 'node', status, retryAfter });
    socket.once('unexpected-response', (_, { statusCode = 0, headers }) => {
      refused(statusCode, headers['retry-after'] ?? null);
    });
    socket.on('error', reject);
    socket.once('open', () => socket.send(JSON.stringify({ type: 'start' })));
    // Between the upgrade and the start another one may have come in.
    socket.once('close', (code) => refused(code, null));
    socket.once('message', () => resolve({ type: 'in', port: new URL(url).port, socket }));
  });
}

/** So many, that many a second, as callers come: nobody waits for who came before. */
export async function placeMany(
  count: number,
  perSecond: number,
  placeOne: () => Promise<Placed>,
): Promise<readonly Placed[]> {
  const placing: Promise<Placed>[] = [];
  for (let i = 0; i < count; i++) {
    placing.push(placeOne());
    await new Promise((resolve) => setTimeout(resolve, 1_000 / perSecond));
  }
  return Promise.all(placing);
}

/** How many are in, by the port they came to. */
export function portsOf(placed: readonly Placed[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const one of placed) if (one.type === 'in') counts.set(one.port, (counts.get(one.port) ?? 0) + 1);
  return counts;
}
