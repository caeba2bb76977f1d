import { VoiceError } from '../../base/errors.ts';
import type { ApiClient } from '../../client/api-client.ts';
import type { SessionWish } from '../../client/shapes.ts';
import type { Dialect } from '../../dialect/dialect.ts';
import type { LineTerms } from './line-terms.ts';
import type { MediaTarget } from './wire/media-wire.ts';

/** A place for one call, and the id it will have where that is known before it is placed. */
export interface Placement {
  readonly target: MediaTarget;
  readonly callId: string | null;
  /** How the provider names the call, where the place is bound to a name. */
  readonly providerCallId?: string;
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

/** Places of sessions whose UUID Asterisk says on its AudioSocket. */
export function audioSocketPlacements(
  api: Pick<ApiClient, 'createSession'>,
  wish: SessionWish,
  address: string,
): Placements {
  return async () => {
    const { audiosocket_uuid: uuid, call_id: callId } = await api.createSession({
      ...wish,
      audiosocket_uuid: 'new',
    });
    if (uuid === undefined) {
      throw new VoiceError(
        'failed_precondition',
        'this Omnivoice has no AudioSocket: OMNIVOICE_AUDIOSOCKET_PORT',
      );
    }
    return { target: { url: `tcp://${address}`, subprotocols: [] }, callId, providerCallId: uuid };
  };
}

/** What a run gives back when it is over. */
export interface LentPlacements {
  readonly placements: Placements;
  readonly giveBack: () => Promise<void>;
}

/** The place of a stream credential that is made for these calls, and revoked behind them. */
export async function lentPlacements(
  api: Pick<ApiClient, 'createCredential' | 'deleteCredential'>,
  dialect: Dialect,
  { terms, agentId: agent_id }: { readonly terms: LineTerms; readonly agentId: string | null },
): Promise<LentPlacements> {
  const { proof, options } = terms;
  const { id, url } = await api.createCredential({
    dialect: dialect.name,
    agent_id,
    label: 'omnivoice call',
    ...(Object.keys(proof).length > 0 && { verify: proof }),
    ...(Object.keys(options).length > 0 && { options }),
  });
  return { placements: credentialPlacements(url, dialect), giveBack: () => api.deleteCredential(id) };
}

// A provider's URL is all it can be given; a client of ours offers the token beside its subprotocol.
function sessionTarget(wsUrl: string, token: string, { name, subprotocols }: Dialect): MediaTarget {
  const url = new URL(wsUrl);
  url.pathname = url.pathname.replace(/[^/]*\/?$/, name);
  if (name === 'native') return { url: url.href, subprotocols: [...subprotocols, token] };
  url.pathname += `/${token}`;
  return { url: url.href, subprotocols };
}

function pathOf(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed !== undefined && /^wss?:$/.test(parsed.protocol)) return parsed.pathname;
  throw new VoiceError('invalid_argument', '--credential is not a ws:// or wss:// URL');
}
