import type { Clock } from '../../base/clock.ts';
import type { Registry } from '../../cluster/registry.ts';
import type { Settings } from '../../config/settings.ts';
import { PeerPlaces } from '../../node/cluster/peer-places.ts';
import { NodePeers, type NodePeersOptions } from './node-peers.ts';

export interface OpenNodePeersOptions {
  readonly settings: Pick<Settings, 'host' | 'peerUrl' | 'peerSecret' | 'signingSecret'>;
  readonly runDir: string;
  readonly registry: Pick<Registry, 'nodes'>;
  readonly clock: Clock;
  readonly log: NodePeersOptions['log'];
}

/** The way to nodes of other hosts; undefined where this host is alone. */
export function openNodePeers(options: OpenNodePeersOptions): NodePeers | undefined {
  const { settings, runDir, registry, clock, log } = options;
  if (settings.peerUrl === undefined) return undefined;
  const places = new PeerPlaces(settings, runDir);
  return new NodePeers({
    // Each start is another one: a node remembers by name whom it has heard.
    self: `control-${clock.randomBytes(8).toString('hex')}`,
    keys: places.keys,
    placeOf: (node) => places.placeOf(node),
    registry,
    clock,
    log,
  });
}
