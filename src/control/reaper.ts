import type { Cancel, Clock } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import type { Closeable } from '../base/lifetime.ts';
import type { Orphan, Registry } from '../cluster/registry.ts';
import { newId } from '../base/ids.ts';
import type { JsonObject } from '../base/json.ts';
import { durationMsOf, type CallView } from '../events/call-view.ts';
import { completedFields, type CompletionFacts } from '../events/completion.ts';
import { costOf, type CostRates } from '../events/cost.ts';
import type { CallEndReason, CallEventType } from '../events/catalogue.ts';
import { API_VERSION, type EventRecord } from '../events/envelope.ts';
import type { Journal } from '../events/journal.ts';
import { TELLING_TYPES, toldBy, UNTOLD, type ToldCall } from '../events/told-call.ts';

/** What a call's last words are made of beside its events. */
export interface PostCall {
  readonly rates: CostRates;
  /** Where the transcript of a call can be read. */
  transcriptUrl(callId: string): string;
}

/** What is told of a call in its owner's place. */
export interface Obituary {
  readonly told: ToldCall;
  readonly postCall?: PostCall | undefined;
}

/** Greater than any owner's token: of a call that was ended in its owner's place nobody tells any more. */
const LAST_FENCE = Number.MAX_SAFE_INTEGER;
/** Of an end that holds only where there is no record: whoever put one back has a greater one. */
const BELOW_ALL_TOKENS = 0;

/**
 * The last events of a call whose node is gone and that nobody resumed: each leg that was still there
 * disconnects, then exactly one `call_ended` and one `call_completed`. Numbering goes on from what the
 * journal has seen, so a call that had told its own end already is only completed. What a lost host still
 * held of it is refused when it returns.
 */
export function lastEventsOf(
  call: CallView,
  reason: CallEndReason,
  clock: Clock,
  obituary: Obituary = { told: UNTOLD },
): readonly EventRecord[] {
  const at = new Date(clock.unixMs()).toISOString();
  const stamps = { receivedAtMs: clock.nowMs(), decidedAtMs: clock.nowMs() };
  const legs = call.legs.map((leg) =>
    leg.disconnected_at === null ? { ...leg, disconnected_at: at, reason: 'node_lost' } : leg,
  );
  let sequence = call.sequence;
  const seal = (type: CallEventType, state: string, own: JsonObject): EventRecord => ({
    envelope: {
      id: newId('evt', clock),
      type,
      api_version: API_VERSION,
      created_at: at,
      workspace_id: call.workspace_id,
      resource: { type: 'call', id: call.id },
      sequence: ++sequence,
      region: call.region,
      test_mode: call.test_mode,
      data: { ...call.head, state, ...own },
    },
    stamps,
    fence: LAST_FENCE,
  });
  const endReason = (call.end_reason ?? reason) as CallEndReason;
  const durationMs = durationMsOf(call, call.ended_at ?? at);
  const records = call.legs
    .filter((leg) => leg.disconnected_at === null)
    .map(({ leg_id, role, dialect, codec }) =>
      seal('leg_disconnected', 'ending', { leg_id, role, dialect, codec, reason: 'node_lost' }),
    );
  if (call.ended_at === null) {
    records.push(seal('call_ended', 'ended', { duration_ms: durationMs, reason: endReason }));
  }
  const timeline = [
    ...call.timeline,
    ...records.map(({ envelope: e }) => ({ sequence: e.sequence, type: e.type, at })),
  ];
  const measured = { durationMs, reason: endReason, quality: call.quality, legs, timeline };
  const facts = { ...measured, ...toldFacts({ ...call, legs }, durationMs, obituary) };
  records.push(seal('call_completed', 'ended', completedFields(facts)));
  return records;
}

type Told = Omit<CompletionFacts, 'durationMs' | 'reason' | 'quality' | 'legs' | 'timeline'>;

/** What its owner took along is known as far as its events tell it. */
function toldFacts({ id, head, legs }: CallView, durationMs: number, { told, postCall }: Obituary): Told {
  const { direction, agent_id: agentId } = head;
  const parties = legs.map(({ leg_id, role }) => ({
    leg_id,
    role,
    talk_ms: told.talkMs.get(leg_id) ?? 0,
    interruptions: told.interruptions.get(leg_id) ?? 0,
  }));
  const talkMs: { [role: string]: number } = {};
  for (const { role, talk_ms } of parties) talkMs[role] = (talkMs[role] ?? 0) + talk_ms;
  const url = postCall?.transcriptUrl(id);
  const { disposition, qualification, recordings, segments } = told;
  return {
    talkMs,
    parties,
    cost: costOf(postCall?.rates, { direction, agentId, durationMs }),
    disposition,
    qualification,
    transcript: segments === 0 || url === undefined ? null : { url, segments },
    recordings,
  };
}

/** When nobody can still be on the way: nodes of an earlier life have been found or given up by then. */
const STRAYS_AFTER_MS = 10_000;
/** Of a call that told more, what comes after it is not looked through. */
const TOLD_EVENTS_MAX = 10_000;

/** A call that ended at its owner is not in the journal at once: looked at again after this. */
const LOOK_AGAIN_MS = 10_000;

export interface ReaperOptions {
  readonly journal: Pick<Journal, 'openCalls' | 'openCall' | 'incarnationsWithOpenCalls' | 'read'>;
  readonly postCall?: PostCall;
  /** The journal's `finish`, and everybody is told. */
  readonly finish: (...last: Parameters<Journal['finish']>) => Promise<readonly unknown[]>;
  readonly onLost: (call: CallView) => void;
  /** Who owns which call: what another node has taken over is not ended. Absent where nobody can. */
  readonly registry?: Pick<Registry, 'find' | 'end'>;
  /** Nobody is ended before a leg of the call could have come back elsewhere. */
  readonly resumeWindowMs?: number;
  readonly clock: Clock;
  readonly log: {
    warn(fields: object, sentence: string): void;
    error(fields: object, sentence: string): void;
  };
}

/** Ends what was lost with a node: every call gets its one `call_ended` and its one `call_completed`. */
export class Reaper implements Closeable {
  readonly #options: ReaperOptions;
  readonly #waiting = new Map<string, Cancel>();
  /** Looked at once, ended in the registry and open in the journal. */
  readonly #endedElsewhere = new Set<string>();
  #cancel: Cancel = () => {};

  constructor(options: ReaperOptions) {
    this.#options = options;
  }

  /**
   * The calls of a dead node, once all it had accepted is in the journal, and once nobody can come back to
   * them. May be asked again after a failure.
   */
  async reap(incarnation: string): Promise<void> {
    const { resumeWindowMs = 0 } = this.#options;
    if (resumeWindowMs === 0) return this.#end(incarnation);
    this.#endIn(incarnation, resumeWindowMs);
  }

  /** A call whose owner is long gone, wherever that was. False where nobody can say yet if it goes on. */
  async endOrphan({ callId, owner }: Pick<Orphan, 'callId' | 'owner'>): Promise<boolean> {
    // Its owner may have told nothing of it yet: another was the last who did.
    const call = await this.#options.journal.openCall(callId);
    if (call !== undefined) return this.#endCall(call, owner);
    // Its owner told its end and could not say so to the registry any more.
    return (await this.#mayEnd(callId, owner)) !== 'unknown';
  }

  #endIn(incarnation: string, delayMs: number): void {
    const { clock, log } = this.#options;
    this.#waiting.get(incarnation)?.();
    const cancel = clock.after(delayMs, () => {
      this.#waiting.delete(incarnation);
      this.#end(incarnation).catch((error: unknown) => {
        log.error({ incarnation, error: messageOf(error) }, 'lost calls could not be ended');
        this.#endIn(incarnation, LOOK_AGAIN_MS);
      });
    });
    this.#waiting.set(incarnation, cancel);
  }

  async #end(incarnation: string): Promise<void> {
    const { journal, log } = this.#options;
    const lost = await journal.openCalls(incarnation);
    if (lost.length > 0) log.warn({ incarnation, calls: lost.length }, 'a node died with calls on it');
    let undecided = 0;
    for (const call of lost) if (!(await this.#endCall(call, incarnation))) undecided++;
    if (undecided > 0) this.#endIn(incarnation, LOOK_AGAIN_MS);
  }

  /** False where it cannot be said yet whether the call goes on. */
  async #endCall(call: CallView, incarnation: string): Promise<boolean> {
    const { finish, onLost, clock, postCall } = this.#options;
    const verdict = await this.#mayEnd(call.id, incarnation);
    if (verdict !== 'end') return verdict === 'goes_on';
    const obituary = { told: await this.#toldOf(call), postCall };
    // Made of the call as the commit finds it: another host may be about to say the same.
    const told = await finish(call.id, (now) => lastEventsOf(now, 'node_lost', clock, obituary));
    if (told.length > 0) onLost(call);
    return true;
  }

  /** From `end` on nobody can take the call over any more. */
  async #mayEnd(callId: string, owner: string): Promise<'end' | 'goes_on' | 'unknown'> {
    const { registry } = this.#options;
    if (registry === undefined) return 'end';
    const found = await registry.find(callId);
    if (found === 'unavailable') return 'unknown';
    if (found === 'unknown') return this.#mayEndUnrecorded(callId, owner, registry);
    if (found.state === 'ended') return this.#isSecondLook(callId) ? 'end' : 'unknown';
    if (found.owner !== owner) return 'goes_on';
    const ended = await registry.end(owner, callId, found.token);
    if (ended === 'unavailable') return 'unknown';
    return ended === 'fenced' ? 'goes_on' : 'end';
  }

  /** Nobody put it back, and the window is over. The tombstone is written only if that is so still. */
  async #mayEndUnrecorded(
    callId: string,
    owner: string,
    registry: Pick<Registry, 'end'>,
  ): Promise<'end' | 'unknown'> {
    const ended = await registry.end(owner, callId, BELOW_ALL_TOKENS);
    return ended === 'saved' || ended === 'ended' ? 'end' : 'unknown';
  }

  /** Its last owner said that it ended: what it told may still be on its way to the journal. */
  #isSecondLook(callId: string): boolean {
    if (this.#endedElsewhere.delete(callId)) return true;
    this.#endedElsewhere.add(callId);
    return false;
  }

  async #toldOf(call: CallView): Promise<ToldCall> {
    const entries = await this.#options.journal.read({
      workspaceId: call.workspace_id,
      resourceId: call.id,
      types: TELLING_TYPES,
      limit: TOLD_EVENTS_MAX,
    });
    return toldBy(entries.map(({ envelope }) => envelope));
  }

  /** Looks once for open calls of nodes that left neither a socket nor a spool behind. */
  watchForStrays(isFollowed: (incarnation: string) => boolean): void {
    this.#cancel = this.#options.clock.after(STRAYS_AFTER_MS, () => {
      this.#reapStrays(isFollowed).catch((error: unknown) =>
        this.#options.log.error({ error: messageOf(error) }, 'stray calls could not be ended'),
      );
    });
  }

  close(): void {
    this.#cancel();
    for (const cancel of this.#waiting.values()) cancel();
  }

  async #reapStrays(isFollowed: (incarnation: string) => boolean): Promise<void> {
    for (const incarnation of await this.#options.journal.incarnationsWithOpenCalls()) {
      if (!isFollowed(incarnation)) await this.reap(incarnation);
    }
  }
}
