import type { Clock } from '../../base/clock.ts';
import { refuse, type Refusal } from '../../base/errors.ts';
import { isObject, parseObject } from '../../base/json.ts';
import type { PeerLink } from '../../cluster/peers/peer-link.ts';
import { dialectOf } from '../../dialect/registry.ts';
import type { Inbound } from '../../dialect/dialect.ts';
import type { Arrival, Arrivals, Caller, LegConnection, LostCause } from '../../gateway/arrivals.ts';
import type { Resumes, Resumption } from '../../gateway/door/admission.ts';
import { FarLeg, type FarWelcome } from '../../gateway/relay/far-leg.ts';
import { FarSocket } from '../../gateway/relay/far-socket.ts';
import { packOpening, readOpening, RELAY, signal } from '../../gateway/relay/relay-frames.ts';
import { RelayedLine, type RelayCounts } from '../../gateway/relay/relayed-line.ts';
import type { ResumeClaims } from '../../gateway/resume-token.ts';

/** Legs that one peer may have here by relay; its own door has its own limit. */
const FAR_LEGS_MAX = 1_024;
const MESSAGE_BYTES_MAX = 256 * 1024;

export interface RelaysOptions {
  readonly clock: Clock;
  readonly linkTo: (incarnation: string) => PeerLink | undefined;
  readonly reportFailure: (error: unknown, where: string) => void;
}

/** Either a leg that comes back, or a provider's stream. */
interface Who {
  readonly claims?: ResumeClaims;
  readonly caller?: Caller;
}

interface FarEnd {
  readonly leg: FarLeg;
  readonly socket: FarSocket;
}

/** Legs whose socket is at one node and whose call is at another: both of their ends that are here. */
export class Relays {
  readonly counts: RelayCounts & { waitingDropped: number } = {
    opened: 0,
    droppedMessages: 0,
    droppedAudioFrames: 0,
    refused: 0,
    lostOwners: 0,
    waitingDropped: 0,
  };
  readonly #options: RelaysOptions;
  readonly #lines = new Map<PeerLink, Map<number, RelayedLine>>();
  readonly #farEnds = new Map<PeerLink, Map<number, FarEnd>>();
  readonly #inbound: Inbound = {
    payload: new Uint8Array(MESSAGE_BYTES_MAX),
    payloadBytes: 0,
    sequence: -1,
    timestampMs: -1,
  };
  #here: (Arrivals & Resumes) | undefined;
  #lastHandle = 0;

  constructor(options: RelaysOptions) {
    this.#options = options;
  }

  /** Who makes legs of those that come over a relay. */
  serve(here: Arrivals & Resumes): void {
    this.#here = here;
  }

  /** Legs whose socket is here and whose call is not. */
  get relayed(): number {
    return sizeOf(this.#lines);
  }

  /** Legs of calls here whose socket is elsewhere. */
  get far(): number {
    return sizeOf(this.#farEnds);
  }

  /** For `/metrics`. */
  get figures() {
    const { opened, refused, lostOwners, droppedMessages, droppedAudioFrames, waitingDropped } = this.counts;
    return {
      opened,
      refused,
      lostOwners,
      legs: { here: this.relayed, elsewhere: this.far },
      dropped: { message: droppedMessages, audio: droppedAudioFrames, waiting: waitingDropped },
    };
  }

  /** As a leg that comes back is given to a call that another node keeps. */
  resumptionOf(claims: ResumeClaims, owner: string): Resumption {
    return { caller: strangerOf(claims), arrive: (arrival) => this.open(arrival, owner, { claims }) };
  }

  open(arrival: Arrival, owner: string, who: Who): LegConnection | Refusal {
    const way = this.#options.linkTo(owner);
    const { opening, socket } = arrival;
    if (way === undefined || opening === undefined) return this.#refused();
    const handle = ++this.#lastHandle;
    if (!signal(way, RELAY.open, handle, { ...packOpening(opening), who })) return this.#refused();
    const { clock } = this.#options;
    const lines = tableOf(this.#lines, way);
    const onEnded = (): void => void lines.delete(handle);
    const line = new RelayedLine({ way, handle, socket, clock, counts: this.counts, onEnded });
    lines.set(handle, line);
    this.counts.opened++;
    return line;
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
    if (type === RELAY.lost) {
      this.#farEnds.get(from)?.delete(handle);
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
    for (const { leg } of ends) leg.lost({ type: 'closed', closeCode: 1006 }, nowMs);
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
    const leg = new FarLeg({ opening, socket, clock, inbound, dialects, waiting, reportFailure });
    ends.set(handle, { leg, socket });
    this.#welcomeOf(opening.who as Who)
      .then((welcome) => ('type' in welcome ? leg.refuse(welcome) : leg.arrive(welcome)))
      .catch((error: unknown) => {
        reportFailure(error, 'relay');
        leg.refuse(refuse('internal', 'see the log'));
      });
  }

  async #welcomeOf({ claims, caller }: Who): Promise<FarWelcome | Refusal> {
    const here = this.#here;
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

function tableOf<T>(tables: Map<PeerLink, Map<number, T>>, link: PeerLink): Map<number, T> {
  const known = tables.get(link);
  if (known !== undefined) return known;
  const table = new Map<number, T>();
  tables.set(link, table);
  return table;
}

function sizeOf(tables: ReadonlyMap<PeerLink, ReadonlyMap<number, unknown>>): number {
  return [...tables.values()].reduce((sum, { size }) => sum + size, 0);
}

function causeOf(payload: Buffer): LostCause {
  const cause = parseObject(payload);
  return isObject(cause) ? (cause as unknown as LostCause) : { type: 'closed', closeCode: 1006 };
}

/** The owner knows who it is; nobody here asks. */
export function strangerOf({ callId }: ResumeClaims): Caller {
  return {
    workspaceId: '',
    agentId: null,
    testMode: false,
    role: 'caller',
    callId,
    sessionId: null,
    direction: 'inbound',
    from: null,
    to: null,
    leadId: null,
    contactId: null,
    conversationId: null,
    metadata: {},
  };
}
