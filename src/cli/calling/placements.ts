import { VoiceError } from '../../base/errors.ts';
import type { ApiClient } from '../../client/api-client.ts';
import type { SessionWish } from '../../client/shapes.ts';
import type { Dialect } from '../../dialect/dialect.ts';
import type { MediaTarget } from './wire/media-wire.ts';

/** A place for one call, and the id it will have where that is known before it is placed. */
export interface Placement {
  readonly target: MediaTarget;
  readonly callId: string | null;
}

/** Gives each call its place. */
export type Placements = () => Promise<Placement>;

/** Places of sessions: a token for each call, in the way the dialect can carry it. */
export function sessionPlacements(
  api: Pick<ApiClient, 'createSession'>,
  wish: SessionWish,
  dialect: Dialect,
): Placements {
  return async () => {
    const { ws_url: url, token, call_id: callId } = await api.createSession(wish);
    return { target: sessionTarget(url, token, dialect), callId };
  };
}

/** The one place of a static provider URL; whose call it becomes is the server's to say. */
export function credentialPlacements(url: string, dialect: Dialect): Placements {
  const pathname = pathOf(url);
  const named = /\/media\/([\w-]+)\/[^/]+\/?$/.exec(pathname)?.[1];
  if (named === undefined) {
    throw new VoiceError('invalid_argument', '--credential is not a URL of a stream credential (…/media/…)');
  }
  if (named !== dialect.name) {
    throw new VoiceError('invalid_argument', `--credential is for ${named}: add --as ${named}`);
  }
  const target = { url, subprotocols: dialect.subprotocols };
  return () => Promise.resolve({ target, callId: null });
}

// A provider's URL is all it can be given; a client of ours offers the token beside its subprotocol.
function sessionTarget(wsUrl: string, token: string, { name, subprotocols }: Dialect): MediaTarget {
  const url = new URL(wsUrl);
  url.pathname = url.pathname.replace(/[^/]*\/?$/, name);
  if (subprotocols.length > 0) return { url: url.href, subprotocols: [...subprotocols, token] };
  url.pathname += `/${token}`;
  return { url: url.href, subprotocols: [] };
}

function pathOf(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed !== undefined && /^wss?:$/.test(parsed.protocol)) return parsed.pathname;
  throw new VoiceError('invalid_argument', '--credential is not a ws:// or wss:// URL');
}
