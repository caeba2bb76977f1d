import { asProvider } from './client/as-provider.ts';
import { deepgramAgentDialect } from './client/deepgram/agent.ts';
import { deepgramSttDialect } from './client/deepgram/stt.ts';
import { nativeClientDialect } from './client/native/client.ts';
import { openAiRealtimeDialect } from './client/openai-realtime/dialect.ts';
import type { ClientDialect } from './client.ts';
import { DIALECTS } from './registry.ts';

const OWN: readonly ClientDialect[] = [
  nativeClientDialect,
  openAiRealtimeDialect,
  deepgramAgentDialect,
  deepgramSttDialect,
];

/**
 * Every protocol in which a backend can be dialled: those of backends, and those of providers, whose bots we
 * call as the provider would.
 */
export const CLIENT_DIALECTS: readonly ClientDialect[] = [
  ...OWN,
  ...DIALECTS.filter(({ name }) => OWN.every((own) => own.name !== name)).map(asProvider),
];

/** The client side of that name, as an agent's backend names it. */
export function clientDialectOf(name: string): ClientDialect | undefined {
  return CLIENT_DIALECTS.find((dialect) => dialect.name === name);
}
