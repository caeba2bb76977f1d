import type { Clock } from '../../base/clock.ts';
import { messageOf } from '../../base/errors.ts';
import type { Lifetime } from '../../base/lifetime.ts';
import type { DataPaths } from '../../config/data-dir.ts';
import type { Settings } from '../../config/settings.ts';
import { readTls } from '../../config/tls.ts';
import { dialectOf } from '../../dialect/registry.ts';
import type { Arrivals } from '../../gateway/arrivals.ts';
import type { AudioSocketDoor } from '../../gateway/audiosocket/door.ts';
import { openSharedAudioSocketDoor } from '../../gateway/audiosocket/shared-door.ts';
import type { CredentialLookup, Resumes } from '../../gateway/door/admission.ts';
import { openSessionGate, type SessionGate } from '../../gateway/door/session-gate.ts';
import { openGateway, type Gateway, type GatewayOptions } from '../../gateway/gateway.ts';
import type { ResumeTokens } from '../../gateway/resume-token.ts';
import type { TokenLedger } from '../../gateway/token-ledger.ts';
import { openTokenLedger } from '../../gateway/token-ledger.ts';
import type { NodeLog } from '../media-node.ts';
import { openIssuerTokens } from './issuer-keys.ts';

export interface NodeDoorsOptions {
  readonly settings: Settings;
  readonly paths: DataPaths;
  readonly index: number;
  readonly clock: Clock;
  readonly log: NodeLog;
  /** Closes what is opened here. */
  readonly lifetime: Lifetime;
  readonly arrivals: Arrivals;
  /** Who makes legs of what comes over AudioSocket: it has no word by which to come back. */
  readonly plainArrivals: Arrivals;
  readonly resumes: Resumes;
  readonly resumeTokens: ResumeTokens;
  readonly credentials: CredentialLookup;
  readonly metrics: GatewayOptions['metrics'];
  readonly refused: NonNullable<GatewayOptions['refused']>;
  readonly ponged: NonNullable<GatewayOptions['ponged']>;
}

interface Opened {
  readonly gateway: Gateway;
  readonly audioSocket: AudioSocketDoor | undefined;
  readonly tokenStats: TokenLedger['stats'];
}

/** The doors of a node: its WebSockets, on the port it shares and on its own, and AudioSocket. */
export class NodeDoors {
  readonly #options: NodeDoorsOptions;
  readonly #gateway: Gateway;
  readonly #audioSocket: AudioSocketDoor | undefined;
  /** Of session tokens that were used. */
  readonly tokenStats: TokenLedger['stats'];
  #isSharedClosed = false;

  private constructor(options: NodeDoorsOptions, opened: Opened) {
    this.#options = options;
    this.#gateway = opened.gateway;
    this.#audioSocket = opened.audioSocket;
    this.tokenStats = opened.tokenStats;
  }

  static async open(options: NodeDoorsOptions): Promise<NodeDoors> {
    const { settings, paths, clock, lifetime } = options;
    const ledger = lifetime.own(openTokenLedger({ directory: paths.tokensDir, clock }));
    const sessions = openSessionGate({ secrets: settings.signingSecret, clock, ledger });
    const audioSocket = await openAudioSocket(options, sessions);
    const gateway = await openMedia(options, sessions);
    return new NodeDoors(options, { gateway, audioSocket, tokenStats: ledger.stats });
  }

  get gateway(): Gateway {
    return this.#gateway;
  }

  /** Of the door for AudioSocket, where it is open. */
  get audioSocketStats(): AudioSocketDoor['stats'] | undefined {
    return this.#audioSocket?.stats;
  }

  /** The shared port is left to siblings for good; the node's own stays open. */
  leaveShared(): void {
    this.#isSharedClosed = true;
    this.#gateway.closeShared();
  }

  /** A full node leaves the shared port to its siblings at once, and comes back when it has room. */
  async follow(isFull: boolean): Promise<void> {
    if (this.#options.settings.mediaNodes === 1 || isFull === this.#isSharedClosed) return;
    this.#isSharedClosed = isFull;
    if (isFull) this.#gateway.closeShared();
    else await this.#gateway.reopenShared();
  }

  /** Listens nowhere any more, so that the ports are free; whoever is connected stays. */
  stopListening(): void {
    this.#gateway.stopListening();
    this.#audioSocket?.stopListening();
  }

  /** Certificates were renewed on disk. */
  reload(): void {
    const tls = readTls(this.#options.settings);
    if (tls !== undefined) this.#gateway.reloadTls(tls);
  }
}

async function openMedia(options: NodeDoorsOptions, sessions: SessionGate): Promise<Gateway> {
  const { settings, index, clock, lifetime, arrivals, resumes } = options;
  const { resumeTokens, credentials, metrics, refused, ponged } = options;
  const tls = readTls(settings);
  const gateway = await openGateway({
    clock,
    dialects: dialectOf,
    arrivals,
    resumes,
    resumeTokens,
    credentials,
    sessions,
    issuerTokens: openIssuerTokens(clock, settings.egressAllow, lifetime),
    trustedProxies: settings.trustedProxies,
    publicMediaUrls: settings.mediaUrl === undefined ? [] : [settings.mediaUrl],
    limits: { messagesPerSecondMax: settings.messagesPerSecond },
    ports: { host: settings.host, shared: settings.mediaPort, own: settings.mediaPort + 1 + index },
    ...(tls === undefined ? {} : { tls }),
    metrics,
    refused,
    ponged,
    reportFailure: reporter(options),
  });
  return lifetime.own(gateway);
}

async function openAudioSocket(
  options: NodeDoorsOptions,
  sessions: SessionGate,
): Promise<AudioSocketDoor | undefined> {
  const { settings, paths, clock, log, lifetime } = options;
  const door = await openSharedAudioSocketDoor({
    host: settings.host,
    port: settings.audiosocketPort,
    tokensDir: paths.tokensDir,
    sessions,
    arrivals: options.plainArrivals,
    messagesPerSecondMax: settings.messagesPerSecond,
    clock,
    reportFailure: reporter(options),
  });
  if (door === undefined) return undefined;
  log.info({ port: door.port }, 'AudioSocket is listened to');
  return lifetime.own(door);
}

function reporter({ log }: NodeDoorsOptions): (error: unknown, where: string) => void {
  return (error, where) => log.error({ error: messageOf(error), where }, 'a promise was broken');
}
