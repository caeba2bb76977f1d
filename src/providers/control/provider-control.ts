import { createHash } from 'node:crypto';
import { randomRatio, sleep, type Clock } from '../../base/clock.ts';
import { messageOf, refuse, type Refusal } from '../../base/errors.ts';
import type { ProviderControlAsk, ProviderOrder } from '../../events/asks.ts';
import { AccountPace } from './account-pace.ts';
import { isWorthRepeating, refusalOf, type ProviderAnswer } from './provider-answer.ts';
import type {
  ProviderAccount,
  ProviderApi,
  ProviderCall,
  ProviderRequest,
  TransferTarget,
} from './provider-api.ts';
import { providerApiOf } from './registry.ts';
import type { TransferTickets } from './transfer-tickets.ts';

/** An order is over by then, its wait for a turn included. */
const ORDER_MS_MAX = 5000;
const PAUSE_MS = 300;
/** Where our API answers the document of a transfer. */
const TRANSFER_PATH = '/api/v1/voice/transfer';

/** Sends one request. Never throws, and never writes what it sends to a log. */
export interface ProviderWire {
  /** Addresses whose connections were let go to make room for others. */
  readonly forgottenOrigins?: number;
  send(request: ProviderRequest, timeLimitMs: number): Promise<ProviderAnswer>;
}

/** Who knows the REST accounts. */
export interface ProviderAccounts {
  controlOf(
    workspaceId: string,
    credentialId: string,
  ): Promise<{ readonly dialect: string; readonly control: ProviderAccount } | undefined>;
}

export interface ProviderControlOptions {
  readonly accounts: ProviderAccounts;
  readonly wire: ProviderWire;
  readonly clock: Clock;
  readonly transfers: TransferTickets;
  /** Where providers reach our API. */
  readonly publicUrl: string;
  /** Base URLs of providers' REST APIs from this region, by dialect, for accounts that name none. */
  readonly edges?: { readonly [dialect: string]: { readonly edge: string } };
  readonly log: {
    info(fields: object, sentence: string): void;
    warn(fields: object, sentence: string): void;
  };
}

/** Counted since the start. */
export interface ProviderControlStats {
  done: number;
  failed: number;
  /** Refused because two hundred orders of the account waited already. */
  refused: number;
  repeated: number;
  /** Sent nowhere, because the guard forbids the address. */
  blocked: number;
}

/** An order, and what a provider may need to carry it out. */
type ToldOrder =
  | Exclude<ProviderOrder, { action: 'transfer' }>
  | (Extract<ProviderOrder, { action: 'transfer' }> & TransferTarget);

type Known = Awaited<ReturnType<ProviderAccounts['controlOf']>>;

export type ProviderOrderAsk = Omit<ProviderControlAsk, 'name'>;

/**
 * Does things with calls at their providers, through the REST accounts saved with the stream credentials:
 * hangs up, transfers to a telephone, streams to another place. At most fifty requests a second to one
 * account, 5 s for each, one of them repeated where that cannot do anything twice.
 */
export class ProviderControl {
  readonly stats: ProviderControlStats = { done: 0, failed: 0, refused: 0, repeated: 0, blocked: 0 };
  readonly #options: ProviderControlOptions;
  readonly #pace = new AccountPace();

  constructor(options: ProviderControlOptions) {
    this.#options = options;
  }

  get transfers(): TransferTickets {
    return this.#options.transfers;
  }

  /** Accounts and addresses that made room for others. */
  get forgotten(): number {
    return this.#pace.stats.forgottenAccounts + (this.#options.wire.forgottenOrigins ?? 0);
  }

  /**
   * Undefined where the provider has accepted the order. Refusals: `failed_precondition` where the credential
   * has no account or the provider no means, where it refuses the account or the order, and where the guard
   * forbids its address; `call_not_found`, `conflict` and `rate_limited` as it answered; `overloaded` where
   * too many orders wait; `unavailable` where it did not answer in time, and may still carry it out.
   */
  async carryOut(ask: ProviderOrderAsk): Promise<Refusal | undefined> {
    const { credential_id, provider_call_id, order } = ask;
    const refusal = await this.#tryIt(ask);
    const facts = { credential_id, provider_call_id, action: order.action };
    const { log } = this.#options;
    if (refusal === undefined) {
      this.stats.done++;
      log.info(facts, 'a provider did what it was asked for');
    } else {
      this.stats.failed++;
      log.warn({ ...facts, fault: refusal.fault, detail: refusal.detail }, 'a provider was asked in vain');
    }
    return refusal;
  }

  async #tryIt(ask: ProviderOrderAsk): Promise<Refusal | undefined> {
    const { clock } = this.#options;
    const deadlineAtMs = clock.nowMs() + ORDER_MS_MAX;
    const known = await this.#accountOf(ask);
    if (known === 'unreadable') return refuse('unavailable', 'the account cannot be read just now');
    if (known === undefined) {
      return refuse('failed_precondition', 'the stream credential of the call has no `control` account');
    }
    const dialect = ask.dialect ?? known.dialect;
    const request = this.#requestOf(ask, known.control, dialect);
    if ('fault' in request) return request;
    // Accounts are named by whoever saves them: nobody else's orders wait because of a name.
    const account = `${ask.workspace_id} ${dialect} ${known.control.account}`;
    const waitMs = this.#pace.turnOf(account, clock.nowMs(), randomRatio(clock));
    if (waitMs === undefined) {
      this.stats.refused++;
      return refuse('overloaded', 'too many orders wait for this account of the provider');
    }
    if (waitMs > 0) await sleep(clock, waitMs);
    return refusalOf(await this.#send(request, deadlineAtMs), known.control);
  }

  async #accountOf({ workspace_id, credential_id }: ProviderOrderAsk): Promise<Known | 'unreadable'> {
    const { accounts, log } = this.#options;
    try {
      return await accounts.controlOf(workspace_id, credential_id);
    } catch (error) {
      log.warn({ credential_id, error: messageOf(error) }, 'a REST account cannot be read');
      return 'unreadable';
    }
  }

  #requestOf(
    { provider_call_id, order }: ProviderOrderAsk,
    account: ProviderAccount,
    dialect: string,
  ): ProviderRequest | Refusal {
    const api = providerApiOf(dialect);
    const base = (account.base_url ?? this.#options.edges?.[dialect]?.edge ?? api?.baseUrl)?.replace(
      /\/+$/,
      '',
    );
    if (api === undefined)
      return refuse('failed_precondition', `${dialect} has no REST API that is known here`);
    if (base === undefined)
      return refuse('failed_precondition', `the account at ${dialect} needs a base_url`);
    const call = {
      account,
      callId: provider_call_id,
      nowUnixMs: this.#options.clock.unixMs(),
      orderId: orderIdOf(provider_call_id, order),
    };
    return (
      requestOf(api, call, base, this.#told(order, dialect)) ??
      refuse('failed_precondition', `${dialect} has no means to ${order.action.replace('_', ' ')} over REST`)
    );
  }

  /** With a URL for those who take no document themselves: a ticket is made only where one is asked for. */
  #told(order: ProviderOrder, dialect: string): ToldOrder {
    if (order.action !== 'transfer') return order;
    const { transfers, publicUrl } = this.#options;
    const documentUrl = (): string =>
      `${publicUrl.replace(/\/$/, '')}${TRANSFER_PATH}?ticket=${transfers.mint({ ...order, dialect })}`;
    return { ...order, documentUrl };
  }

  async #send(request: ProviderRequest, deadlineAtMs: number): Promise<ProviderAnswer> {
    const { wire, clock } = this.#options;
    const first = await wire.send(request, deadlineAtMs - clock.nowMs());
    if (first.type === 'blocked') this.stats.blocked++;
    const pauseMs = PAUSE_MS * (0.5 + randomRatio(clock));
    if (!isWorthRepeating(first) || clock.nowMs() + 2 * pauseMs > deadlineAtMs) return first;
    this.stats.repeated++;
    await sleep(clock, pauseMs);
    return wire.send(request, deadlineAtMs - clock.nowMs());
  }
}

function requestOf(
  api: ProviderApi,
  call: ProviderCall,
  base: string,
  order: ToldOrder,
): ProviderRequest | Refusal | undefined {
  switch (order.action) {
    case 'hang_up':
      return api.hangUp?.(call, base);
    case 'transfer':
      return api.transfer?.(call, base, order);
    default:
      return api.redirect?.(call, base, order.to);
  }
}

/** The same order of the same call has the same name, so that a provider that looks does it once. */
function orderIdOf(callId: string, order: ProviderOrder): string {
  return createHash('sha256')
    .update(JSON.stringify([callId, order]))
    .digest('hex')
    .slice(0, 32);
}
