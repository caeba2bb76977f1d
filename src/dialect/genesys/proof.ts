import { isSameSecret } from '../../base/secret.ts';
import {
  PROOF_FAILED,
  PROOF_HOLDS,
  type ProofVerdict,
  type StreamProof,
  type UpgradeDraft,
  type UpgradeFacts,
} from '../proof.ts';
import { readSignature, signComponents, type MessageSignature } from './signature.ts';

const API_KEY_HEADER = 'x-api-key';
/** All of them must be signed (verifier of the reference implementation). */
const REQUIRED: readonly string[] = [
  '@request-target',
  '@authority',
  'audiohook-organization-id',
  'audiohook-session-id',
  'audiohook-correlation-id',
  API_KEY_HEADER,
];
const NONCE = /^[A-Za-z0-9+/_-]{22,256}={0,2}$/;
const SKEW_MS = 3_000;
const AGE_MS_MAX = 10_000;
/** The edge offers a handful of ways to have been dialled; more are not worth an HMAC each. */
const URLS_MAX = 8;

/** How it may have been dialled: what two of the signed components depend on. */
interface Dialled {
  readonly authority: string;
  readonly target: string;
}

/** Whether the upgrade shows the API key, and is signed with the client secret, as the credential demands. */
export function verifyGenesysUpgrade(
  upgrade: UpgradeFacts,
  { api_key, signature_secret }: StreamProof,
  nowUnixMs: number,
): ProofVerdict {
  const shown = upgrade.headers[API_KEY_HEADER] ?? '';
  const isKey = api_key === undefined || (api_key !== '' && isSameSecret(shown, api_key));
  const verdict =
    signature_secret === undefined ? PROOF_HOLDS : verifySignature(upgrade, signature_secret, nowUnixMs);
  return isKey ? verdict : PROOF_FAILED;
}

/** The key, and a signature over what Genesys signs, in the order of its reference client. */
export function proveGenesysUpgrade(
  { url, headers: said, nowUnixMs, nonce }: UpgradeDraft,
  { api_key, signature_secret }: StreamProof,
): { readonly [name: string]: string } {
  const key = api_key === undefined ? {} : { 'X-API-KEY': api_key };
  if (signature_secret === undefined) return key;
  const headers = Object.fromEntries(
    Object.entries({ ...said, ...key }).map(([name, value]) => [name.toLowerCase(), value]),
  );
  const { host, pathname, search } = new URL(url);
  const facts = { method: 'GET', headers, target: pathname + search, urls: [] };
  const dialled = { authority: host, target: pathname + search };
  const components = REQUIRED.map((name) => [name, valueOf(name, facts, dialled)] as const);
  const names = REQUIRED.map((name) => `"${name}"`).join(' ');
  const created = Math.floor(nowUnixMs / 1000);
  const keyId = headers[API_KEY_HEADER] ?? '';
  const terms = `created=${created};expires=${created + AGE_MS_MAX / 1000};keyid="${keyId}"`;
  const parameters = `(${names});${terms};nonce="${nonce}";alg="hmac-sha256"`;
  const signature = signComponents(components, parameters, Buffer.from(signature_secret, 'base64'));
  return { ...key, 'Signature-Input': `sig1=${parameters}`, Signature: `sig1=:${signature}:` };
}

function verifySignature(upgrade: UpgradeFacts, clientSecret: string, nowUnixMs: number): ProofVerdict {
  const signed = readSignature(upgrade.headers);
  const secret = Buffer.from(clientSecret, 'base64');
  if (signed === undefined || secret.length === 0) return PROOF_FAILED;
  const { components, parameters } = signed;
  const { nonce = '', keyid, alg = 'hmac-sha256', created = '' } = parameters;
  const isWhole = REQUIRED.every((name) => components.includes(name));
  const isOurs = alg === 'hmac-sha256' && keyid === upgrade.headers[API_KEY_HEADER] && NONCE.test(nonce);
  const isAuthentic = isSignedAsDialled(upgrade, signed, secret);
  if (!isWhole || !isOurs || !isAuthentic || !isTimely(parameters, nowUnixMs)) return PROOF_FAILED;
  // Remembered until it is too old to be shown again.
  const expiresAtUnixMs = Number(created) * 1000 + AGE_MS_MAX + 2 * SKEW_MS;
  return { holds: true, nonce: `genesys ${nonce}`, expiresAtUnixMs };
}

/** Every way it may have been dialled is tried, whether or not one fits. */
function isSignedAsDialled(upgrade: UpgradeFacts, signed: MessageSignature, secret: Uint8Array): boolean {
  let isAuthentic = false;
  for (const dialled of dialledWays(upgrade)) {
    const components = signed.components.map((name) => [name, valueOf(name, upgrade, dialled)] as const);
    const expected = signComponents(components, signed.signatureParams, secret);
    if (isSameSecret(signed.signature, expected)) isAuthentic = true;
  }
  // A header that is signed and missing stands for an empty one nowhere.
  return isAuthentic && signed.components.every((name) => name.startsWith('@') || hasHeader(name, upgrade));
}

function valueOf(name: string, { headers }: UpgradeFacts, { authority, target }: Dialled): string {
  if (name === '@request-target') return target;
  if (name === '@authority') return authority;
  return headers[name]?.trim() ?? '';
}

function hasHeader(name: string, { headers }: UpgradeFacts): boolean {
  return headers[name] !== undefined;
}

/** As it reached us, and as the world knows us: a proxy may have changed host and path. */
function dialledWays({ headers, target, urls }: UpgradeFacts): readonly Dialled[] {
  const asWeHeard = { authority: (headers['host'] ?? '').toLowerCase(), target };
  const asPublic = urls.slice(0, URLS_MAX).flatMap((url) => {
    const parsed = URL.parse(url);
    return parsed === null ? [] : [{ authority: parsed.host, target: parsed.pathname + parsed.search }];
  });
  return [asWeHeard, ...asPublic, ...asPublic.map(({ authority }) => ({ authority, target }))];
}

function isTimely({ created, expires }: MessageSignature['parameters'], nowUnixMs: number): boolean {
  if (created === undefined) return false;
  const createdUnixMs = Number(created) * 1000;
  if (createdUnixMs > nowUnixMs + SKEW_MS || createdUnixMs + AGE_MS_MAX + SKEW_MS < nowUnixMs) return false;
  return expires === undefined || Number(expires) * 1000 + SKEW_MS >= nowUnixMs;
}
