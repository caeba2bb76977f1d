import type { JsonObject } from '../../base/json.ts';
import type { HookFormat } from '../outbox.ts';
import type { VersionedEnvelope } from './payload-versions.ts';
import { omniai } from './omniai.ts';
import { omniflow } from './omniflow.ts';
import { omniotap } from './omniotap.ts';
import { omnivoice } from './omnivoice.ts';
import { voiceoi } from './voiceoi.ts';

/** Writes an event as one of the published interfaces tells it. Pure: the same event gives the same bytes. */
export type Format = (envelope: VersionedEnvelope, previousUndelivered: readonly string[]) => JsonObject;

/** The five payloads (contract.md §6). */
export const FORMATS: { readonly [name in HookFormat]: Format } = {
  omnivoice,
  omniflow,
  voiceoi,
  omniotap,
  omniai,
};
