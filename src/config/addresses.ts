import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/** What URLs are built from. */
export interface AddressSettings {
  readonly host: string;
  readonly port: number;
  readonly mediaPort: number;
  readonly publicUrl: string | undefined;
  readonly mediaUrl: string | undefined;
  readonly tlsCert: string | undefined;
}

/** Whether only this machine can reach what listens there. */
export function isLoopback(host: string): boolean {
  if (host === 'localhost' || host.endsWith('.localhost')) return true;
  return isIP(host) !== 0 && ipaddr.process(host).range() === 'loopback';
}

/** A node's own media port, beside the one all nodes share. */
export function ownPortOf(mediaPort: number, node: number): number {
  return mediaPort + 1 + node;
}

/** Where people and programs reach the API. */
export function publicUrlOf(settings: AddressSettings): string {
  return settings.publicUrl ?? `${schemeOf('http', settings)}://${reachable(settings.host)}:${settings.port}`;
}

/**
 * Where providers reach the media nodes, or one of them: its own port while no media URL is set, `{node}` in
 * the one
 * that is, and the shared address where that says nothing of nodes (contract.md §1).
 */
export function mediaUrlOf(settings: AddressSettings, node?: number): string {
  // Whichever node is named takes a new call as well as its siblings.
  if (settings.mediaUrl !== undefined) return settings.mediaUrl.replaceAll('{node}', String(node ?? 0));
  const port = node === undefined ? settings.mediaPort : ownPortOf(settings.mediaPort, node);
  return `${schemeOf('ws', settings)}://${reachable(settings.host)}:${port}`;
}

function schemeOf(plain: 'http' | 'ws', settings: AddressSettings): string {
  return settings.tlsCert === undefined ? plain : `${plain}s`;
}

// Nobody can connect to "every address": this machine is the one that is certain.
function reachable(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1';
  return isIP(host) === 6 ? `[${host}]` : host;
}
