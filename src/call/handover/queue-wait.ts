import { unixMsOf, type AtMs, type Cancel } from '../../base/clock.ts';
import { isObject, type JsonObject } from '../../base/json.ts';
import { KIB } from '../../base/units.ts';
import type { QueueAsk } from '../../events/asks.ts';
import type { CallDesk } from '../call-desk.ts';
import type { RunningHandover } from './running-handover.ts';

/** So often it is said that a handover waits; whoever keeps the queue forgets it after three times that. */
const QUEUE_RENEWAL_MS = 2_000;
/** A member that has accepted has so long to come; then somebody else is asked. */
const CLAIM_MS = 15_000;
/** Members are shown so much before they accept, and all of it after. */
const OFFER_BYTES_MAX = 4 * KIB;

/** Where members of queues are: told what waits for them. It never throws, and nobody waits for it. */
export interface Queues {
  tell(ask: QueueAsk): void;
}

/** Whether somebody of the house is to be asked for this one. */
export function isQueued({ command: { target } }: RunningHandover): boolean {
  return target.type === 'queue' || target.type === 'console';
}

/** A handover that waits for a member of a queue, and says so until somebody has come or it is over. */
export class QueueWait {
  readonly #desk: CallDesk;
  readonly #queues: Queues;
  readonly #handover: RunningHandover;
  readonly #offer: JsonObject;
  #claimedUntilMs: AtMs = 0;
  #cancel: Cancel | undefined;
  #isOver = false;

  constructor(desk: CallDesk, queues: Queues, handover: RunningHandover) {
    this.#desk = desk;
    this.#queues = queues;
    this.#handover = handover;
    this.#offer = offerOf(handover, desk.counts);
    this.#tellAgain();
  }

  /** False where somebody else has it, or nobody is wanted any more. */
  claim(nowMs: AtMs): boolean {
    if (this.#standing(nowMs) !== 'waiting') return false;
    this.#claimedUntilMs = nowMs + CLAIM_MS;
    return true;
  }

  /** Whoever claimed it does not come. */
  release(): void {
    this.#claimedUntilMs = 0;
  }

  /** Something happened to the handover. */
  look(nowMs: AtMs): void {
    if (this.#standing(nowMs) === 'over') this.end();
  }

  /** Nobody is to be asked any more. */
  end(): void {
    if (this.#isOver) return;
    this.stop();
    this.#tell();
  }

  /** The call goes on elsewhere: whoever owns it then says whether it waits. */
  stop(): void {
    this.#isOver = true;
    this.#cancel?.();
  }

  #tellAgain(): void {
    if (this.#standing(this.#desk.clock.nowMs()) === 'over') return this.end();
    this.#tell();
    this.#cancel = this.#desk.clock.after(QUEUE_RENEWAL_MS, () => this.#tellAgain());
  }

  #tell(): void {
    const { facts, clock } = this.#desk;
    const { id, command, state } = this.#handover;
    const nowMs = clock.nowMs();
    this.#queues.tell({
      name: 'queue_handover',
      workspace_id: facts.workspaceId,
      test_mode: facts.testMode,
      queue: command.target.to,
      call_id: facts.id,
      handover_id: id,
      standing: this.#standing(nowMs),
      since_unix_ms: Math.round(unixMsOf(clock, state.plan.startedAtMs)),
      remaining_ms: Math.max(0, Math.round(state.plan.deadlineAtMs - nowMs)),
      offer: this.#isOver ? {} : this.#offer,
    });
  }

  #standing(nowMs: AtMs): QueueAsk['standing'] {
    const { state, targetLegId } = this.#handover;
    if (this.#isOver || state.name !== 'offered' || targetLegId !== null) return 'over';
    return nowMs < this.#claimedUntilMs ? 'claimed' : 'waiting';
  }
}

function offerOf({ command, told }: RunningHandover, counts: CallDesk['counts']): JsonObject {
  const { mode, reason } = command;
  const whole = isObject(told['context']) ? told['context'] : {};
  const context = shortened(whole);
  if (context !== whole) counts.shortenedOffers++;
  return { mode, reason, context };
}

/** Without its transcript where that is too long, and nothing where the rest is. */
function shortened(context: JsonObject): JsonObject {
  const { transcript: _, ...rest } = context;
  return [context, rest].find((one) => Buffer.byteLength(JSON.stringify(one)) <= OFFER_BYTES_MAX) ?? {};
}
