import type { Clock } from '../base/clock.ts';
import {
  EgressBlocked,
  isReachable,
  literalOf,
  parseEgressAllow,
  verdictOf,
} from '../delivery/wire/guard.ts';
import { HostResolver } from '../delivery/wire/resolver.ts';
import type { DialGuard } from '../gateway/dialling/dialler.ts';

/** The judgement of hooks, for media: nothing private is dialled that the operator has not opened. */
export function openDialGuard(clock: Clock, egressAllow: readonly string[]): DialGuard {
  const allow = parseEgressAllow(egressAllow);
  const resolver = new HostResolver(clock);
  return {
    reachable: async (host) => {
      const literal = literalOf(host);
      const addresses = literal === undefined ? await resolver.resolve(host) : [literal];
      const reachable = addresses.filter((address) => isReachable(verdictOf(address, allow, host)));
      if (reachable.length > 0) return reachable;
      const [first = host] = addresses;
      const target = literal === undefined ? `${host} (${first})` : first;
      throw new EgressBlocked(target, verdictOf(first, allow, host));
    },
  };
}
