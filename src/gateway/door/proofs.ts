import { isSameSecret, sha256Hex } from '../../base/secret.ts';
import type { Dialect } from '../../dialect/dialect.ts';
import type { OwnProof, StreamProof, UpgradeFacts } from '../../dialect/proof.ts';
import { isAddressIn } from './addresses.ts';
import type { Nonces } from './nonces.ts';

/** Who wants to be believed. */
export interface Claimant {
  readonly upgrade: UpgradeFacts;
  readonly clientAddress: string;
  /** Undefined where the upgrade does not tell the protocol. */
  readonly dialect: Dialect | undefined;
  readonly workspaceId: string;
}

const OWN_PROOFS: readonly OwnProof[] = ['auth_token', 'signature_secret', 'api_key'];

/** Whether everything a credential demands is shown. What is demanded and cannot be checked is not shown. */
export function isProven(
  demanded: StreamProof,
  claimant: Claimant,
  nonces: Nonces,
  nowUnixMs: number,
): boolean {
  const { authorization } = claimant.upgrade.headers;
  // Each is looked at, whatever became of the others: the time it takes tells nothing.
  const isBearer = demanded.bearer === undefined || isBearerOf(authorization, demanded.bearer);
  const isBasic = demanded.basic === undefined || isBasicOf(authorization, demanded.basic);
  const isNear = demanded.ip_allow === undefined || isAddressIn(claimant.clientAddress, demanded.ip_allow);
  return isBearer && isBasic && isNear && isOwnProven(demanded, claimant, nonces, nowUnixMs);
}

/** Last of all: a proof that is good once is only used up where the others hold. */
function isOwnProven(demanded: StreamProof, claimant: Claimant, nonces: Nonces, nowUnixMs: number): boolean {
  const { dialect, upgrade, workspaceId } = claimant;
  const own = OWN_PROOFS.filter((name) => demanded[name] !== undefined);
  if (own.length === 0) return true;
  // A dialect that cannot check what the credential demands lets nobody in.
  if (dialect?.verify === undefined || own.some((name) => !dialect.proofs.includes(name))) return false;
  const verdict = dialect.verify(upgrade, demanded, nowUnixMs);
  if (!verdict.holds) return false;
  if (!('nonce' in verdict)) return true;
  const key = sha256Hex(JSON.stringify([workspaceId, dialect.name, verdict.nonce]));
  return nonces.take(key, verdict.expiresAtUnixMs, nowUnixMs);
}

// RFC 9110 §11.1: the scheme is of either case, then one blank or more.
function credentialsOf(authorization: string | undefined, scheme: RegExp): string {
  return authorization?.match(scheme)?.[1]?.trim() ?? '';
}

function isBearerOf(authorization: string | undefined, bearer: string): boolean {
  const shown = credentialsOf(authorization, /^bearer +(.+)$/i);
  return isSameSecret(shown, bearer) && bearer !== '';
}

function isBasicOf(
  authorization: string | undefined,
  basic: { username: string; password: string },
): boolean {
  const shown = Buffer.from(credentialsOf(authorization, /^basic +(.+)$/i), 'base64').toString('utf8');
  return isSameSecret(shown, `${basic.username}:${basic.password}`);
}
