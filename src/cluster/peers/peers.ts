import type { JsonObject } from '../../base/json.ts';
import type { Closeable } from '../../base/lifetime.ts';
import { PeerDial } from './peer-dial.ts';
import type { PeerKeys } from './peer-key.ts';
import { PeerLink, type PeerHouse, type PeerState } from './peer-link.ts';
import { listenForPeers, type PeerAddress, type PeerListening } from './peer-sockets.ts';

const DIALS_MAX = 256;
const CONNECTIONS_MAX = 512;

export interface PeersOptions extends PeerHouse {
  readonly keys: PeerKeys;
  /** Where this node listens; port 0 takes any. Absent where it only asks. */
  readonly listen?: PeerAddress;
}

/**
 * The links of one node. Each side dials those it has something to ask; what comes in over a peer's dial is
 * answered there.
 */
export class Peers implements Closeable {
  readonly #options: PeersOptions;
  readonly #dials = new Map<string, PeerDial>();
  readonly #accepted = new Set<PeerLink>();
  #listening: PeerListening | undefined;

  constructor(options: PeersOptions) {
    this.#options = options;
  }

  /** Null before it listens, and on a Unix socket. */
  get port(): number | null {
    return this.#listening?.port ?? null;
  }

  async listen(): Promise<void> {
    const { counts, keys, listen } = this.#options;
    if (listen === undefined) return;
    this.#listening = await listenForPeers({
      address: listen,
      keys,
      connectionsMax: CONNECTIONS_MAX,
      connected: (socket) => {
        const link = new PeerLink(socket, this.#options);
        this.#accepted.add(link);
        socket.once('close', () => this.#accepted.delete(link));
      },
      stranger: () => counts.strangers++,
      turnedAway: () => counts.turnedAway++,
    });
  }

  /** Keeps a link to this incarnation from now on. False where there are too many. */
  meet(incarnation: string, address: PeerAddress): boolean {
    if (this.#dials.has(incarnation)) return true;
    if (this.#dials.size >= DIALS_MAX) {
      this.#options.counts.turnedAway++;
      return false;
    }
    const { keys } = this.#options;
    this.#dials.set(incarnation, new PeerDial({ house: this.#options, keys, incarnation, address }));
    return true;
  }

  /** The incarnation is gone for good. */
  forget(incarnation: string): void {
    this.#dials.get(incarnation)?.giveUp();
    this.#dials.delete(incarnation);
  }

  /** The link we dialled, where it is greeted. */
  find(incarnation: string): PeerLink | undefined {
    return this.#dials.get(incarnation)?.link;
  }

  /** How that incarnation answers; undefined where it was never met. */
  stateOf(incarnation: string): PeerState | undefined {
    return this.#dials.get(incarnation)?.state;
  }

  /** Tells everybody at once how this node stands. */
  tell(status: JsonObject): void {
    for (const dial of this.#dials.values()) dial.link?.tell(status);
  }

  async close(): Promise<void> {
    for (const incarnation of this.#dials.keys()) this.forget(incarnation);
    for (const link of this.#accepted) link.close();
    await this.#listening?.close();
  }
}
