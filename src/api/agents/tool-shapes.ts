import { Type, type Static } from 'typebox';
import type { AgentTerms } from '../../events/agents.ts';

const TOOLS_MAX = 32;
const HEADERS_MAX = 32;
const TIMEOUT_MS_MAX = 8_000;

const common = {
  name: Type.String({ pattern: '^[A-Za-z0-9_-]{1,64}$' }),
  description: Type.String({ minLength: 1, maxLength: 1_024 }),
  url: Type.String({ minLength: 1, maxLength: 2_048 }),
  method: Type.Unsafe<'POST' | 'PUT'>({ type: 'string', enum: ['POST', 'PUT'] }),
  timeout_ms: Type.Integer({ minimum: 100, maximum: TIMEOUT_MS_MAX }),
};

/** A function of an agent's own, as it is wished for. */
const HttpToolWish = Type.Object(
  {
    ...common,
    method: Type.Optional(common.method),
    timeout_ms: Type.Optional(common.timeout_ms),
    parameters: Type.Optional(
      Type.Record(Type.String(), Type.Unknown(), { description: 'JSON Schema of the arguments, an object' }),
    ),
    headers: Type.Optional(
      Type.Record(Type.String(), Type.String(), {
        maxProperties: HEADERS_MAX,
        description: 'never shown again; absent: kept',
      }),
    ),
    secret: Type.Optional(
      Type.String({ maxLength: 128, description: 'what it is signed with; absent: kept, or made' }),
    ),
  },
  { additionalProperties: false },
);

export type HttpToolWish = Static<typeof HttpToolWish>;

export const HttpToolWishes = Type.Array(HttpToolWish, { maxItems: TOOLS_MAX });

export const HttpToolViews = Type.Array(
  Type.Object({
    ...common,
    parameters: Type.Record(Type.String(), Type.Unknown()),
    header_names: Type.Array(Type.String()),
    secret: Type.Optional(Type.String({ description: 'shown by the answer that made it, and never again' })),
  }),
);

/** The functions as the API tells them; of their secrets only those that were not there before. */
export function httpToolViews(
  { http_tools = [] }: Pick<AgentTerms, 'http_tools'>,
  before: Pick<AgentTerms, 'http_tools'> = { http_tools },
): Static<typeof HttpToolViews> {
  const known = new Set(before.http_tools?.map(({ request }) => request?.secret));
  return http_tools.flatMap(({ name, description, parameters, timeout_ms, request }) => {
    if (request === null) return [];
    const { url, method, headers, secret } = request;
    const shown = { name, description, parameters, timeout_ms, url, method };
    const isFresh = !known.has(secret);
    return [{ ...shown, header_names: Object.keys(headers), ...(isFresh && { secret }) }];
  });
}
