import { VoiceError } from '../../../base/errors.ts';
import type { EndpointAuth } from '../../../delivery/outbox.ts';
import { MASK, type AuthWish } from './endpoint-shapes.ts';

/** How the receiver is to be convinced, with what is missing named; a masked secret is the one we know. */
export function authOf(wish: AuthWish | null, known: EndpointAuth | null): EndpointAuth | null {
  if (wish === null) return null;
  return wish.type === 'basic' ? basicOf(wish, known) : oauth2Of(wish, known);
}

function basicOf(wish: AuthWish, known: EndpointAuth | null): EndpointAuth {
  const username = required('username', wish.username);
  // RFC 7617 §2: the first colon ends the name.
  if (username.includes(':')) throw wrong('username', 'a user name holds no colon');
  const old = known?.kind === 'basic' ? known.password : undefined;
  return { kind: 'basic', username, password: secretOf('password', wish.password, old) };
}

function oauth2Of(wish: AuthWish, known: EndpointAuth | null): EndpointAuth {
  const old = known?.kind === 'oauth2' ? known.clientSecret : undefined;
  return {
    kind: 'oauth2',
    tokenUrl: required('token_url', wish.token_url),
    clientId: required('client_id', wish.client_id),
    clientSecret: secretOf('client_secret', wish.client_secret, old),
    scope: wish.scope ?? null,
    audience: wish.audience ?? null,
    clientAuth: wish.client_auth ?? 'basic',
  };
}

function secretOf(name: string, value: string | undefined, known: string | undefined): string {
  return required(name, value === MASK ? known : value);
}

function required(name: string, value: string | undefined): string {
  if (value !== undefined && value !== '') return value;
  throw wrong(name, `${name} is missing`);
}

function wrong(name: string, message: string): VoiceError {
  return new VoiceError('invalid_argument', message, { field: `auth.${name}` });
}
