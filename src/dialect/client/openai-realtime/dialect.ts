import type { ClientDialect } from '../../client.ts';
import { BACKEND_CAPABILITIES } from '../capabilities.ts';
import { OpenAiSession } from './session.ts';
import { API_VERSION, KEY_HEADER, OPENAI_FORMATS, TURN_DETECTION } from './settings.ts';

/**
 * OpenAI's Realtime API over WebSocket, in its current names and those of the beta
 * (openai/openai-node `src/resources/realtime/realtime.ts`); Azure OpenAI speaks it, too.
 */
export const openAiRealtimeDialect: ClientDialect = {
  name: 'openai-realtime',
  capabilities: BACKEND_CAPABILITIES,
  options: [API_VERSION, TURN_DETECTION, KEY_HEADER],
  formats: OPENAI_FORMATS,
  openClient: (options) => new OpenAiSession(options),
};
