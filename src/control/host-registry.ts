import type { Clock } from '../base/clock.ts';
import { answerFrom, type RegistryQuestion } from '../cluster/asked-registry.ts';
import { LocalRegistry } from '../cluster/local-registry.ts';
import { openRedisRegistry } from '../cluster/redis/open-redis.ts';
import type { RegistryCounts } from '../cluster/registry-counts.ts';
import type { Registry } from '../cluster/registry.ts';
import type { Settings } from '../config/settings.ts';
import type { AskResult, RegistryAsk } from '../events/asks.ts';

export interface HostRegistryOptions {
  readonly settings: Pick<Settings, 'redisUrl' | 'region'>;
  readonly clock: Clock;
  readonly log: { warn(fields: object, sentence: string): void };
}

/** The registry this host's nodes live in: Redis where there is one, else the memory of this process. */
export function openHostRegistry({
  settings,
  clock,
  log,
}: HostRegistryOptions): Registry & { readonly counts: RegistryCounts } {
  const { redisUrl: url, region } = settings;
  return url === undefined ? new LocalRegistry(clock) : openRedisRegistry({ url, region, clock, log });
}

/** Answers a node that has no other registry to ask. */
export async function answeredFrom(registry: Registry, { question }: RegistryAsk): Promise<AskResult> {
  // The node was started from the same checkout: the question is one of those it can put.
  return { ok: true, value: await answerFrom(registry, question as RegistryQuestion) };
}
