import { asteriskIncomingDialect } from './asterisk/client.ts';
import { asProvider } from './client/as-provider.ts';
import { deepgramAgentDialect } from './client/deepgram/agent.ts';
import { deepgramSttDialect } from './client/deepgram/stt.ts';
import { nativeClientDialect } from './client/native/client.ts';
import { openAiRealtimeDialect } from './client/openai-realtime/dialect.ts';
import type { ClientDialect } from './client.ts';
import type { Dialect } from './dialect.ts';
import { DIALECTS } from './registry.ts';

const OWN: readonly ClientDialect[] = [
  nativeClientDialect,
  openAiRealtimeDialect,
  deepgramAgentDialect,
  deepgramSttDialect,
  asteriskIncomingDialect,
];

/**
 * Every protocol in which a backend can be dialled: those of backends, and those of providers, whose bots we
 * call as the provider would.
 */
export const CLIENT_DIALECTS: readonly ClientDialect[] = [
  ...OWN,
  ...DIALECTS.filter(isBotProtocol).map(asProvider),
];

/** The client side of that name, as an agent's backend names it. */
export function clientDialectOf(name: string): ClientDialect | undefined {
  return CLIENT_DIALECTS.find((dialect) => dialect.name === name);
}

/** AudioSocket is bare TCP: a bot behind it has no URL that could be dialled. */
function isBotProtocol({ name }: Dialect): boolean {
  return name !== 'audiosocket' && OWN.every((own) => own.name !== name);
}
