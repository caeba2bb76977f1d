import { FAULTS, messageOf, VoiceError, type FaultCode } from '../base/errors.ts';
import { isObject, parseObject, textOf, type JsonObject } from '../base/json.ts';
import type { Listed, ListWish } from './shapes.ts';

const REQUEST_TIMEOUT_MS = 15_000;

/** Where the API is and who asks. */
export interface Access {
  /** `http://127.0.0.1:8080`, with or without a slash at the end. */
  readonly url: string;
  readonly key: string;
  /** For tests; the global `fetch` otherwise. */
  readonly fetch?: typeof fetch;
}

/** Single requests to the API: the data of its answers, or a `VoiceError` with the code it gave. */
export class Requests {
  readonly #access: Access;

  constructor(access: Access) {
    this.#access = access;
  }

  get<T>(path: string): Promise<T> {
    return this.#data('GET', path);
  }

  post<T>(path: string, body?: object): Promise<T> {
    return this.#data('POST', path, body);
  }

  patch<T>(path: string, body: object): Promise<T> {
    return this.#data('PATCH', path, body);
  }

  async remove(path: string): Promise<void> {
    await this.#answer('DELETE', path);
  }

  async list<T>(path: string, query: ListWish & object = {}): Promise<Listed<T>> {
    const { data, meta } = await this.#answer('GET', path + queryText(query));
    const page = isObject(meta) && isObject(meta['page']) ? meta['page'] : {};
    // The server's schema vouches for the shape, as everywhere below.
    return { items: data as readonly T[], nextCursor: textOf(page['next_cursor']) ?? null };
  }

  /** The bare response, for answers that are streams. */
  async open(path: string, headers: { readonly [name: string]: string }, signal?: AbortSignal) {
    const response = await this.#send(path, { headers, ...(signal && { signal }) });
    if (!response.ok) throw faultOf(response.status, parseObject(await response.text()));
    return response;
  }

  async #data<T>(method: string, path: string, body?: object): Promise<T> {
    const { data } = await this.#answer(method, path, body);
    return data as T;
  }

  async #answer(method: string, path: string, body?: object): Promise<JsonObject> {
    const init: RequestInit = { method, signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) };
    if (body !== undefined) {
      init.body = JSON.stringify(body);
      init.headers = { 'content-type': 'application/json' };
    }
    const response = await this.#send(path, init);
    const answer = parseObject(await response.text());
    if (!response.ok || answer === undefined) throw faultOf(response.status, answer);
    return answer;
  }

  async #send(path: string, init: RequestInit): Promise<Response> {
    const { url, key, fetch: send = fetch } = this.#access;
    const headers = { ...(init.headers as object), authorization: `Bearer ${key}` };
    try {
      return await send(`${url.replace(/\/$/, '')}/api/v1${path}`, { ...init, headers });
    } catch (error) {
      if (init.signal?.aborted && !(error instanceof DOMException && error.name === 'TimeoutError'))
        throw error;
      throw new VoiceError('unavailable', `the API at ${url} does not answer: ${reasonOf(error)}`, {
        cause: error,
      });
    }
  }
}

/** A query without what is undefined. */
export function queryText(query: object): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null);
  const text = new URLSearchParams(
    given.map(([name, value]): [string, string] => [name, String(value)]),
  ).toString();
  return text === '' ? '' : `?${text}`;
}

// fetch says only "fetch failed"; what happened is in the cause.
function reasonOf(error: unknown): string {
  return error instanceof Error && error.cause instanceof Error ? messageOf(error.cause) : messageOf(error);
}

function faultOf(status: number, answer: JsonObject | undefined): VoiceError {
  const error = isObject(answer?.['error']) ? answer['error'] : {};
  const said = textOf(error['code']) ?? '';
  const code = said in FAULTS ? (said as FaultCode) : status >= 500 ? 'unavailable' : 'invalid_argument';
  const field = textOf(error['field']);
  const message = textOf(error['message']) ?? `the API answered ${status}`;
  return new VoiceError(code, message, field === undefined ? {} : { field });
}
