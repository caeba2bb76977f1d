import ipaddr from 'ipaddr.js';
import { refuse, VoiceError, type Refusal } from '../../base/errors.ts';

/**
 * What an address is to an outgoing hook: open to all, allowed by the operator, private, or forbidden
 * outright.
 */
export type Verdict = 'public' | 'allowed' | 'private' | 'forbidden';

/** The operator's exceptions (`OMNIVOICE_EGRESS_ALLOW`), read once. */
export interface EgressAllow {
  readonly hosts: ReadonlySet<string>;
  readonly networks: readonly Network[];
}

type Address = ipaddr.IPv4 | ipaddr.IPv6;

interface Network {
  readonly first: Address;
  readonly prefixBits: number;
  /** The one class of address that all of the network belongs to; null where it spans several. */
  readonly range: string | null;
}

/** A hook that was about to reach an address it may not. Trying again does not help. */
export class EgressBlocked extends VoiceError {
  override readonly name = 'EgressBlocked';

  constructor(target: string, verdict: Verdict) {
    super('failed_precondition', `${target} is ${verdict}: hooks may not reach it`, { field: 'url' });
  }
}

// Private networks may be opened by any network that covers them; everything else that is not public must be
// named for itself, so that a generous `0.0.0.0/0` does not open the metadata service.
const PRIVATE_RANGES: readonly string[] = ['private', 'carrierGradeNat', 'uniqueLocal'];
// Azure's WireServer hands out credentials from a public address (delivery.md §3.8).
const WIRE_SERVER = '168.63.129.16';
const GLOBAL_UNICAST_V6 = ipaddr.IPv6.parse('2000::');

// Not all digits and dots: that is a mistyped address, which no URL could name.
const HOST = /^(?![\d.]+$)[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?\.?$/i;

/** Reads CIDRs, addresses and host names; throws at the first that is none of them. */
export function parseEgressAllow(entries: readonly string[]): EgressAllow {
  const hosts = new Set<string>();
  const networks: Network[] = [];
  for (const entry of entries.map((text) => text.trim()).filter((text) => text !== '')) {
    const network = parseNetwork(entry);
    if (network !== undefined) networks.push(network);
    else if (HOST.test(entry)) hosts.add(hostOf(entry));
    else throw new VoiceError('invalid_argument', `${entry} is neither a network nor a host`);
  }
  return { hosts, networks };
}

/**
 * The one judgement of the house on where hooks may go, asked on save, on connect and after it. `host` is the
 * name that led to the address, if one did.
 */
export function verdictOf(address: string, allow: EgressAllow, host?: string): Verdict {
  const parsed = parseAddress(address);
  if (parsed === undefined) return 'forbidden';
  const range = rangeOf(parsed);
  if (range === 'unicast') return 'public';
  if (host !== undefined && allow.hosts.has(hostOf(host))) return 'allowed';
  const isPrivate = PRIVATE_RANGES.includes(range);
  const isNamed = allow.networks.some(
    (network) => contains(network, parsed) && (isPrivate || network.range === range),
  );
  if (isNamed) return 'allowed';
  return isPrivate ? 'private' : 'forbidden';
}

export function isReachable(verdict: Verdict): boolean {
  return verdict === 'public' || verdict === 'allowed';
}

/** The address a URL names literally, without brackets; undefined when it names a host. */
export function literalOf(hostname: string): string | undefined {
  const bare = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
  return parseAddress(bare) === undefined ? undefined : bare;
}

/** What can be said of an endpoint's URL without asking DNS. */
export function checkUrl(text: string, allow: EgressAllow): URL | Refusal {
  if (!URL.canParse(text)) return refuse('invalid_argument', 'url is not an absolute URL');
  // WHATWG parsing turns 2130706433, 0x7f.1, 0177.0.0.1 and ①②⑦.0.0.1 into 127.0.0.1 before we look.
  const url = new URL(text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    return refuse('invalid_argument', 'url must be http or https');
  }
  if (url.username !== '' || url.password !== '') {
    return refuse('invalid_argument', 'url must not carry credentials');
  }
  const literal = literalOf(url.hostname);
  const verdict = literal === undefined ? 'public' : verdictOf(literal, allow, literal);
  if (isReachable(verdict)) return url;
  return refuse('failed_precondition', new EgressBlocked(url.hostname, verdict).message);
}

/** A host as it is compared: lower case, without the dot of the root. */
export function hostOf(host: string): string {
  return host.toLowerCase().replace(/\.$/, '');
}

function parseAddress(text: string): Address | undefined {
  // Only the canonical forms: `ipaddr.js` would also read octal and short ones, as no resolver answers them.
  const bare = text.replace(/%.*$/, '');
  if (ipaddr.IPv4.isValidFourPartDecimal(bare)) return ipaddr.IPv4.parse(bare);
  if (!bare.includes(':') || !ipaddr.IPv6.isValid(bare)) return undefined;
  const parsed = ipaddr.IPv6.parse(bare);
  return parsed.isIPv4MappedAddress() ? parsed.toIPv4Address() : parsed;
}

function rangeOf(address: Address): string {
  if (address.toString() === WIRE_SERVER) return 'wireServer';
  const range = address.range();
  if (range !== 'unicast' || address.kind() === 'ipv4') return range;
  // RFC 4291 §2.4 with the registry of IANA: only 2000::/3 is global unicast, the rest is not assigned.
  return (address as ipaddr.IPv6).match(GLOBAL_UNICAST_V6, 3) ? range : 'unassigned';
}

function parseNetwork(text: string): Network | undefined {
  const [addressText = '', prefixText] = text.split('/');
  const address = parseAddress(addressText);
  if (address === undefined || (prefixText !== undefined && !/^\d{1,3}$/.test(prefixText))) return undefined;
  const bits = address.kind() === 'ipv4' ? 32 : 128;
  const prefixBits = prefixText === undefined ? bits : Number(prefixText);
  if (prefixBits > bits) return undefined;
  const bytes = address.toByteArray();
  const first = ipaddr.fromByteArray(bytes.map((byte, index) => byte & maskOf(index, prefixBits)));
  const last = ipaddr.fromByteArray(bytes.map((byte, index) => byte | (0xff & ~maskOf(index, prefixBits))));
  const range = rangeOf(first);
  return { first, prefixBits, range: range === rangeOf(last) ? range : null };
}

/** The byte of a netmask at `index`. */
function maskOf(index: number, prefixBits: number): number {
  const bits = Math.min(8, Math.max(0, prefixBits - index * 8));
  return (0xff << (8 - bits)) & 0xff;
}

function contains(network: Network, address: Address): boolean {
  if (network.first instanceof ipaddr.IPv4) {
    return address instanceof ipaddr.IPv4 && address.match(network.first, network.prefixBits);
  }
  return address instanceof ipaddr.IPv6 && address.match(network.first, network.prefixBits);
}
