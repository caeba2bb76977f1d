import type { Clock } from '../../base/clock.ts';
import type { Closeable } from '../../base/lifetime.ts';
import { KIB } from '../../base/units.ts';
import { exchange } from '../../delivery/wire/exchange.ts';
import { EgressBlocked } from '../../delivery/wire/guard.ts';
import { OriginPools } from '../../delivery/wire/origin-pools.ts';
import { sign } from '../../delivery/wire/signature.ts';
import type { AnalyserReply, AnalyserWire } from '../../records/post-call/analyser.ts';

const TIME_LIMIT_MS = 8_000;
const ANSWER_BYTES_MAX = 64 * KIB;

export interface HttpAnalyserWireOptions {
  readonly url: string;
  /** `whsec_…`; undefined: requests are not signed. */
  readonly secret: string | undefined;
  readonly clock: Clock;
  readonly egressAllow: readonly string[];
  readonly userAgent: string;
}

/**
 * Asks the analyser over HTTP, under the guard of the hooks; requests are signed as Standard Webhooks
 * are.
 */
export class HttpAnalyserWire implements AnalyserWire, Closeable {
  readonly #options: HttpAnalyserWireOptions;
  readonly #url: URL;
  readonly #pools: OriginPools;

  constructor(options: HttpAnalyserWireOptions) {
    this.#options = options;
    this.#url = new URL(options.url);
    this.#pools = new OriginPools(options);
  }

  async ask(text: string, callId: string): Promise<AnalyserReply> {
    const { clock } = this.#options;
    const body = Buffer.from(text);
    const wire = {
      path: `${this.#url.pathname}${this.#url.search}`,
      headers: this.#headersOf(body, callId),
      body,
      captureBytesMax: ANSWER_BYTES_MAX,
    };
    const result = await exchange(this.#pools.poolOf(this.#url.origin), wire, TIME_LIMIT_MS, clock);
    const { failure, status, body: answer, isTruncated } = result;
    if (failure instanceof EgressBlocked) return { type: 'blocked' };
    if (failure === 'timeout') return { type: 'lost', detail: 'timeout' };
    if (failure !== null || status === null) return { type: 'lost', detail: 'unreachable' };
    return { type: 'answer', status, body: answer, isWhole: !isTruncated };
  }

  close(): Promise<void> {
    return this.#pools.close();
  }

  #headersOf(body: Buffer, callId: string): { readonly [name: string]: string } {
    const { clock, secret, userAgent } = this.#options;
    // The same on every attempt, so that a receiver knows what it has answered already.
    const id = `analysis_${callId}`;
    const timestampS = Math.floor(clock.unixMs() / 1_000);
    return {
      'user-agent': userAgent,
      'content-type': 'application/json',
      accept: 'application/json',
      'webhook-id': id,
      'webhook-timestamp': String(timestampS),
      ...(secret !== undefined && { 'webhook-signature': sign([secret], id, timestampS, body) }),
    };
  }
}
