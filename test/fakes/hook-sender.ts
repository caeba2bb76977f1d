import type { ErrorClass } from '../../src/delivery/outbox.ts';
import type { HookRequest, Sender, SendResult } from '../../src/delivery/wire/sender.ts';
import type { FakeClock } from './clock.ts';

/** What one attempt comes to: null is success. */
export type Verdict =
  | ErrorClass
  | null
  | { readonly errorClass: ErrorClass; readonly status: number | null; readonly retryAfterMs?: number };

/** Sends nothing: each attempt takes virtual time and ends as the script says, and else well. */
export class FakeSender implements Sender {
  readonly stats = { attempts: 0, staleSockets: 0, pools: 0 };
  readonly sent: HookRequest[] = [];
  readonly forgotten: string[] = [];
  /** Decides for attempts that no script speaks of. */
  verdict: (request: HookRequest) => Verdict = () => null;
  durationMs: (request: HookRequest) => number = () => 1;
  inFlight = 0;
  readonly #clock: FakeClock;
  readonly #scripts = new Map<string, Verdict[]>();
  readonly #atOnce = new Map<string, { now: number; most: number }>();

  constructor(clock: FakeClock) {
    this.#clock = clock;
  }

  /** Outcomes in turn, of a call's attempts (`call`) or of one event's (`call:sequence`). */
  script(key: string, verdicts: readonly Verdict[]): void {
    this.#scripts.set(key, [...verdicts]);
  }

  sequencesOf(callId: string): readonly number[] {
    return this.sent
      .map(({ envelope }) => envelope)
      .filter(({ resource }) => resource.id === callId)
      .map(({ sequence }) => sequence);
  }

  /** The most requests that were under way together, of one call or of all. */
  mostAtOnce(callId = '*'): number {
    return this.#atOnce.get(callId)?.most ?? 0;
  }

  send(request: HookRequest): Promise<SendResult> {
    this.sent.push(request);
    this.stats.attempts++;
    this.#count(request, 1);
    const startedAtMs = this.#clock.nowMs();
    return new Promise((resolve) => {
      this.#clock.after(this.durationMs(request), () => {
        this.#count(request, -1);
        resolve(this.#result(request, startedAtMs));
      });
    });
  }

  /** Lets virtual time pass in small steps, with every promise settled in between. */
  async pass(clock: FakeClock, durationMs = 50): Promise<void> {
    await turn();
    for (let leftMs = durationMs; leftMs > 0; leftMs -= stepOf(leftMs)) {
      clock.advance(stepOf(leftMs));
      await turn();
    }
  }

  forget(endpointId: string): void {
    this.forgotten.push(endpointId);
  }

  async close(): Promise<void> {
    // Nothing is open.
  }

  #count({ envelope }: HookRequest, by: 1 | -1): void {
    this.inFlight += by;
    for (const key of ['*', envelope.resource.id]) {
      const count = this.#atOnce.get(key) ?? { now: 0, most: 0 };
      count.now += by;
      count.most = Math.max(count.most, count.now);
      this.#atOnce.set(key, count);
    }
  }

  #result(request: HookRequest, startedAtMs: number): SendResult {
    const { resource, sequence } = request.envelope;
    const script = this.#scripts.get(`${resource.id}:${sequence}`) ?? this.#scripts.get(resource.id) ?? [];
    const said = script.length > 0 ? script.shift()! : this.verdict(request);
    const { errorClass, status } = typeof said === 'object' && said !== null ? said : plain(said);
    const doneAtMs = this.#clock.nowMs();
    return {
      attempt: {
        id: `att_${this.sent.length}`,
        deliveryId: request.deliveryId,
        number: request.number,
        trigger: request.trigger,
        startedAt: '2026-11-20T12:00:00.000Z',
        durationMs: doneAtMs - startedAtMs,
        timings: { dnsMs: null, connectMs: null, tlsMs: null, ttfbMs: doneAtMs - startedAtMs },
        url: request.endpoint.url,
        bodyRef: `${request.envelope.id}/omnivoice/2025-11-01`,
        bodyBytes: 0,
        requestHeaders: {},
        resolvedAddress: null,
        status,
        responseHeaders: {},
        responseBody: '',
        responseTruncated: false,
        errorClass,
        errorDetail: errorClass,
      },
      body: Buffer.from(JSON.stringify(request.envelope)),
      retryAfterMs: (typeof said === 'object' ? said?.retryAfterMs : undefined) ?? null,
      startedAtMs,
      sentAtMs: startedAtMs,
      firstByteAtMs: doneAtMs,
      doneAtMs,
    };
  }
}

function plain(errorClass: ErrorClass | null): { errorClass: ErrorClass | null; status: number | null } {
  const statuses: Partial<Record<ErrorClass, number>> = { http_4xx: 400, http_5xx: 500, redirect: 302 };
  return { errorClass, status: errorClass === null ? 200 : (statuses[errorClass] ?? null) };
}

function stepOf(leftMs: number): number {
  return Math.min(leftMs, leftMs > 120_000 ? 10_000 : leftMs > 1_000 ? 100 : 1);
}

/** Runs everything that waits for no time. */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
