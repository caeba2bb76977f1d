import type { FastifyRequest } from 'fastify';
import { Type, type Static } from 'typebox';
import { ok } from './answers.ts';
import { keyOf } from './door/door.ts';
import type { Page, PageQuery } from './ports.ts';

const LIMIT_DEFAULT = 50;
const LIMIT_MAX = 200;
const PAGE_MAX = 100_000;

/** The query every list takes, to be spread into its own filters. */
export const PAGING = {
  page: Type.Optional(Type.Integer({ minimum: 1, maximum: PAGE_MAX, description: 'default 1' })),
  limit: Type.Optional(
    Type.Integer({ minimum: 1, maximum: LIMIT_MAX, description: `default ${LIMIT_DEFAULT}` }),
  ),
  cursor: Type.Optional(Type.String({ maxLength: 512, description: '`meta.page.next_cursor` of an answer' })),
};

/** The query of a list without filters. */
export const PagingQuery = Type.Object(PAGING, { additionalProperties: false });

type Paging = Static<typeof PagingQuery>;

/** The page a request asks for, of what its key may see. */
export function pageQuery(request: FastifyRequest, query: Paging): PageQuery {
  const { workspaceId, testMode } = keyOf(request);
  const { page = 1, limit = LIMIT_DEFAULT, cursor } = query;
  return { workspaceId, testMode, page, limit, ...(cursor !== undefined && { cursor }) };
}

/** A page in the envelope, each item as the outside sees it. */
export function okPage<T, V>(
  request: FastifyRequest,
  query: PageQuery,
  found: Page<T>,
  view: (item: T) => V,
) {
  const page = {
    page: query.page,
    limit: query.limit,
    total: found.total,
    next_cursor: found.nextCursor,
  };
  return ok(request, found.items.map(view), { page });
}
