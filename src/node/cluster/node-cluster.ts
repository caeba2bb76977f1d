import { hostname } from 'node:os';
import type { Clock } from '../../base/clock.ts';
import { messageOf } from '../../base/errors.ts';
import type { Closeable } from '../../base/lifetime.ts';
import type { CallDirectory } from '../../call/directory.ts';
import { Heartbeat } from '../../cluster/heartbeat.ts';
import { Membership, type Heard } from '../../cluster/membership.ts';
import type { NodeRecord } from '../../cluster/node-record.ts';
import { Ownership, SNAPSHOT_BYTES_MAX } from '../../cluster/ownership.ts';
import { PeerCounts } from '../../cluster/peers/peer-counts.ts';
import { Peers } from '../../cluster/peers/peers.ts';
import { Placement } from '../../cluster/placing/placement.ts';
import type { CallSave } from '../../cluster/registry.ts';
import { mediaUrlOf } from '../../config/addresses.ts';
import { readSurroundings, type Region } from '../../config/region.ts';
import type { Settings } from '../../config/settings.ts';
import type { EventRecord } from '../../events/envelope.ts';
import type { NodeStatus } from '../../link/messages.ts';
import type { NodeEnd } from '../../link/node-end.ts';
import { ClusterTimings, type FailoverCause } from '../../telemetry/cluster-timings.ts';
import { OwnerLinks } from './owner-links.ts';
import { PeerAnswers } from './peer-answers.ts';
import { aliasOfCall } from './provider-alias.ts';
import { PeerPlaces } from './peer-places.ts';
import { Relays } from './relays.ts';
import { openNodeRegistry } from './node-registry.ts';
import { snapshotText } from './snapshot-text.ts';
import { FailoverGaps } from './failover-gaps.ts';
import { LegFates } from './leg-fates.ts';
import { TakeoverDesk, type Taken } from './takeover.ts';
import { UnacknowledgedEvents } from './unacknowledged-events.ts';
import { FarCallers } from '../drain/far-callers.ts';
import type { Farewells } from '../drain/farewells.ts';
import type { NodeDrain } from '../drain/node-drain.ts';
import { Tails } from '../drain/tails.ts';
import { PROVIDERS } from '../leg-groups.ts';
import type { NodeLog } from '../media-node.ts';

/** A leg tries so many other nodes by name. */
const OTHER_URLS_MAX = 2;
const OTHER_REGIONS_MAX = 2;

export interface NodeClusterOptions {
  readonly settings: Settings;
  readonly runDir: string;
  readonly index: number;
  readonly incarnation: string;
  readonly version: string;
  readonly clock: Clock;
  readonly log: NodeLog;
  readonly calls: CallDirectory;
  /** Somebody of another host wants this node to leave. */
  readonly drainNode: () => void;
  /** How this node leaves, if it does. */
  readonly leaving: Pick<NodeDrain, 'gives' | 'speakingOn' | 'following' | 'isDraining'>;
  /** Opened later than this, and asked only with a call at hand. */
  readonly farewells: () => Farewells;
  readonly ask: NodeEnd['ask'];
  readonly status: () => NodeStatus;
  /** Number of the last record the journal has. */
  readonly acknowledged: () => number;
  /** A call of this node is another's from now on. */
  readonly onSurrendered: () => void;
}

/** What a node has to do with other nodes: its beats, its links to them, and who owns which call. */
export class NodeCluster implements Closeable {
  readonly membership = new Membership();
  readonly peerCounts = new PeerCounts();
  readonly timings = new ClusterTimings();
  readonly gaps = new FailoverGaps(this.timings);
  readonly fates = new LegFates(PROVIDERS);
  readonly registry: ReturnType<typeof openNodeRegistry>;
  readonly ownership: Ownership;
  readonly peers: Peers;
  readonly takeovers: TakeoverDesk;
  readonly relays: Relays;
  readonly farCallers: FarCallers;
  readonly tails: Tails;
  readonly links: OwnerLinks;
  readonly #options: NodeClusterOptions;
  readonly #places: PeerPlaces;
  readonly #startedAtUnixMs: number;
  readonly #unacknowledged: UnacknowledgedEvents;
  readonly #placement: Placement;
  readonly #neighbours: readonly Region[];
  #met = new Set<string>();
  #heartbeat: Heartbeat | undefined;
  #newEpochs = 0;
  #cutSnapshots = 0;

  constructor(options: NodeClusterOptions) {
    const { settings, clock, incarnation, runDir, index, log, ask } = options;
    this.#options = options;
    this.#startedAtUnixMs = clock.unixMs();
    this.#placement = new Placement({ clock, regions: [settings.region] });
    this.#places = new PeerPlaces(settings, runDir);
    const { redisCommand, peerRoundTrip } = this.timings;
    const surroundings = readSurroundings(settings.region, settings.regionsDir);
    this.#neighbours = 'home' in surroundings ? surroundings.neighbours : [];
    this.registry = openNodeRegistry({
      settings,
      neighbours: this.#neighbours,
      clock,
      log,
      ask,
      observe: (command, durationMs) => redisCommand[command].observeMs(durationMs),
    });
    this.ownership = new Ownership({
      clock,
      registry: this.registry,
      incarnation,
      isIsolated: () => this.isIsolated,
      snapshotOf: (callId) => this.#snapshotOf(callId),
      onFenced: (callId) => this.#surrender(callId),
      onRecorded: (callId, token) => options.calls.get(callId)?.holdUnder(token),
    });
    this.#unacknowledged = new UnacknowledgedEvents(options.acknowledged);
    const links = new OwnerLinks(() => this.peers, clock, this.registry);
    this.links = links;
    const reportFailure = (error: unknown, where: string): void =>
      log.error({ error: messageOf(error), where }, 'a relay broke a promise');
    const linkTo = (peer: string) => this.peers.find(peer);
    this.farCallers = new FarCallers({
      calls: options.calls,
      farewells: options.farewells,
      isLeaving: () => options.leaving.isDraining,
      mediaUrl: mediaUrlOf(settings, index),
    });
    const onLeaving = (...told: Parameters<FarCallers['callHome']>) => this.farCallers.callHome(...told);
    const mayTake = (peer: string): boolean => this.#takerNamed(peer) !== undefined;
    const relaying = { clock, calls: options.calls, links, linkTo, reportFailure };
    const relays = new Relays({ ...relaying, onLeaving, mayTake });
    this.relays = relays;
    this.tails = new Tails(clock);
    const handOver = (callId: string, graceMs: number): void => this.#surrender(callId, graceMs);
    const onDraining = (incarnationOf: string): void => this.membership.heardLeaving(incarnationOf);
    this.peers = new Peers({
      self: incarnation,
      clock,
      counts: this.peerCounts,
      observeRoundTripMs: (roundTripMs) => peerRoundTrip.observeMs(roundTripMs),
      handlers: new PeerAnswers({ ...options, links, relays, tails: this.tails, handOver, onDraining }),
      keys: this.#places.keys,
      listen: this.#places.ownPlace(incarnation, index),
    });
    const { registry, membership, ownership } = this;
    const node = String(index);
    const { resumeWindowMs } = settings;
    const expectTails = (handles: unknown, owner: string): void => {
      const way = this.peers.find(owner);
      if (way !== undefined) this.tails.expect(handles, way);
    };
    const desk = { expectTails, node, resumeWindowMs, registry, membership, ownership, links, relays };
    const onTaken = (taken: Taken): void => {
      const cause = this.#causeOf(taken);
      this.gaps.took(taken.callId, cause);
      this.fates.took(taken.callId, cause);
    };
    this.takeovers = new TakeoverDesk({ ...options, ...desk, onTaken });
  }

  get isIsolated(): boolean {
    return this.membership.isIsolated(this.#options.clock.nowMs());
  }

  /**
   * Where a leg of this node comes back to: here, then to who is there as well, then to whoever answers, and
   * then to the neighbouring regions.
   */
  get mediaUrls(): readonly string[] {
    const { settings, index, clock, incarnation } = this.#options;
    const ways = this.membership.wayBack(clock.nowMs());
    const others = ways.filter((node) => node.incarnation !== incarnation);
    const urls = others.slice(0, OTHER_URLS_MAX).map(({ mediaUrl }) => mediaUrl);
    const elsewhere = this.#neighbours.flatMap(({ mediaUrl }) => mediaUrl ?? []).slice(0, OTHER_REGIONS_MAX);
    return [...new Set([mediaUrlOf(settings, index), ...urls, mediaUrlOf(settings), ...elsewhere])];
  }

  /** For `/metrics`. */
  get figures() {
    const { arrival, handover, refused } = this.takeovers.counts;
    const fenced = this.ownership.counts.fenced;
    return {
      isLeaseValid: !this.isIsolated,
      leaseAgeMs: this.membership.leaseAgeMs(this.#options.clock.nowMs()),
      isRegistryUp: this.#heartbeat?.isAnswered ?? false,
      clockSkewMs: this.#heartbeat?.clockSkewMs ?? 0,
      missedBeats: this.#heartbeat?.counts.missed ?? 0,
      newEpochs: this.#newEpochs,
      registryRoundTripMs: this.membership.roundTripMs,
      takeovers: { arrival, handover },
      legs: this.fates,
      refusedTakeovers: refused,
      relays: this.relays.figures,
      conflicts: {
        fenced_write: fenced,
        moved_race: arrival.lost_race,
        replaced: this.registry.counts.conflicts,
      },
      peers: this.#peerStates(),
    };
  }

  /** Events that no snapshot has room for. */
  get unkeptEvents(): number {
    return this.#unacknowledged.unkept;
  }

  /** Snapshots saved without their newest events: there was no room for them. */
  get cutSnapshots(): number {
    return this.#cutSnapshots;
  }

  /** The door is open: from now on the node is there for the others. */
  async start(): Promise<void> {
    const { clock, settings } = this.#options;
    await this.peers.listen();
    this.#heartbeat = new Heartbeat({
      clock,
      registry: this.registry,
      membership: this.membership,
      describe: () => this.#describe(),
      isDelayBelieved: settings.loopDelayMaxMs > 0,
      onHeard: (heard) => this.#onHeard(heard),
    });
  }

  /** An event was accepted under that number: whoever goes on with its call would have to know of it. */
  told(number: number, record: EventRecord): void {
    const { resource, type } = record.envelope;
    if (resource.type !== 'call') return;
    this.#unacknowledged.add(number, record);
    this.gaps.told(record);
    this.fates.told(record);
    // A call that was taken over is owned before it tells again what its former owner could not.
    const isNew = type === 'call_started' && this.ownership.tokenOf(resource.id) === undefined;
    if (isNew) void this.ownership.begin(resource.id);
  }

  /** Told, and not yet in the journal, as the next owner of the call needs it. */
  unacknowledged(callId: string): readonly EventRecord[] {
    return this.#unacknowledged.of(callId);
  }

  /** The call would be saved otherwise than before. */
  changed(callId: string): void {
    this.ownership.changed(callId);
  }

  /** The call ended here. */
  ended(callId: string): void {
    this.#unacknowledged.forget(callId);
    this.ownership.end(callId);
  }

  /** Who would take a call of this node now, the one wanted if it can; undefined where nobody can. */
  place(wanted?: string): NodeRecord | undefined {
    if (this.isIsolated) return undefined;
    const { clock, incarnation } = this.#options;
    const isOther = (node: NodeRecord): boolean => node.incarnation !== incarnation;
    const named = wanted === undefined ? undefined : this.#takerNamed(wanted);
    const fit = named ?? this.#placement.place(this.membership.fit(clock.nowMs()).filter(isOther));
    // Late at another node is better than cut off here.
    return fit ?? this.#placement.place(this.#takers.filter(isOther));
  }

  /** Everybody who is up, and does not leave. */
  get #takers(): NodeRecord[] {
    const nodes = this.membership.wayBack(this.#options.clock.nowMs());
    return nodes.filter(({ state }) => state === 'serving' || state === 'degraded');
  }

  #takerNamed(incarnation: string): NodeRecord | undefined {
    return this.#takers.find((node) => node.incarnation === incarnation);
  }

  drain(): void {
    this.#heartbeat?.drain();
    this.peers.tell({ state: 'draining' });
  }

  async close(): Promise<void> {
    await this.#heartbeat?.leave();
    this.ownership.close();
    await this.peers.close();
    await this.registry.close();
  }

  #onHeard(heard: Heard): void {
    if (heard === 'new_epoch') this.#newEpochs++;
    if (heard === 'first') this.ownership.recordAll();
    if (heard === 'new_epoch' || heard === 'returned') this.ownership.saveAll();
    this.#meet();
  }

  /** Keeps links to everybody with a lease, and to nobody whose lease is gone. */
  #meet(): void {
    const { incarnation: self } = this.#options;
    const present = this.membership.present().filter(({ incarnation }) => incarnation !== self);
    const met = new Set<string>();
    for (const node of present) {
      const place = this.#places.placeOf(node);
      if (place !== undefined && this.peers.meet(node.incarnation, place)) met.add(node.incarnation);
    }
    for (const incarnation of this.#met) if (!met.has(incarnation)) this.peers.forget(incarnation);
    this.#met = met;
  }

  /** A living owner gives a call away because it leaves, or to a client that came here by itself. */
  #causeOf({ from, reason }: Taken): FailoverCause {
    const isLeaving = this.membership
      .present()
      .some(({ incarnation, state }) => incarnation === from && state === 'draining');
    if (reason === 'handover') return isLeaving ? 'drain' : 'client';
    const name = this.peers.stateOf(from)?.name;
    return name === 'suspect' || name === 'open' ? 'hang' : 'crash';
  }

  #peerStates(): { open: number; suspect: number; closed: number } {
    const states = { open: 0, suspect: 0, closed: 0 };
    for (const incarnation of this.#met) {
      const name = this.peers.stateOf(incarnation)?.name;
      states[name === 'open' || name === 'suspect' ? name : 'closed']++;
    }
    return states;
  }

  #describe(): Omit<NodeRecord, 'state' | 'beat'> {
    const { settings, incarnation, index, version, status } = this.#options;
    const { legs, calls, capLegs, loopDelayP99Ms, spoolBytes } = status();
    return {
      v: 1,
      incarnation,
      node: index,
      host: hostname(),
      region: settings.region,
      mediaUrl: mediaUrlOf(settings, index),
      peer: this.#places.told(index),
      version,
      startedAtUnixMs: this.#startedAtUnixMs,
      legs,
      calls,
      capLegs,
      loopDelayP99Ms,
      spoolFreeRatio: Math.max(0, 1 - spoolBytes / settings.spoolBytesMax),
      peers: this.#peerStates(),
    };
  }

  #snapshotOf(callId: string): Omit<CallSave, 'callId' | 'token'> | undefined {
    const { calls, clock } = this.#options;
    const saved = calls.get(callId)?.save(clock.nowMs());
    if (saved === undefined) return undefined;
    const { sequence, facts } = saved;
    const alias = aliasOfCall(facts);
    const { text: snapshot, isCut } = snapshotText(saved, SNAPSHOT_BYTES_MAX);
    if (isCut) this.#cutSnapshots++;
    return { sequence, snapshot, ...(alias === undefined ? {} : { alias }) };
  }

  #surrender(callId: string, graceMs = 0): void {
    const { calls, clock, log, onSurrendered } = this.#options;
    this.#unacknowledged.forget(callId);
    this.ownership.release(callId);
    this.gaps.forget(callId);
    this.fates.forget(callId);
    if (!calls.surrender(callId, clock.nowMs(), graceMs)) return;
    log.warn({ call_id: callId }, 'the call is another node’s');
    onSurrendered();
  }
}
