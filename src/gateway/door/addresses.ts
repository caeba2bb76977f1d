import ipaddr from 'ipaddr.js';

type Address = ipaddr.IPv4 | ipaddr.IPv6;
type Range = [Address, number];

/** Whether an address lies in one of the ranges; what is no address and no range matches nothing. */
export function isAddressIn(address: string, cidrs: readonly string[]): boolean {
  return isIn(address, cidrs.map(rangeOf));
}

/** The proxies whose word about a request is believed, and what they say. */
export class TrustedProxies {
  readonly #ranges: readonly (Range | undefined)[];

  constructor(cidrs: readonly string[]) {
    this.#ranges = cidrs.map(rangeOf);
  }

  isTrusted(peerAddress: string): boolean {
    return isIn(peerAddress, this.#ranges);
  }

  /**
   * Who really calls: read from the right, since each proxy appends the peer it saw and everything left of
   * the first stranger may be that stranger's invention.
   */
  clientAddress(peerAddress: string, forwardedFor: string | undefined): string {
    let address = peerAddress;
    for (const hop of (forwardedFor?.split(',') ?? []).reverse()) {
      if (!this.isTrusted(address)) return normal(address);
      const claimed = hop.trim();
      if (!ipaddr.isValid(claimed)) return normal(address);
      address = claimed;
    }
    return normal(address);
  }
}

function isIn(address: string, ranges: readonly (Range | undefined)[]): boolean {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.process(address);
  return ranges.some((range) => range !== undefined && isWithin(parsed, range));
}

function isWithin(address: Address, [base, bits]: Range): boolean {
  return address.kind() === base.kind() && address.match(base, bits);
}

function rangeOf(cidr: string): Range | undefined {
  if (ipaddr.isValidCIDR(cidr)) return ipaddr.parseCIDR(cidr);
  if (!ipaddr.isValid(cidr)) return undefined;
  const address = ipaddr.process(cidr);
  return [address, address.kind() === 'ipv4' ? 32 : 128];
}

// `::ffff:192.0.2.1` and `192.0.2.1` are one client.
function normal(address: string): string {
  return ipaddr.isValid(address) ? ipaddr.process(address).toString() : address;
}
