import ipaddr from 'ipaddr.js';

/** Whether the text is an address or a CIDR range. */
export function isAddressRange(text: string): boolean {
  return ipaddr.isValidCIDR(text) || ipaddr.isValid(text);
}

/** Whether an allow-list lets the address in. An empty list lets everybody in. */
export function isAllowed(address: string, ranges: readonly string[]): boolean {
  if (ranges.length === 0) return true;
  if (!ipaddr.isValid(address)) return false;
  const client = ipaddr.process(address);
  return ranges.some((range) => {
    const [network, bits] = ipaddr.isValidCIDR(range)
      ? ipaddr.parseCIDR(range)
      : ([ipaddr.process(range), undefined] as const);
    if (network.kind() !== client.kind()) return false;
    return client.match(network, bits ?? (client.kind() === 'ipv4' ? 32 : 128));
  });
}

/** The name under which a client's failures are counted: one IPv4 address, or one IPv6 /64 (a household). */
export function countedAs(address: string): string {
  if (!ipaddr.isValid(address)) return 'unknown';
  const client = ipaddr.process(address);
  if (client.kind() === 'ipv4') return client.toString();
  return client.toByteArray().slice(0, 8).join('.');
}
