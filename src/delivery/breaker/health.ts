import type { Cancel, Clock } from '../../base/clock.ts';
import { messageOf } from '../../base/errors.ts';
import type { DeliveryLog } from '../observer.ts';
import type { Attempt, Endpoint, ErrorClass } from '../outbox.ts';
import { Breaker, type Evidence, type Gate } from './breaker.ts';
import type {
  DisableReason,
  EndpointNotice,
  FailingNotice,
  HealthRecord,
  HealthStore,
} from './health-record.ts';
import { newHealthRecord } from './health-record.ts';

/** What the health of an endpoint asks of the house. */
export interface HealthPorts {
  readonly clock: Clock;
  readonly store: Pick<HealthStore, 'save'>;
  readonly log: DeliveryLog;
  readonly stats: HealthStats;
  readonly announce: (notice: EndpointNotice) => void;
  readonly disable: (endpoint: Endpoint, reason: DisableReason) => void;
  readonly autoDisable: boolean;
}

/** What happened to all breakers of the house. */
export interface HealthStats {
  breakerOpenings: number;
  probes: number;
  autoDisabled: number;
  blockedAttempts: number;
  healthSaveFailures: number;
}

/** All at nought. */
export function newHealthStats(): HealthStats {
  return { breakerOpenings: 0, probes: 0, autoDisabled: 0, blockedAttempts: 0, healthSaveFailures: 0 };
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const SAVE_MS = 10_000;
const ATTEMPTS_TOLD = 4;
const OPEN_TOLD_MS = 15 * MINUTE_MS;
/** Switched off after so long without a success, so many failed events, and so long between them. */
const DISABLE_AFTER_MS = 5 * 24 * HOUR_MS;
const DISABLE_EVENTS_MIN = 10;
const DISABLE_SPAN_MS = 12 * HOUR_MS;

/** The receiver has answered, and is not in trouble: a 4xx, a redirect. */
const ANSWERED: readonly (ErrorClass | null)[] = ['http_4xx', 'http_other', 'redirect'];

/** How one endpoint is: its breaker, what operators were told, and when it is given up. */
export class EndpointHealth {
  readonly #ports: HealthPorts;
  readonly #breaker = new Breaker();
  #endpoint: Endpoint;
  #record: HealthRecord;
  #onChange: () => void = () => undefined;
  #wake: Cancel | undefined;
  #saving: Cancel | undefined;

  constructor(endpoint: Endpoint, ports: HealthPorts, record?: HealthRecord) {
    this.#endpoint = endpoint;
    this.#ports = ports;
    this.#record = record ?? newHealthRecord(endpoint.id);
    const { openMs, retryUnixMs } = this.#record;
    if (openMs === null) return;
    this.#breaker.restore(openMs, (retryUnixMs ?? 0) - ports.clock.unixMs(), ports.clock.nowMs());
    this.#wakeWhenDue();
  }

  get record(): HealthRecord {
    return this.#record;
  }

  get gate(): Gate {
    return this.#breaker.gate(this.#ports.clock.nowMs());
  }

  update(endpoint: Endpoint): void {
    this.#endpoint = endpoint;
  }

  /** Who wants to know that the gate may have moved. */
  onChange(changed: () => void): void {
    this.#onChange = changed;
  }

  /** Before an attempt; what it returns goes into `end`, whatever becomes of the attempt. */
  begin(): number {
    if (this.gate === 'probe') this.#ports.stats.probes++;
    return this.#breaker.begin();
  }

  /** After an attempt; none where nothing was sent, or where it was asked for by hand. */
  end(pass: number, attempt?: Attempt): void {
    const { clock } = this.#ports;
    const evidence = attempt === undefined ? null : evidenceOf(attempt);
    const hasMoved = this.#breaker.end(pass, evidence, clock.nowMs());
    if (attempt === undefined) return;
    if (attempt.errorClass === null) this.#succeeded();
    else this.#failed(attempt);
    if (hasMoved) this.#moved();
  }

  close(): void {
    this.#wake?.();
    this.#onChange = () => undefined;
    if (this.#saving === undefined) return;
    this.#saving();
    void this.#save();
  }

  #succeeded(): void {
    const { clock, announce } = this.#ports;
    const record = this.#record;
    const lastSuccessUnixMs = clock.unixMs();
    if (record.firstFailureUnixMs === null) {
      this.#record = { ...record, lastSuccessUnixMs };
      return this.#saveSoon();
    }
    this.#record = { ...newHealthRecord(record.endpointId), lastSuccessUnixMs };
    if (record.notices.length > 0) {
      const failedForMs = lastSuccessUnixMs - record.firstFailureUnixMs;
      const data = { failed_for_ms: failedForMs, failed_events: record.failedEvents };
      announce({ type: 'endpoint.recovered', endpoint: this.#endpoint, data });
    }
    void this.#save();
  }

  #failed(attempt: Attempt): void {
    const nowUnixMs = this.#ports.clock.unixMs();
    const record = this.#record;
    this.#record = {
      ...record,
      firstFailureUnixMs: record.firstFailureUnixMs ?? nowUnixMs,
      lastFailureUnixMs: nowUnixMs,
      failedEvents: record.failedEvents + (attempt.number === 1 ? 1 : 0),
    };
    if (attempt.errorClass === 'blocked') this.#blocked(attempt);
    for (const notice of this.#noticesDue(attempt, nowUnixMs)) this.#tell(notice, attempt);
    this.#saveSoon();
    if (this.#ports.autoDisable && isGivenUp(this.#record, nowUnixMs)) {
      this.#ports.stats.autoDisabled++;
      this.#ports.disable(this.#endpoint, 'failing');
    }
  }

  /** A mistake of configuration that no retry mends: nobody may overlook it. */
  #blocked({ errorDetail: detail }: Attempt): void {
    this.#ports.stats.blockedAttempts++;
    this.#ports.log.error({ endpointId: this.#endpoint.id, detail }, 'hooks may not reach this endpoint');
  }

  #noticesDue(attempt: Attempt, nowUnixMs: number): readonly FailingNotice[] {
    const { openedUnixMs, firstFailureUnixMs } = this.#record;
    const failingMs = nowUnixMs - (firstFailureUnixMs ?? nowUnixMs);
    const due: readonly (readonly [FailingNotice, boolean])[] = [
      ['blocked', attempt.errorClass === 'blocked'],
      ['attempts', attempt.number >= ATTEMPTS_TOLD],
      ['open_15m', openedUnixMs !== null && nowUnixMs - openedUnixMs >= OPEN_TOLD_MS],
      ['failing_24h', failingMs >= 24 * HOUR_MS],
      ['failing_72h', failingMs >= 72 * HOUR_MS],
    ];
    return due
      .filter(([notice, isDue]) => isDue && !this.#record.notices.includes(notice))
      .map(([notice]) => notice);
  }

  #tell(notice: FailingNotice, { status, errorClass }: Attempt): void {
    const record = this.#record;
    this.#record = { ...record, notices: [...record.notices, notice] };
    const { firstFailureUnixMs, failedEvents } = record;
    const since = firstFailureUnixMs === null ? null : new Date(firstFailureUnixMs).toISOString();
    const data = { reason: notice, failing_since: since, failed_events: failedEvents };
    this.#ports.log.warn({ endpointId: record.endpointId, ...data }, 'endpoint is failing');
    const last = { last_status: status, last_error: errorClass };
    this.#ports.announce({ type: 'endpoint.failing', endpoint: this.#endpoint, data: { ...data, ...last } });
  }

  #moved(): void {
    const { clock, log, stats } = this.#ports;
    const { state } = this.#breaker;
    const { endpointId, openedUnixMs } = this.#record;
    if (state.name === 'open') {
      stats.breakerOpenings++;
      const retryUnixMs = clock.unixMs() + state.openMs;
      const openedAt = openedUnixMs ?? clock.unixMs();
      this.#record = { ...this.#record, openMs: state.openMs, retryUnixMs, openedUnixMs: openedAt };
      log.warn({ endpointId, openMs: state.openMs }, 'breaker is open');
      this.#wakeWhenDue();
    } else {
      this.#wake?.();
      this.#record = { ...this.#record, openMs: null, retryUnixMs: null, openedUnixMs: null };
      log.info({ endpointId }, 'breaker is closed');
    }
    void this.#save();
    this.#onChange();
  }

  #wakeWhenDue(): void {
    const { state } = this.#breaker;
    if (state.name !== 'open') return;
    const { clock } = this.#ports;
    this.#wake?.();
    this.#wake = clock.after(Math.max(1, state.untilAtMs - clock.nowMs()), () => this.#onChange());
  }

  #saveSoon(): void {
    this.#saving ??= this.#ports.clock.after(SAVE_MS, () => void this.#save());
  }

  async #save(): Promise<void> {
    this.#saving?.();
    this.#saving = undefined;
    const { store, stats, log } = this.#ports;
    try {
      await store.save(this.#record);
    } catch (error) {
      stats.healthSaveFailures++;
      log.error({ endpointId: this.#record.endpointId, detail: messageOf(error) }, 'health not saved');
    }
  }
}

function evidenceOf({ errorClass, status }: Attempt): Evidence {
  if (errorClass === null) return 'success';
  if (errorClass === 'blocked') return null;
  if (status === 429) return 'failure';
  return ANSWERED.includes(errorClass) ? 'answered' : 'failure';
}

function isGivenUp(record: HealthRecord, nowUnixMs: number): boolean {
  const { firstFailureUnixMs, lastFailureUnixMs, lastSuccessUnixMs, failedEvents } = record;
  if (firstFailureUnixMs === null || lastFailureUnixMs === null) return false;
  return (
    nowUnixMs - (lastSuccessUnixMs ?? firstFailureUnixMs) >= DISABLE_AFTER_MS &&
    failedEvents >= DISABLE_EVENTS_MIN &&
    lastFailureUnixMs - firstFailureUnixMs >= DISABLE_SPAN_MS
  );
}
