import { invariant } from '../../base/errors.ts';
import type { NodeRecord } from '../../cluster/node-record.ts';
import { PeerKeys } from '../../cluster/peers/peer-key.ts';
import type { PeerAddress } from '../../cluster/peers/peer-sockets.ts';
import type { Settings } from '../../config/settings.ts';
import { peerPathOf, socketPathOf } from '../../link/places.ts';

/** Where the nodes of this host are reached by their peers. */
export class PeerPlaces {
  readonly keys: PeerKeys;
  readonly #host: string;
  readonly #runDir: string;
  readonly #peerUrl: URL | undefined;

  constructor(settings: Pick<Settings, 'host' | 'peerUrl' | 'peerSecret' | 'signingSecret'>, runDir: string) {
    const ring = settings.peerUrl === undefined ? settings.signingSecret : settings.peerSecret;
    const [newest, ...older] = ring.map((secret) => Buffer.from(secret).toString('base64'));
    invariant(newest !== undefined, 'peers prove a secret to each other');
    this.keys = new PeerKeys([newest, ...older]);
    this.#host = settings.host;
    this.#runDir = runDir;
    this.#peerUrl = settings.peerUrl === undefined ? undefined : new URL(settings.peerUrl);
  }

  /** `host:port` as others dial this node; null where only this host does. */
  told(index: number): string | null {
    return this.#peerUrl === undefined ? null : `${this.#peerUrl.hostname}:${this.#portOf(index)}`;
  }

  /** Where this node listens: on the address of its public ports, for its name may be a router's. */
  ownPlace(incarnation: string, index: number): PeerAddress {
    if (this.#peerUrl === undefined) return this.#onHost(incarnation);
    return { kind: 'network', host: this.#host, port: this.#portOf(index) };
  }

  /** Where another node is; undefined where it cannot be reached from here. */
  placeOf({ incarnation, peer }: NodeRecord): PeerAddress | undefined {
    if (peer === null) return this.#peerUrl === undefined ? this.#onHost(incarnation) : undefined;
    const at = URL.parse(`tls://${peer}`);
    if (at === null || at.port === '') return undefined;
    return { kind: 'network', host: at.hostname.replace(/^\[|\]$/g, ''), port: Number(at.port) };
  }

  #onHost(incarnation: string): PeerAddress {
    return { kind: 'host', path: peerPathOf(socketPathOf(this.#runDir, incarnation)) };
  }

  #portOf(index: number): number {
    return Number(this.#peerUrl?.port) + index;
  }
}
