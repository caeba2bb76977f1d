import type { Clock } from '../../base/clock.ts';
import type { Lifetime } from '../../base/lifetime.ts';
import { KIB } from '../../base/units.ts';
import { exchange } from '../../delivery/wire/exchange.ts';
import { OriginPools } from '../../delivery/wire/origin-pools.ts';
import { IssuerTokens } from '../../gateway/door/issuer-tokens.ts';

/** A set of keys is some kilobytes. */
const KEYS_BYTES_MAX = 256 * KIB;

/** Tokens of providers whose keys are fetched: over HTTPS, or HTTP, and under the guard of the hooks. */
export function openIssuerTokens(
  clock: Clock,
  egressAllow: readonly string[],
  lifetime: Lifetime,
): IssuerTokens {
  const pools = lifetime.own(new OriginPools({ clock, egressAllow }));
  return new IssuerTokens(async (address, timeLimitMs) => {
    const url = URL.parse(address);
    if (url === null || !/^https?:$/.test(url.protocol)) return undefined;
    const request = {
      method: 'GET',
      path: `${url.pathname}${url.search}`,
      headers: { accept: 'application/json' },
      body: new Uint8Array(0),
      captureBytesMax: KEYS_BYTES_MAX,
    } as const;
    const answer = await exchange(pools.poolOf(url.origin), request, timeLimitMs, clock);
    return answer.failure === null && answer.status === 200 && !answer.isTruncated ? answer.body : undefined;
  });
}
