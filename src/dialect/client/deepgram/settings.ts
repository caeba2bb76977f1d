import type { JsonObject } from '../../../base/json.ts';
import type { AudioFormat } from '../../../media/format.ts';
import type { DialectOption } from '../../capabilities.ts';
import type { ClientOptions } from '../../client.ts';
import { overlay, withoutNulls } from '../overlay.ts';
import { encodingOf } from './encodings.ts';

/** Its specification and its SDK name different hosts (dialects.md §20); what runs is the SDK's. */
export const AGENT_HOST: DialectOption = {
  name: 'agent_host',
  values: ['agent.deepgram.com', 'api.deepgram.com'],
  fallback: 'agent.deepgram.com',
  meaning: 'The host that is dialled where no url is given.',
};

/** A key of the console, or a short-lived token. */
export const TOKEN_SCHEME: DialectOption = {
  name: 'token_scheme',
  values: ['token', 'bearer'],
  fallback: 'token',
  meaning: 'How the key is shown: `Authorization: Token <key>`, or `Bearer <jwt>` for temporary tokens.',
};

const LISTEN_MODEL = 'nova-3';
const THINK_MODEL = 'gpt-4o-mini';
const SPEAK_MODEL = 'aura-2-thalia-en';

/** The first message of an agent's session (deepgram/deepgram-api-specs asyncapi.yml, AgentV1Settings). */
export function agentSettings(options: ClientOptions, format: AudioFormat): JsonObject {
  const { greeting, history } = options;
  const audio = { encoding: encodingOf(format), sample_rate: format.sampleRateHz };
  const own = {
    type: 'Settings',
    audio: { input: audio, output: { ...audio, container: 'none' } },
    agent: withoutNulls({
      language: options.language ?? 'en',
      listen: { provider: { type: 'deepgram', model: LISTEN_MODEL } },
      think: thinkSettings(options),
      speak: { provider: { type: 'deepgram', model: options.voice ?? SPEAK_MODEL } },
      greeting: history.length > 0 ? null : greeting,
      context: history.length === 0 ? null : { messages: historyOf(options) },
    }),
  };
  return overlay(own, options.settings);
}

function thinkSettings({ model, instructions, tools }: ClientOptions): JsonObject {
  const functions = tools.map(({ name, description, parameters }) => ({ name, description, parameters }));
  return withoutNulls({
    provider: { type: 'open_ai', model: model ?? THINK_MODEL },
    prompt: instructions,
    functions: functions.length === 0 ? null : functions,
  });
}

function historyOf({ history }: ClientOptions): readonly JsonObject[] {
  return history.map(({ speaker, text }) => ({
    type: 'History',
    role: speaker === 'caller' ? 'user' : 'assistant',
    content: text,
  }));
}
