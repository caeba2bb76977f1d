import type { FastifyRequest } from 'fastify';
import { VoiceError } from '../../../base/errors.ts';
import { keyOf } from '../../door/door.ts';
import type { EndpointStore, StoredEndpoint } from '../../ports.ts';

/** The endpoint, where the key of the request may see it. */
export async function requireEndpoint(
  request: FastifyRequest,
  id: string,
  endpoints: Pick<EndpointStore, 'get'>,
): Promise<StoredEndpoint> {
  const { workspaceId, testMode } = keyOf(request);
  const endpoint = await endpoints.get(workspaceId, id);
  const isVisible = endpoint !== undefined && (endpoint.testMode === true) === testMode;
  if (!isVisible) throw new VoiceError('not_found', `there is no webhook ${id}`);
  return endpoint;
}
