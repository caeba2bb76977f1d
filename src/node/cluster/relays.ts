import type { Clock } from '../../base/clock.ts';
import { refuse, type Refusal } from '../../base/errors.ts';
import { isObject, parseObject } from '../../base/json.ts';
import type { PeerLink } from '../../cluster/peers/peer-link.ts';
import { dialectOf } from '../../dialect/registry.ts';
import type { Inbound } from '../../dialect/dialect.ts';
import {
  NEWCOMER,
  type Arrival,
  type Caller,
  type LegConnection,
  type LostCause,
} from '../../gateway/arrivals.ts';
import type { Resumption } from '../../gateway/door/admission.ts';
import { FarLeg, type FarWelcome } from '../../gateway/relay/far-leg.ts';
import { FarSocket } from '../../gateway/relay/far-socket.ts';
import { packOpening, readOpening, RELAY, signal, type RelayWay } from '../../gateway/relay/relay-frames.ts';
import { CLOSE_MOVED, RelayedLine, type RelayCounts } from '../../gateway/relay/relayed-line.ts';
import type { ResumeClaims } from '../../gateway/resume-token.ts';
import type { FarSeat } from '../drain/far-callers.ts';
import type { OwnerLinks } from './owner-links.ts';
import { RelayMoves, type Finder } from './relay-moves.ts';
import { claimsOf, readClaims, type SeatedAt } from './seat-claims.ts';

/** Legs that one peer may have here by relay; its own door has its own limit. */
const FAR_LEGS_MAX = 1_024;
const MESSAGE_BYTES_MAX = 256 * 1024;

export interface RelaysOptions extends SeatedAt {
  readonly clock: Clock;
  readonly links: Pick<OwnerLinks, 'redialled'>;
  readonly linkTo: (incarnation: string) => PeerLink | undefined;
  /** Whether a call may go to that node now. */
  readonly mayTake: (incarnation: string) => boolean;
  /** The node of that leg's socket leaves. */
  readonly onLeaving: (seat: FarSeat, mayRedirect: boolean) => Promise<void>;
  readonly reportFailure: (error: unknown, where: string) => void;
}

/** Either a leg that comes back, or a provider's stream. */
interface Who {
  readonly claims?: ResumeClaims;
  readonly caller?: Caller;
}

/** One leg whose socket is here, and to whom it is carried now. */
interface Relay {
  readonly line: RelayedLine;
  readonly arrival: Arrival;
  owner: string;
  /** As its owner knows it by now. */
  who: Who;
}

interface FarEnd {
  readonly leg: FarLeg;
  readonly socket: FarSocket;
  readonly way: PeerLink;
  seat?: FarSeat;
  /** Where its call goes to the node of its socket, it goes on there on the socket it has. */
  mayFollow: boolean;
}

/** Legs whose socket is at one node and whose call is at another: both of their ends that are here. */
export class Relays {
  readonly counts: RelayCounts & { waitingDropped: number } = {
    opened: 0,
    droppedMessages: 0,
    droppedAudioFrames: 0,
    refused: 0,
    lostOwners: 0,
    followed: 0,
    waitingDropped: 0,
  };
  readonly #options: RelaysOptions;
  readonly #lines = new Map<RelayWay, Map<number, RelayedLine>>();
  readonly #farEnds = new Map<PeerLink, Map<number, FarEnd>>();
  readonly #inbound: Inbound = {
    payload: new Uint8Array(MESSAGE_BYTES_MAX),
    payloadBytes: 0,
    sequence: -1,
    timestampMs: -1,
  };
  readonly #moves: RelayMoves;
  #finder: Finder | undefined;
  /** Of legs that are seated, by leg: the last end each came by. */
  readonly #seats = new Map<string, FarEnd>();
  #searching = 0;
  #lastHandle = 0;

  constructor(options: RelaysOptions) {
    const { clock, links } = options;
    this.#options = options;
    this.#moves = new RelayMoves({ clock, links, counts: this.counts });
  }

  /** Who makes legs of those that come over a relay, and finds calls that are no longer where they were. */
  serve(finder: Finder): void {
    this.#finder = finder;
  }

  /** Legs whose socket is here and whose call is not. */
  get relayed(): number {
    return sizeOf(this.#lines);
  }

  /** Legs of calls here whose socket is elsewhere. */
  get far(): number {
    return sizeOf(this.#farEnds);
  }

  /** Whether no socket is here whose call is elsewhere, or is looked for. */
  get isEmpty(): boolean {
    return this.#searching === 0 && this.relayed === 0;
  }

  /** Sockets here whose call is elsewhere. */
  *lines(): Generator<RelayedLine> {
    for (const lines of this.#lines.values()) yield* lines.values();
  }

  /** The node to which that leg of a call here would follow its call, on the socket that it has there. */
  homeOf(legId: string): string | undefined {
    const end = this.#seats.get(legId);
    if (end === undefined || !end.mayFollow || !end.socket.isTaken) return undefined;
    const { state } = end.way;
    return state.name === 'open' && this.#options.mayTake(state.peer) ? state.peer : undefined;
  }

  /** The node of that leg's socket is to come for the call; false where it was not told. */
  fetch(legId: string): boolean {
    return this.homeOf(legId) !== undefined && this.#seats.get(legId)!.socket.fetch();
  }

  /** The call goes to another node, and this leg with it, on the socket that it has. */
  letFollow(legId: string): void {
    if (this.homeOf(legId) !== undefined) this.#seats.get(legId)!.socket.close(CLOSE_MOVED, 'call_moved');
  }

  /** For `/metrics`. */
  get figures() {
    const { opened, refused, lostOwners, followed } = this.counts;
    const { droppedMessages, droppedAudioFrames, waitingDropped } = this.counts;
    return {
      opened,
      refused,
      lostOwners,
      followed,
      legs: { here: this.relayed, elsewhere: this.far },
      dropped: { message: droppedMessages, audio: droppedAudioFrames, waiting: waitingDropped },
    };
  }

  /** As a leg that comes back is given to a call that another node keeps. */
  resumptionOf(claims: ResumeClaims, owner: string): Resumption {
    return { caller: strangerOf(claims), arrive: (arrival) => this.open(arrival, owner, { claims }) };
  }

  open(arrival: Arrival, owner: string, who: Who): LegConnection | Refusal {
    const { clock } = this.#options;
    const line: RelayedLine = new RelayedLine({
      socket: arrival.socket,
      clock,
      counts: this.counts,
      onSeated: (told) => {
        const claims = readClaims(told);
        if (claims !== undefined) relay.who = { claims };
      },
      onLost: () => this.#follow(relay),
      onLeft: (way, handle) => void this.#lines.get(way)?.delete(handle),
    });
    const relay: Relay = { line, arrival, owner, who };
    if (!this.#carry(relay)) return this.#refused();
    this.counts.opened++;
    return line;
  }

  /** Opens it at its owner; false where there is no way to that one. */
  #carry(relay: Relay): boolean {
    const { opening } = relay.arrival;
    const way = this.#options.linkTo(relay.owner);
    if (way === undefined || opening === undefined) return false;
    const handle = ++this.#lastHandle;
    if (!signal(way, RELAY.open, handle, { ...packOpening(opening), who: relay.who })) return false;
    tableOf(this.#lines, way).set(handle, relay.line);
    relay.line.carryOver(way, handle);
    return true;
  }

  /** Its owner is gone, or has the call no more. False where nothing is known to look for the call by. */
  #follow(relay: Relay): boolean {
    const { line, arrival, who, owner } = relay;
    const { claims } = who;
    const finder = this.#finder;
    if (finder === undefined || claims === undefined || arrival.session.isReplaceable !== true) return false;
    const carryTo = (next: string): boolean => {
      relay.owner = next;
      return this.#carry(relay);
    };
    this.#searching++;
    this.#moves
      .follow({ line, arrival, claims, owner, carryTo }, finder)
      .catch((error: unknown) => {
        this.#options.reportFailure(error, 'relay: follow');
        line.giveUp();
      })
      .finally(() => this.#searching--);
    return true;
  }

  carried(type: number, handle: number, payload: Buffer, from: PeerLink): void {
    if (type >= RELAY.sentText) return this.#lines.get(from)?.get(handle)?.carried(type, payload);
    if (type === RELAY.open) return this.#welcome(handle, payload, from);
    const end = this.#farEnds.get(from)?.get(handle);
    if (end === undefined) return;
    const { leg, socket } = end;
    if (type === RELAY.heardText || type === RELAY.heardBinary) {
      return leg.receive(payload, type === RELAY.heardBinary);
    }
    if (type === RELAY.busy || type === RELAY.idle) socket.isBusy = type === RELAY.busy;
    if (type === RELAY.leaving) this.#callHome(end, parseObject(payload)?.['mayRedirect'] === true);
    if (type === RELAY.lost) {
      this.#farEnds.get(from)?.delete(handle);
      this.#unseat(end);
      leg.lost(causeOf(payload), this.#options.clock.nowMs());
    }
  }

  /** The link is gone, and every relay over it. */
  ended(link: PeerLink): void {
    const lines = [...(this.#lines.get(link)?.values() ?? [])];
    const ends = [...(this.#farEnds.get(link)?.values() ?? [])];
    this.#lines.delete(link);
    this.#farEnds.delete(link);
    for (const line of lines) line.ownerLost();
    const nowMs = this.#options.clock.nowMs();
    for (const end of ends) {
      this.#unseat(end);
      end.leg.lost({ type: 'closed', closeCode: 1006 }, nowMs);
    }
  }

  #callHome({ seat }: FarEnd, mayRedirect: boolean): void {
    const { onLeaving, reportFailure } = this.#options;
    if (seat === undefined) return;
    onLeaving(seat, mayRedirect).catch((error: unknown) => reportFailure(error, 'relay: leaving'));
  }

  #unseat(end: FarEnd): void {
    const legId = end.seat?.legId;
    if (legId !== undefined && this.#seats.get(legId) === end) this.#seats.delete(legId);
  }

  #welcome(handle: number, payload: Buffer, from: PeerLink): void {
    const { clock, reportFailure } = this.#options;
    const ends = tableOf(this.#farEnds, from);
    const opening = readOpening(payload);
    const socket = new FarSocket(from, handle, this.counts);
    if (opening === undefined || ends.size >= FAR_LEGS_MAX || ends.has(handle)) {
      this.counts.refused++;
      return socket.close(4503, 'unavailable');
    }
    const dialects = (name: string) => dialectOf(name);
    const [inbound, waiting] = [this.#inbound, this.counts];
    const who = opening.who as Who;
    const onSeated = (arrival: Arrival): void => {
      const claims = claimsOf(this.#options, arrival, who.claims);
      if (claims === undefined) return;
      end.seat = claims;
      end.mayFollow = arrival.session.isReplaceable === true;
      this.#seats.set(claims.legId, end);
      signal(from, RELAY.seated, handle, claims);
    };
    const leg = new FarLeg({ opening, socket, clock, inbound, dialects, waiting, onSeated, reportFailure });
    const end: FarEnd = { leg, socket, way: from, mayFollow: false };
    ends.set(handle, end);
    this.#welcomeOf(who)
      .then((welcome) => ('type' in welcome ? leg.refuse(welcome) : leg.arrive(welcome)))
      .catch((error: unknown) => {
        reportFailure(error, 'relay');
        leg.refuse(refuse('internal', 'see the log'));
      });
  }

  async #welcomeOf({ claims, caller }: Who): Promise<FarWelcome | Refusal> {
    const here = this.#finder?.here;
    if (here === undefined) return refuse('unavailable', 'the node is starting');
    if (caller !== undefined) return { caller, arrive: (...arrived) => here.arrive(...arrived) };
    const resumption = claims === undefined ? undefined : await here.resume(claims);
    return resumption ?? refuse('call_not_found', 'the call has ended or never was');
  }

  #refused(): Refusal {
    this.counts.refused++;
    return refuse('unavailable', 'the call is at another node');
  }
}

function tableOf<K, T>(tables: Map<K, Map<number, T>>, link: K): Map<number, T> {
  const known = tables.get(link);
  if (known !== undefined) return known;
  const table = new Map<number, T>();
  tables.set(link, table);
  return table;
}

function sizeOf(tables: ReadonlyMap<RelayWay, ReadonlyMap<number, unknown>>): number {
  return [...tables.values()].reduce((sum, { size }) => sum + size, 0);
}

function causeOf(payload: Buffer): LostCause {
  const cause = parseObject(payload);
  return isObject(cause) ? (cause as unknown as LostCause) : { type: 'closed', closeCode: 1006 };
}

/** The owner knows who it is; nobody here asks. */
export function strangerOf({ callId }: ResumeClaims): Caller {
  return { ...NEWCOMER, workspaceId: '', agentId: null, testMode: false, callId };
}
