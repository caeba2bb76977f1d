import { isObject, numberOf, textOf } from '../../base/json.ts';
import type { Received } from './hook-server.ts';
import type { Fit, OrderWatch } from './order-watch.ts';

const TYPE_CHARACTERS = 18;

/** One delivery, as `--json` prints it on a line. */
export interface DeliveryReport {
  readonly type: string;
  readonly event_id: string;
  readonly resource_id: string;
  readonly sequence: number;
  readonly attempt: number;
  /** From `created_at` to its arrival here. */
  readonly propagation_ms: number | null;
  readonly verified: boolean;
  readonly doubt: string | null;
  readonly status: number;
  readonly refused_on_purpose: boolean;
  readonly duplicate: boolean;
  readonly late: boolean;
  readonly missing: number;
  readonly event: object;
}

/** What of an event its place in order is told by; whatever is not there is empty. */
export function identityOf({ event }: Received): { id: string; resourceId: string; sequence: number } {
  const resource = event['resource'];
  return {
    id: textOf(event['id']) ?? '',
    resourceId: (isObject(resource) ? textOf(resource['id']) : undefined) ?? '',
    sequence: numberOf(event['sequence']) ?? 0,
  };
}

/** Everything there is to say of one delivery. */
export function deliveryReport(received: Received, fit: Fit | undefined): DeliveryReport {
  const { event, atUnixMs, doubt, status, isOnPurpose } = received;
  const { id, resourceId, sequence } = identityOf(received);
  const createdUnixMs = Date.parse(textOf(event['created_at']) ?? '');
  return {
    type: textOf(event['type']) ?? '?',
    event_id: id,
    resource_id: resourceId,
    sequence,
    attempt: fit?.attempt ?? 1,
    propagation_ms: Number.isNaN(createdUnixMs) ? null : atUnixMs - createdUnixMs,
    verified: doubt === undefined,
    doubt: doubt ?? null,
    status,
    refused_on_purpose: isOnPurpose,
    duplicate: fit?.isDuplicate ?? false,
    late: fit?.isLate ?? false,
    missing: fit?.missing ?? 0,
    event,
  };
}

/** The same for people. */
export function deliveryLine(report: DeliveryReport, atUnixMs: number): string {
  const at = new Date(atUnixMs).toISOString().slice(11, 23);
  const { type, resource_id: resource, sequence, attempt, propagation_ms: propagationMs } = report;
  const took = propagationMs === null ? '' : `${propagationMs} ms`;
  const remarks = remarksOf(report).map((remark) => `  ${remark}`);
  const number = `#${sequence}`.padEnd(4);
  const what = `${type.padEnd(TYPE_CHARACTERS)} ${resource} ${number}`;
  return `${at}  ${what} attempt ${attempt} ${took.padStart(8)}${remarks.join('')}`;
}

/** How it went, in one line. */
export function listeningSummary(stats: OrderWatch['stats'], doubted: number): string {
  const { deliveries, events, duplicates, late, missing } = stats;
  const flaws = [
    ...(duplicates > 0 ? [`${duplicates} twice`] : []),
    ...(late > 0 ? [`${late} out of order`] : []),
    ...(missing > 0 ? [`${missing} missing`] : []),
    ...(doubted > 0 ? [`${doubted} not verified`] : []),
  ];
  const order = flaws.length === 0 ? 'each once, in order, verified' : flaws.join(', ');
  return `${events} events in ${deliveries} deliveries${deliveries + doubted === 0 ? '' : `: ${order}`}`;
}

function remarksOf(report: DeliveryReport): string[] {
  return [
    ...(report.doubt === null
      ? []
      : [`NOT VERIFIED (${report.doubt.replaceAll('_', ' ')}), answered ${report.status}`]),
    ...(report.refused_on_purpose ? [`answered ${report.status} on purpose`] : []),
    ...(report.duplicate ? ['DUPLICATE'] : []),
    ...(report.late ? ['OUT OF ORDER'] : []),
    ...(report.missing > 0 ? [`GAP: ${report.missing} missing before it`] : []),
  ];
}
