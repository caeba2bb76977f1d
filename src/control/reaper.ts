import type { Cancel, Clock } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import type { Closeable } from '../base/lifetime.ts';
import type { Orphan, Registry } from '../cluster/registry.ts';
import type { CallView } from '../events/call-view.ts';
import type { Journal } from '../events/journal.ts';
import { TELLING_TYPES, toldBy, type ToldCall } from '../events/told-call.ts';
import { lastEventsOf, type PostCall } from './orphans/last-events.ts';

/** When nobody can still be on the way: nodes of an earlier life have been found or given up by then. */
const STRAYS_AFTER_MS = 10_000;
/** Of a call that told more, what comes after it is not looked through. */
const TOLD_EVENTS_MAX = 10_000;
/** A call that ended at its owner is not in the journal at once: looked at again after this. */
const LOOK_AGAIN_MS = 10_000;
/** Of an end that holds only where there is no record: whoever put one back has a greater one. */
const BELOW_ALL_TOKENS = 0;

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
    const told = await finish(call.id, (now) => lastEventsOf(now, clock, obituary));
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

  async #reapStrays(isFollowed: (incarnation: string) => boolean): Promise<void> {
    for (const incarnation of await this.#options.journal.incarnationsWithOpenCalls()) {
      if (!isFollowed(incarnation)) await this.reap(incarnation);
    }
  }
}
