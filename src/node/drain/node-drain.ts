import type { AtMs, Cancel, Clock } from '../../base/clock.ts';
import { messageOf } from '../../base/errors.ts';
import type { Closeable } from '../../base/lifetime.ts';
import type { Call } from '../../call/call.ts';
import type { CallDirectory } from '../../call/directory.ts';
import { moveAtProvider } from '../../call/provider/provider-move.ts';
import type { NodeRecord } from '../../cluster/node-record.ts';
import { advanceDrain, SERVING, type DrainEnd, type DrainState } from './drain-state.ts';
import {
  LOOK_EVERY_MS,
  TURNS_EVERY_MS,
  turnsOf,
  UNDER_WAY_MAX,
  UNDER_WAY_MS,
  type Candidate,
} from './next-move.ts';
import { countOrder } from './far-callers.ts';
import type { Farewells } from './farewells.ts';
import { LeavingLines, type LeavingLine } from './leaving-lines.ts';
import type { Tails } from './tails.ts';
import { following, mayFollow, speakingOn, toBeFetched, wayOut, type WaysOut } from './ways-out.ts';

/** Legs whose socket and whose call are at two nodes, one of which leaves; by leg's id (`Relays`). */
export interface RelayedLegs {
  /** Whether no socket here is of a call elsewhere. */
  readonly isEmpty: boolean;
  lines(): Iterable<LeavingLine>;
  homeOf(legId: string): string | undefined;
  fetch(legId: string): boolean;
}

export interface NodeDrainOptions {
  readonly clock: Clock;
  readonly calls: Pick<CallDirectory, 'all' | 'get' | 'size' | 'endAll'>;
  /** Both are opened after the drain, and asked only once it begins. */
  readonly farewells: () => Farewells;
  readonly tails: () => Pick<Tails, 'leaving'>;
  readonly relays: () => RelayedLegs;
  /** Providers are asked to stream elsewhere only so long after the drain began. */
  readonly moveProviderMs: number;
  /** Who would take a call now, that one if it can; undefined where nobody can. */
  readonly place: (wanted?: string) => NodeRecord | undefined;
  /** Once, at the beginning: the doors close to who is new, and peers are told. */
  readonly onBegin: () => void;
  readonly log: {
    info(fields: object, sentence: string): void;
    error(fields: object, sentence: string): void;
  };
}

/**
 * A node's leaving: nothing new is taken, its calls are moved to other nodes, and what is left when time is
 * up is ended.
 */
export class NodeDrain implements Closeable {
  readonly counts = {
    /** Calls whose lines were told to come back elsewhere. */
    told: 0,
    toldAgain: 0,
    /** A call's turn came, and there was no node to go to. */
    withoutPlace: 0,
    /** Calls whose lines are all at other nodes, one of which was told to come for the call. */
    fetched: 0,
    /** Orders to providers, by what became of them; skipped where nobody could be asked. */
    providers: { accepted: 0, refused: 0, skipped: 0 },
    /** Calls that were ended because time was up. */
    cutOff: 0,
  };
  readonly #options: NodeDrainOptions;
  /** Sockets here of calls elsewhere. */
  readonly lines = new LeavingLines();
  readonly #toldAtMs = new Map<string, AtMs>();
  readonly #done = Promise.withResolvers<DrainEnd>();
  #state: DrainState = SERVING;
  #turns: Candidate[] = [];
  #turnsUntilAtMs: AtMs = 0;
  #cancelLook: Cancel = () => {};

  constructor(options: NodeDrainOptions) {
    this.#options = options;
  }

  get isDraining(): boolean {
    return this.#state.name !== 'serving';
  }

  /** Resolves when no call is left, or none is to be. Never before `begin`. */
  get done(): Promise<DrainEnd> {
    return this.#done.promise;
  }

  /** Asked again it only shortens the time that is left. */
  begin(deadlineMs: number): Promise<DrainEnd> {
    const { clock, log, calls, onBegin } = this.#options;
    const isFirst = !this.isDraining;
    this.#advance({ type: 'begin', deadlineMs });
    if (isFirst) {
      log.info({ calls: calls.size, deadline_ms: deadlineMs }, 'draining');
      onBegin();
      this.#cancelLook = clock.after(LOOK_EVERY_MS, () => this.#lookOn());
    }
    this.look();
    return this.done;
  }

  /** A call ended or was given away: perhaps it was the last. */
  look(): void {
    const { calls, tails, relays } = this.#options;
    const socketsLeft = relays().isEmpty ? 0 : 1;
    this.#advance({ type: 'look', callsLeft: calls.size + tails().leaving + socketsLeft });
  }

  /** Whether a peer that asks for the call gets it, whoever else is on its lines. */
  gives(call: Call): boolean {
    return this.isDraining && mayFollow(call, this.#ways);
  }

  /** The lines of a call that speak on here for a moment when it is given away. */
  speakingOn(call: Call): readonly string[] {
    return this.isDraining ? speakingOn(call, this.#ways) : [];
  }

  /** The lines of a call that go after it by themselves when it is given away. */
  following(call: Call): readonly string[] {
    return this.isDraining ? following(call, this.#ways) : [];
  }

  close(): void {
    this.#cancelLook();
  }

  #lookOn(): void {
    this.look();
    if (this.#state.name === 'done') return;
    this.#cancelLook = this.#options.clock.after(LOOK_EVERY_MS, () => this.#lookOn());
    try {
      this.#moveSome();
    } catch (error) {
      this.#options.log.error({ error: messageOf(error) }, 'a call could not be moved');
    }
  }

  #advance(input: Parameters<typeof advanceDrain>[1]): void {
    const { clock, calls, log } = this.#options;
    const before = this.#state;
    const nowMs = clock.nowMs();
    this.#state = advanceDrain(before, input, nowMs);
    if (this.#state.name !== 'done' || before.name === 'done') return;
    this.#cancelLook();
    const { how, sinceAtMs } = this.#state;
    this.counts.cutOff += calls.size;
    log.info({ how, calls_ended: calls.size, took_ms: Math.round(nowMs - sinceAtMs) }, 'drained');
    calls.endAll('drained', nowMs);
    this.#done.resolve(how);
  }

  #moveSome(): void {
    if (this.#state.name !== 'moving') return;
    const { calls, clock, moveProviderMs } = this.#options;
    const { sinceAtMs, deadlineAtMs } = this.#state;
    const nowMs = clock.nowMs();
    const times = {
      nowMs,
      // Whom a deadline would cut off had rather hear a short break.
      providersFromAtMs: Math.min(sinceAtMs + moveProviderMs, (sinceAtMs + deadlineAtMs) / 2),
      talkersFromAtMs: (sinceAtMs + deadlineAtMs) / 2,
    };
    for (const callId of this.#toldAtMs.keys())
      if (calls.get(callId) === undefined) this.#toldAtMs.delete(callId);
    if (nowMs >= this.#turnsUntilAtMs) {
      this.#turns = [...turnsOf(this.#candidates(nowMs), times)];
      this.#turnsUntilAtMs = nowMs + TURNS_EVERY_MS;
    }
    if (this.#underWay(nowMs) >= UNDER_WAY_MAX) return;
    const candidate = this.#turns.shift();
    if (candidate !== undefined) this.#move(candidate, nowMs);
    else this.lines.tellNext(this.#options.relays().lines(), times);
  }

  /** Calls that were told a moment ago, and are still here. */
  #underWay(nowMs: AtMs): number {
    let underWay = 0;
    for (const toldAtMs of this.#toldAtMs.values()) if (nowMs - toldAtMs < UNDER_WAY_MS) underWay++;
    return underWay;
  }

  get #ways(): WaysOut {
    const { farewells, relays } = this.#options;
    return {
      canGoAway: (leg) => farewells().canGoAway(leg),
      isSentAway: (leg) => farewells().isSentAway(leg),
      // Who was told to come elsewhere is on the way there.
      follows: (leg) => !farewells().isSentAway(leg) && relays().homeOf(leg.id) !== undefined,
    };
  }

  #candidates(nowMs: AtMs): readonly Candidate[] {
    const { calls } = this.#options;
    const ways = this.#ways;
    return calls.all.flatMap((call) => {
      const way = wayOut(call, ways, nowMs);
      return way === undefined ? [] : [{ ...way, toldAtMs: this.#toldAtMs.get(call.id) }];
    });
  }

  #move({ callId, way }: Candidate, nowMs: AtMs): void {
    const { calls, place, farewells, relays } = this.#options;
    const call = calls.get(callId);
    if (call === undefined) return;
    const wasTold = this.#toldAtMs.has(callId);
    this.#toldAtMs.set(callId, nowMs);
    const homes = call.legs.flatMap(({ id }) => relays().homeOf(id) ?? []);
    const node = place(homes[0]);
    if (node === undefined) {
      this.counts.withoutPlace++;
      return;
    }
    if (wasTold) this.counts.toldAgain++;
    else this.counts.told++;
    const ways = this.#ways;
    // Everybody of a call is sent to one node, so that they meet there.
    farewells().goAway(
      call,
      node.mediaUrl,
      call.legs.filter((leg) => !ways.follows(leg)),
    );
    const fetched = toBeFetched(call, ways);
    if (fetched !== undefined && relays().fetch(fetched.id)) this.counts.fetched++;
    if (way === 'provider') void this.#moveAtProvider(call, node.mediaUrl);
  }

  async #moveAtProvider(call: Call, mediaUrl: string): Promise<void> {
    const { farewells } = this.#options;
    const target = farewells().redirectOf(call, mediaUrl);
    const result = target === undefined ? undefined : await moveAtProvider(call, target);
    countOrder(this.counts.providers, result);
  }
}
