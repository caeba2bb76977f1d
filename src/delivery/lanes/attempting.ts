import { sleep, type AtMs, type Clock } from '../../base/clock.ts';
import { messageOf } from '../../base/errors.ts';
import { classOf } from '../../events/catalogue.ts';
import type { Envelope } from '../../events/envelope.ts';
import { aftermathOf, type Aftermath } from './aftermath.ts';
import type { LaneStats } from './lane-entry.ts';
import { letterOf, type Item, type Letter } from './lane.ts';
import type { DeliveryLog, DeliveryObserver } from '../observer.ts';
import type { AttemptOutcome, Endpoint, Outbox, Undelivered } from '../outbox.ts';
import { EVERYTHING, FencedError, type Territory } from '../partitions/lease-table.ts';
import type { UndeliveredNames } from './undelivered.ts';
import type { Sender, SendResult } from '../wire/sender.ts';

/** What an attempt asks of the rest of the house. */
export interface AttemptPorts {
  readonly clock: Clock;
  /** What ages are told by: a clock that nobody sets. */
  readonly ages: Pick<Clock, 'unixMs'>;
  readonly sender: Pick<Sender, 'send'>;
  readonly outbox: Pick<Outbox, 'load' | 'record'>;
  readonly observer: DeliveryObserver;
  readonly log: DeliveryLog;
  readonly stats: LaneStats;
  /** Without one everything is ours. */
  readonly territory?: Territory;
}

/** An attempt that was made, and what follows from it. */
export interface Made {
  readonly result: SendResult;
  readonly after: Aftermath;
  /** Where the outbox would not have it the row is as it was: the sweep, or its new holder, will find it. */
  readonly record: 'kept' | 'failed' | 'fenced';
}

const REFUSALS_MAX = 3;
const LOAD_RETRY_MS = 1_000;
const RECORD_TRIES_MAX = 10;
const RECORD_RETRY_MS_MAX = 5_000;

/** Makes the attempts of one endpoint's deliveries, records them and tells of them. */
export class Attempting {
  readonly #ports: AttemptPorts;
  readonly #names: UndeliveredNames;
  #isCutOff = false;

  constructor(ports: AttemptPorts, names: UndeliveredNames) {
    this.#ports = ports;
    this.#names = names;
  }

  /** What ends from now on was cut off by ourselves: it says nothing of the receiver, and stays owed. */
  cutOff(): void {
    this.#isCutOff = true;
  }

  /** undefined when the outbox no longer owes it, null when the outbox does not answer. */
  async load(item: Item): Promise<Letter | undefined | null> {
    const { outbox, stats, log, clock } = this.#ports;
    try {
      const row = await outbox.load(item.id);
      if (row === undefined) stats.vanished++;
      return row === undefined ? undefined : letterOf(row);
    } catch (error) {
      stats.loadFailures++;
      log.warn({ deliveryId: item.id, detail: messageOf(error) }, 'delivery not loaded');
      item.dueAtMs = clock.nowMs() + LOAD_RETRY_MS;
      return null;
    }
  }

  /** One attempt, recorded; null when it was cut off. */
  async make(endpoint: Endpoint, item: Item, letter: Letter): Promise<Made | null> {
    const { clock, ages, sender } = this.#ports;
    const number = item.attempts + 1;
    const { manualSinceUnixMs } = item;
    const { envelope, body } = letter;
    const trigger = manualSinceUnixMs !== null ? 'manual' : number === 1 ? 'event' : 'retry';
    if (number === 1 && isInOrder(item, endpoint)) {
      item.previousUndelivered = this.#names.before(item.resourceId, item.position);
    }
    const { id: deliveryId, previousUndelivered } = item;
    // As it was when the attempt began: who has got the partition back since may have another one under way.
    const fence = (this.#ports.territory ?? EVERYTHING).fenceOf(item.resourceId);
    const result = await sender.send({
      endpoint,
      deliveryId,
      number,
      trigger,
      envelope,
      previousUndelivered,
      body,
    });
    if (this.#isCutOff) return null;
    const sinceUnixMs = manualSinceUnixMs ?? Date.parse(envelope.created_at);
    const after = aftermathOf(result, endpoint, ages.unixMs() - sinceUnixMs, clock);
    if (after.isRefusal) item.refusals++;
    // Where not all of it left, nobody can know what it was.
    if (after.next.state !== 'delivered' && result.sentAtMs !== null) letter.body ??= result.body.toString();
    if (after.next.state === 'retrying' && isOvertaken(item, endpoint, clock.nowMs())) item.isAside = true;
    const outcome = this.#outcomeOf(endpoint, item, letter, after);
    const record = await this.#record(result, fence === undefined ? outcome : { ...outcome, fence });
    return { result, after, record };
  }

  /** Whoever measures is told, once the attempt is on record; of a wait for the receiver, when it ended. */
  tell(endpoint: Endpoint, item: Item, { type }: Envelope, made: Made, heldUpAtMs: AtMs | null): void {
    const { observer } = this.#ports;
    const { result, after } = made;
    const { attempt, startedAtMs, sentAtMs, firstByteAtMs, doneAtMs } = result;
    const common = { endpointId: endpoint.id, eventClass: classOf(type), attempt: attempt.number };
    if (item.stamps !== null && sentAtMs !== null) {
      const isHeldUp = heldUpAtMs !== null && heldUpAtMs >= item.stamps.committedAtMs;
      observer.hookSent({ ...common, ...item.stamps, sentAtMs, isHeldUp });
    }
    const { trigger, errorClass, status } = attempt;
    const { state } = after.next;
    const stamps = { startedAtMs, sentAtMs, firstByteAtMs, doneAtMs };
    observer.attemptFinished({ ...common, trigger, state, errorClass, status, ...stamps });
  }

  #outcomeOf(endpoint: Endpoint, item: Item, letter: Letter, { next }: Aftermath): AttemptOutcome {
    const { clock } = this.#ports;
    const { refusals, isAside, previousUndelivered, resourceId, position } = item;
    const { state } = next;
    const nextAttemptUnixMs = state === 'retrying' ? clock.unixMs() + next.delayMs : null;
    const kept = letter.body === null ? {} : { body: letter.body };
    const outcome = { state, nextAttemptUnixMs, refusals, isAside, previousUndelivered, ...kept };
    if (!isInOrder(item, endpoint)) return outcome;
    if (state === 'delivered') {
      const positions = this.#names.settledBy(resourceId, position, previousUndelivered);
      if (positions.length === 0) return outcome;
      this.#names.forget(resourceId, positions);
      return { ...outcome, named: { endpointId: endpoint.id, resourceId, positions } };
    }
    if (state === 'retrying' && !isAside) return outcome;
    const place = { endpointId: endpoint.id, resourceId, position, eventId: letter.envelope.id };
    const undelivered: Undelivered = { ...place, isDead: state === 'dead' };
    this.#names.add(undelivered);
    return { ...outcome, undelivered };
  }

  async #record({ attempt }: SendResult, outcome: AttemptOutcome): Promise<Made['record']> {
    const { clock, outbox, stats, log } = this.#ports;
    for (let tries = 1; !this.#isCutOff; tries++) {
      try {
        await outbox.record(attempt, outcome);
        return 'kept';
      } catch (error) {
        if (error instanceof FencedError) {
          stats.fenced++;
          return 'fenced';
        }
        stats.recordFailures++;
        log.error({ deliveryId: attempt.deliveryId, detail: messageOf(error) }, 'attempt not recorded');
        if (tries >= RECORD_TRIES_MAX) break;
        await sleep(clock, Math.min(100 * 2 ** (tries - 1), RECORD_RETRY_MS_MAX));
      }
    }
    stats.unrecorded++;
    return 'failed';
  }
}

/** Whether others of its resource wait for it, or did: replays and endpoints without order know no others. */
export function isInOrder(item: Item, { ordering }: Pick<Endpoint, 'ordering'>): boolean {
  return item.manualSinceUnixMs === null && ordering !== 'none';
}

function isOvertaken(item: Item, endpoint: Endpoint, nowMs: number): boolean {
  if (item.isAside || !isInOrder(item, endpoint)) return item.isAside;
  if (endpoint.ordering === 'strict') return item.refusals >= REFUSALS_MAX;
  item.holdUntilAtMs ??= nowMs + endpoint.holdMs;
  return item.holdUntilAtMs <= nowMs;
}
