import { createHmac } from 'node:crypto';
import { isSameSecret } from '../../base/secret.ts';
import {
  PROOF_FAILED,
  PROOF_HOLDS,
  type ProofVerdict,
  type UpgradeDraft,
  type UpgradeFacts,
} from '../proof.ts';
import { urlSpellings } from '../url-spellings.ts';

/** How far the two clocks may be apart. */
const TOLERANCE_MS = 300_000;
const APP_SIGNATURE = 'x-fonoster-app-signature';

/** Lower-case hex of an HMAC-SHA256, as all of its signatures are. */
function signFonoster(signed: string, secret: string): string {
  return createHmac('sha256', secret).update(signed).digest('hex');
}

/** The headers of its own upgrade, for an app and a workspace that are nobody's. */
export function proveFonosterUpgrade(
  { url, nowUnixMs }: UpgradeDraft,
  secret: string,
): { readonly [name: string]: string } {
  const timestamp = String(Math.floor(nowUnixMs / 1000));
  const [appRef, workspaceRef] = ['omnivoice-call', 'omnivoice'];
  return {
    'X-Fonoster-Signature': signFonoster(`${timestamp}.${url}`, secret),
    'X-Fonoster-Timestamp': timestamp,
    'X-Fonoster-App-Ref': appRef,
    'X-Fonoster-Workspace-Ref': workspaceRef,
    'X-Fonoster-App-Signature': signFonoster(`${timestamp}\n${url}\n${appRef}\n${workspaceRef}`, secret),
  };
}

/**
 * Whether the upgrade was signed with this secret, just now, and for the app it names: the app's signature
 * counts wherever it is sent, which its platform always does (docs.fonoster.com/streams/verify-signatures).
 */
export function verifyFonosterUpgrade(
  { headers, urls }: UpgradeFacts,
  secret: string,
  nowUnixMs: number,
): ProofVerdict {
  const signature = headers['x-fonoster-signature'];
  const timestamp = headers['x-fonoster-timestamp'];
  if (signature === undefined || secret === '') return PROOF_FAILED;
  if (timestamp === undefined || !/^\d{1,12}$/.test(timestamp)) return PROOF_FAILED;
  const signedAtUnixMs = Number(timestamp) * 1000;
  if (Math.abs(nowUnixMs - signedAtUnixMs) > TOLERANCE_MS) return PROOF_FAILED;
  const app = [headers['x-fonoster-app-ref'] ?? '', headers['x-fonoster-workspace-ref'] ?? ''].join('\n');
  const appSignature = headers[APP_SIGNATURE];
  let isAuthentic = false;
  for (const url of urlSpellings(urls, (query) => [`?${query}`])) {
    const isUrl = isSameSecret(signature, signFonoster(`${timestamp}.${url}`, secret));
    const isApp =
      appSignature === undefined ||
      isSameSecret(appSignature, signFonoster(`${timestamp}\n${url}\n${app}`, secret));
    if (isUrl && isApp) isAuthentic = true;
  }
  // No nonce: two calls of one second are signed alike, so that remembering one would refuse the other.
  return isAuthentic ? PROOF_HOLDS : PROOF_FAILED;
}
