import { refuse, type FaultCode, type Refusal } from '../../base/errors.ts';
import type { ProviderAccount } from './provider-api.ts';

/** What came back from a provider, or why nothing did. */
export type ProviderAnswer =
  | { readonly type: 'answer'; readonly status: number; readonly body: string }
  /** Nobody can have read the request: it may be sent again whatever it asked for. */
  | { readonly type: 'unsent'; readonly detail: string }
  /** It may have been carried out. */
  | { readonly type: 'lost'; readonly detail: string }
  /** The guard does not let anybody go there. */
  | { readonly type: 'blocked'; readonly detail: string };

const DETAIL_CHARS_MAX = 200;

const FAULT_OF_STATUS: { readonly [status: number]: FaultCode } = {
  401: 'failed_precondition',
  403: 'failed_precondition',
  404: 'call_not_found',
  409: 'conflict',
  410: 'call_not_found',
  422: 'failed_precondition',
  429: 'rate_limited',
};

/** What an answer that did no good means; undefined where all is well. */
export function refusalOf(answer: ProviderAnswer, account: ProviderAccount): Refusal | undefined {
  switch (answer.type) {
    case 'answer':
      return refusalOfStatus(answer.status, textOf(answer.body, account));
    case 'blocked':
      return refuse('failed_precondition', answer.detail);
    default:
      return refuse('unavailable', `the provider did not answer: ${answer.detail}`);
  }
}

/** Trying again may help, and does no harm. */
export function isWorthRepeating(answer: ProviderAnswer): boolean {
  if (answer.type !== 'answer') return answer.type === 'unsent';
  return answer.status === 429 || answer.status === 503;
}

function refusalOfStatus(status: number, text: string): Refusal | undefined {
  if (status >= 200 && status < 300) return undefined;
  const fallback = status >= 500 ? 'unavailable' : 'failed_precondition';
  const said = text === '' ? '' : `: ${text}`;
  return refuse(FAULT_OF_STATUS[status] ?? fallback, `the provider answered ${status}${said}`);
}

/** The beginning of what was said, on one line, without the account’s secret should it be quoted. */
function textOf(body: string, { secret }: ProviderAccount): string {
  const text = body.replaceAll(secret, '…').replace(/\s+/g, ' ').trim();
  return text.length > DETAIL_CHARS_MAX ? `${text.slice(0, DETAIL_CHARS_MAX)}…` : text;
}
