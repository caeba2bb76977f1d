import { sleep, type AtMs, type Clock } from '../../base/clock.ts';
import { refuse, type Refusal } from '../../base/errors.ts';
import { parseObject, textOf, isObject } from '../../base/json.ts';
import type { CallDirectory } from '../../call/directory.ts';
import { decideArrival, type ArrivalStep, type OwnerLink } from '../../cluster/arrival.ts';
import type { Membership } from '../../cluster/membership.ts';
import type { Ownership } from '../../cluster/ownership.ts';
import type { ClaimReason, Found, Registry } from '../../cluster/registry.ts';
import type { Arrival, Arrivals } from '../../gateway/arrivals.ts';
import type { Resumes, Resumption } from '../../gateway/door/admission.ts';
import type { ResumeClaims } from '../../gateway/resume-token.ts';
import type { NodeLog } from '../media-node.ts';
import { newTakeoverCounts } from '../../telemetry/cluster-metrics.ts';
import type { OwnerLinks } from './owner-links.ts';
import { aliasOf, providerNameOf } from './provider-alias.ts';
import { strangerOf, type Relays } from './relays.ts';

/** So often a race may be lost before the client is sent round again. */
const ROUNDS_MAX = 4;
/** A provider's stream that may be of a call elsewhere waits for so long, its frames with it. */
const PREPARE_MS_MAX = 900;
/**
 * One that surely is, or of which the registry can tell soon, since it takes our beats: another call in its
 * place would be the end of its own. Of a crowd the last one waits.
 */
const PREPARE_SURE_MS_MAX = 5_000;
const PREPARE_AGAIN_MS = 50;
/** A call that was given, and that the registry did not answer for, is claimed again so often. */
const CLAIMS_AGAIN_MAX = 5;
const CLAIM_AGAIN_MS = 200;

export interface TakeoverOptions {
  readonly incarnation: string;
  /** 0 where nothing that is lost comes back. */
  readonly resumeWindowMs: number;
  /** As events name this node. */
  readonly node: string;
  readonly clock: Clock;
  readonly log: NodeLog;
  readonly calls: CallDirectory;
  readonly registry: Registry;
  readonly membership: Membership;
  readonly ownership: Ownership;
  readonly relays: Pick<Relays, 'serve' | 'open' | 'resumptionOf'>;
  readonly onTaken?: (taken: Taken) => void;
  /** What lines of a given call still say at its former owner comes under these handles. */
  readonly expectTails?: (handles: unknown, owner: string) => void;
  readonly links: Pick<OwnerLinks, 'settled' | 'holderOf' | 'lostSinceUnixMs' | 'ask'>;
}

type TakeoverReason = Extract<ClaimReason, 'arrival' | 'handover'>;

/** A call that is here now, and whose it was. */
export interface Taken {
  readonly callId: string;
  readonly from: string;
  readonly reason: TakeoverReason;
}

/** What a leg says of the call it wants back. */
interface Wanted {
  readonly callId: string;
  /** The greatest token it has seen. */
  readonly tokenFloor: number;
  /** Absent where the leg came by its provider's name for the call. */
  readonly connection?: { readonly legId: string; readonly generation: number };
  /** What the registry has just said of it, where it was asked. */
  readonly found?: Found | undefined;
}

/** Who did not give the call in the round before, and how its link stands. */
interface Answered {
  readonly owner: string;
  readonly link: OwnerLink;
}

/** The call stays with its owner, and the leg is carried there. */
interface Kept {
  readonly type: 'kept';
  readonly owner: string;
}

type Step = Exclude<ArrivalStep, { do: 'attach' }>;

/**
 * Brings a call here when one of its legs comes: from an owner that gives it, or from the registry where the
 * owner does not answer.
 */
export class TakeoverDesk {
  /** `outOfTime`: streams of providers that begin another call, as nobody could say whose theirs is. */
  readonly counts = {
    arrival: newTakeoverCounts(),
    handover: newTakeoverCounts(),
    refused: 0,
    outOfTime: 0,
  };
  readonly #options: TakeoverOptions;
  readonly #bringing = new Map<string, Promise<Refusal | Kept | undefined>>();
  /** Streams of providers whose call another node keeps. */
  readonly #kept = new WeakMap<Arrival, string>();

  constructor(options: TakeoverOptions) {
    this.#options = options;
  }

  /**
   * A provider streams a call again: whoever has it is asked, before another call is begun. Undefined where
   * there is nothing to ask.
   */
  prepare(arrival: Arrival): Promise<void> | undefined {
    const { calls, resumeWindowMs } = this.#options;
    const name = providerNameOf(arrival);
    if (name === undefined || resumeWindowMs === 0 || calls.ofProvider(name) !== undefined) return undefined;
    return this.#prepare(aliasOf(name), arrival);
  }

  /** As `here`, and asked before a call is begun whether it is another node's. */
  arrivalsOf(here: Arrivals): Arrivals {
    return {
      refuseNew: () => here.refuseNew(),
      prepare: (arrival) => this.prepare(arrival),
      arrive: (arrival, nowMs) => {
        const owner = this.#kept.get(arrival);
        if (owner === undefined) return here.arrive(arrival, nowMs);
        return this.#options.relays.open(arrival, owner, { caller: arrival.caller });
      },
    };
  }

  /**
   * Where nobody can say for long, or its call has ended, it begins another: to be heard is what it came for.
   */
  async #prepare(alias: string, arrival: Arrival): Promise<void> {
    const { clock, membership } = this.#options;
    const sinceMs = clock.nowMs();
    let isKnown = false;
    for (;;) {
      const state = await this.#prepareOnce(alias, arrival);
      if (state === 'ready') return;
      // A node that was killed is known as dead a moment later only: it is worth asking again.
      isKnown ||= state === 'known';
      const nowMs = clock.nowMs();
      const isWorthIt = isKnown || !membership.isIsolated(nowMs);
      if (nowMs - sinceMs >= (isWorthIt ? PREPARE_SURE_MS_MAX : PREPARE_MS_MAX)) {
        this.counts.outOfTime++;
        return;
      }
      await sleep(clock, PREPARE_AGAIN_MS);
    }
  }

  /** `known`: it has a call, which cannot be had now; `unavailable`: nobody can say. */
  async #prepareOnce(alias: string, arrival: Arrival): Promise<'ready' | 'known' | 'unavailable'> {
    const found = await this.#options.registry.findAlias(alias);
    if (found === 'unknown') return 'ready';
    if (found === 'unavailable') return 'unavailable';
    const outcome = await this.bring({ callId: found.callId, tokenFloor: 0 });
    if (outcome?.type === 'kept') this.#kept.set(arrival, outcome.owner);
    return outcome?.type === 'refusal' && outcome.fault === 'unavailable' ? 'known' : 'ready';
  }

  /** The legs of calls that are here, of those that can be, and of those that other nodes keep. */
  resumesOf(here: Arrivals & Resumes): Resumes {
    this.#options.relays.serve({ here, bring: (wanted) => this.bring(wanted) });
    return {
      resume: async (claims: ResumeClaims): Promise<Resumption | Refusal | undefined> => {
        const found = await this.#find(claims.callId);
        if (await this.#isWithAnother(found)) return this.#resumeLater(claims, here);
        return this.#resume(claims, here, found);
      },
    };
  }

  /** A living owner is asked once the leg has said that it is back: until then it speaks to its caller. */
  #resumeLater(claims: ResumeClaims, here: Resumes): Resumption {
    let resumption: Resumption | Refusal | undefined;
    return {
      caller: strangerOf(claims),
      prepare: async () => {
        resumption = await this.#resume(claims, here);
      },
      arrive: (arrival, nowMs) => {
        if (resumption === undefined) return refuse('call_not_found', 'the call has ended or never was');
        return 'type' in resumption ? resumption : resumption.arrive(arrival, nowMs);
      },
    };
  }

  async #resume(
    claims: ResumeClaims,
    here: Resumes,
    found?: Found,
  ): Promise<Resumption | Refusal | undefined> {
    const { callId, fence, legId, generation } = claims;
    const connection = { legId, generation };
    const outcome = await this.bring({ callId, tokenFloor: fence ?? 0, connection, found });
    if (outcome?.type === 'kept') return this.#options.relays.resumptionOf(claims, outcome.owner);
    return outcome ?? here.resume(claims);
  }

  /** Where the registry has the call; undefined where nobody is to be asked. */
  async #find(callId: string): Promise<Found | undefined> {
    const { calls, resumeWindowMs, registry } = this.#options;
    if (calls.get(callId) !== undefined || resumeWindowMs === 0) return undefined;
    return registry.find(callId);
  }

  async #isWithAnother(found: Found | undefined): Promise<boolean> {
    const { links, incarnation } = this.#options;
    if (typeof found !== 'object' || found.state !== 'live' || found.owner === incarnation) return false;
    return (await links.settled(found.owner)) === 'open';
  }

  /**
   * Resolves when the call is here, or why it is not, or who keeps it. Legs of one call that come at once
   * wait together.
   */
  async bring(wanted: Wanted): Promise<Refusal | Kept | undefined> {
    const { calls, resumeWindowMs } = this.#options;
    if (calls.get(wanted.callId) !== undefined || resumeWindowMs === 0) return undefined;
    const under = this.#bringing.get(wanted.callId);
    if (under !== undefined) return under;
    const bringing = this.#bring(wanted);
    this.#bringing.set(wanted.callId, bringing);
    try {
      const outcome = await bringing;
      if (outcome?.type === 'refusal') this.counts.refused++;
      return outcome;
    } finally {
      this.#bringing.delete(wanted.callId);
    }
  }

  async #bring(wanted: Wanted): Promise<Refusal | Kept | undefined> {
    const { callId } = wanted;
    let answered: Answered | undefined;
    for (let round = 0; round < ROUNDS_MAX; round++) {
      const found = (round === 0 ? wanted.found : undefined) ?? (await this.#options.registry.find(callId));
      const step = await this.#decide(callId, found, answered);
      if (step === 'here') return undefined;
      if (step.do === 'not_found') return refuse('call_not_found', 'the call has ended or never was');
      if (step.do === 'retry_later') return refuse('unavailable', 'nobody can say now who has the call');
      if (step.do === 'ask_owner') {
        const given = await this.#askOwner(step.owner, wanted);
        if (given === 'given') return undefined;
        if (given === 'kept') return { type: 'kept', owner: step.owner };
        if (typeof given === 'object') return given;
        answered = { owner: step.owner, link: given };
        continue;
      }
      const claimed = await this.#claim(step, wanted);
      if (claimed !== 'lost_race') return claimed;
    }
    return refuse('unavailable', 'the call moves from node to node');
  }

  async #decide(callId: string, found: Found, answered: Answered | undefined): Promise<Step | 'here'> {
    const { links, calls, membership, incarnation: self, clock } = this.#options;
    if (calls.get(callId) !== undefined) return 'here';
    const siblings = membership.present().map(({ incarnation }) => incarnation);
    const ownerHint = found === 'unavailable' ? await links.holderOf(callId, siblings) : null;
    const owner = typeof found === 'object' && found.state === 'live' ? found.owner : ownerHint;
    const link =
      owner === null ? 'none' : owner === answered?.owner ? answered.link : await links.settled(owner);
    const nowMs = clock.nowMs();
    const step = decideArrival({
      self,
      isHeldHere: calls.get(callId) !== undefined,
      found,
      link,
      ownerHint,
      isIsolated: membership.isIsolated(nowMs),
      mayJudge: membership.mayJudge(nowMs),
    });
    return step.do === 'attach' ? 'here' : step;
  }

  /** A living owner gives the call with its last word, or keeps it. No answer is an answer. */
  async #askOwner(owner: string, wanted: Wanted): Promise<'given' | 'kept' | Refusal | OwnerLink> {
    const { links, incarnation, membership, clock } = this.#options;
    const { callId, connection } = wanted;
    const comer =
      connection === undefined ? {} : { leg_id: connection.legId, generation: connection.generation };
    const isLeaving = membership.isLeaving(owner);
    const answer = await links.ask(owner, { call_id: callId, to: incarnation, ...comer }, isLeaving);
    if (!answer.ok && answer.fault === 'leg_replaced') return refuse(answer.fault, answer.detail);
    if (!answer.ok) return answer.fault === 'call_not_found' ? 'not_held' : 'suspect';
    const snapshot = isObject(answer.value) ? textOf(answer.value['snapshot']) : undefined;
    if (!isObject(answer.value) || snapshot === undefined) return 'kept';
    this.#options.expectTails?.(answer.value['tails'], owner);
    const claim = { expectedOwner: owner, tokenFloor: wanted.tokenFloor };
    let refusal = await this.#take('handover', claim, wanted, snapshot);
    // Nobody has the call now: what was given is worth more than what the registry holds of it.
    for (let again = 0; again < CLAIMS_AGAIN_MAX && isUnavailable(refusal); again++) {
      await sleep(clock, CLAIM_AGAIN_MS);
      refusal = await this.#take('handover', claim, wanted, snapshot);
    }
    return refusal === undefined ? 'given' : 'not_held';
  }

  #claim(
    step: { readonly expectedOwner: string; readonly tokenFloor: number },
    wanted: Wanted,
  ): Promise<Refusal | 'lost_race' | undefined> {
    const tokenFloor = Math.max(step.tokenFloor, wanted.tokenFloor);
    return this.#take('arrival', { ...step, tokenFloor }, wanted);
  }

  /** `given` is the owner's own last word; without it the registry's snapshot is gone on with. */
  async #take(
    reason: TakeoverReason,
    { expectedOwner, tokenFloor }: { readonly expectedOwner: string; readonly tokenFloor: number },
    { callId }: Wanted,
    given?: string,
  ): Promise<Refusal | 'lost_race' | undefined> {
    const counts = this.counts[reason];
    const claim = await this.#options.ownership.take({ callId, reason, expectedOwner, tokenFloor });
    if (claim.result === 'moved' || claim.result === 'unknown') {
      counts.lost_race++;
      return 'lost_race';
    }
    if (claim.result !== 'claimed') {
      counts[claim.result]++;
      if (claim.result === 'ended') return refuse('call_not_found', 'the call has ended');
      return refuse('unavailable', 'the registry does not answer');
    }
    const snapshot = given ?? claim.snapshot;
    const from = claim.previousOwner ?? expectedOwner;
    if (this.#restore(snapshot, { callId, from, fence: claim.token })) {
      counts.ok++;
      this.#options.onTaken?.({ callId, from, reason });
      return undefined;
    }
    counts.unreadable++;
    this.#options.ownership.end(callId);
    return refuse('call_not_found', 'nothing was left to go on with');
  }

  #restore(
    text: string | null,
    { callId, from, fence }: { readonly callId: string; readonly from: string; readonly fence: number },
  ): boolean {
    const { calls, clock, node, links, log } = this.#options;
    const saved = text === null ? undefined : parseObject(text);
    const facts = isObject(saved?.['facts']) ? saved['facts'] : {};
    const nowMs: AtMs = clock.nowMs();
    const lostSinceUnixMs = links.lostSinceUnixMs(from);
    const takeover = { fence, from: textOf(facts['node']) ?? from, to: node, lostSinceUnixMs };
    const call = calls.restore(saved, takeover, nowMs);
    const lostMs = Math.round(clock.unixMs() - lostSinceUnixMs);
    if (call === undefined) log.error({ call_id: callId, from }, 'a call could not be gone on with');
    else log.info({ call_id: callId, from, lost_ms: lostMs }, 'a call goes on here');
    return call !== undefined;
  }
}

function isUnavailable(outcome: Refusal | 'lost_race' | undefined): boolean {
  return typeof outcome === 'object' && outcome.fault === 'unavailable';
}
