import type { Clock } from '../../base/clock.ts';
import { VoiceError, type Refusal } from '../../base/errors.ts';
import { newId } from '../../base/ids.ts';
import { sha256Hex } from '../../base/secret.ts';
import { planOf, type Plan } from '../../records/inbound/actions.ts';
import { liveOf, type InboundHook } from '../../records/inbound/inbound-hook.ts';
import type { InboundCall } from '../../records/inbound/inbound-store.ts';
import { readJsonBody } from '../../records/inbound/json-body.ts';
import { mapped } from '../../records/inbound/mapping.ts';
import { pointerOf, valueAt } from '../../records/inbound/pointer.ts';
import type { SchemaVerdict } from '../../records/inbound/schema/schema-desk.ts';
import { isSignedBy } from '../../records/inbound/signature.ts';
import type { InboundDesk } from './inbound-desk.ts';
import type { InboundStats } from './inbound-gate.ts';

/** The cap of an event's payload (contract.md §5.1), with room for its envelope. */
const EVENT_DATA_BYTES_MAX = 255 * 1_024;
const RESOURCE_ID_CHARACTERS_MAX = 128;
const KEY_CHARACTERS_MAX = 1_024;

/** A call as it came over the wire. */
export interface RawCall {
  readonly headers: { readonly [name: string]: string | string[] | undefined };
  readonly body: Uint8Array;
}

export interface InboundReaderParts {
  readonly desk: Pick<InboundDesk, 'schemas'>;
  readonly stats: InboundStats;
  readonly clock: Pick<Clock, 'unixMs' | 'randomBytes'>;
  readonly region: string;
}

/** Makes of what came in at a hook what it is to do; what is wrong with it is thrown, and counted. */
export class InboundReader {
  readonly #parts: InboundReaderParts;

  constructor(parts: InboundReaderParts) {
    this.#parts = parts;
  }

  async read(hook: InboundHook, raw: RawCall): Promise<InboundCall> {
    const { clock, region } = this.#parts;
    this.#requireSigned(hook, raw);
    const body = this.#parsed(raw);
    await this.#requireValid(hook, body);
    const plan = this.#planned(hook, body);
    return {
      id: newId('inc', clock),
      hook,
      plan,
      resource: this.#resourceOf(hook, plan, body),
      region,
      keyHash: this.#keyOf(hook, body),
    };
  }

  #requireSigned({ signature }: InboundHook, { headers, body }: RawCall): void {
    if (signature === null) return;
    const { terms, secrets } = signature;
    const given = headers[terms.header];
    const header = Array.isArray(given) ? given[0] : given;
    if (isSignedBy(liveOf(secrets, this.#parts.clock.unixMs()), terms, { header, body })) return;
    this.#parts.stats.wrongSignature++;
    throw new VoiceError('unauthenticated', `${terms.header} does not sign this body`);
  }

  #parsed({ headers, body }: RawCall): unknown {
    const encoding = headers['content-encoding'] ?? 'identity';
    if (encoding !== 'identity') {
      this.#parts.stats.notJson++;
      throw new VoiceError('invalid_argument', 'the body must be sent as it is, not compressed');
    }
    const read = readJsonBody(body);
    if ('value' in read) return read.value;
    this.#parts.stats[read.fault]++;
    throw thrown(read.refusal);
  }

  async #requireValid({ id, schema }: InboundHook, body: unknown): Promise<void> {
    if (schema === null) return;
    // A hook never changes its schema, so its id names what was compiled.
    const verdict = await this.#parts.desk.schemas.check({ key: id, text: schema }, JSON.stringify(body));
    if (verdict.type === 'valid') return;
    const isRefused = verdict.type === 'invalid' || verdict.type === 'broken';
    this.#parts.stats[isRefused ? 'schemaRefused' : 'schemaUnavailable']++;
    throw errorOf(verdict);
  }

  #planned({ mapping, actions }: InboundHook, body: unknown): Plan {
    const plan = planOf(actions, mapped(mapping, body));
    if (!('commands' in plan)) {
      this.#parts.stats.actionRefused++;
      throw thrown(plan);
    }
    if (plan.events.every(({ data }) => Buffer.byteLength(JSON.stringify(data)) <= EVENT_DATA_BYTES_MAX)) {
      return plan;
    }
    this.#parts.stats.eventTooLarge++;
    throw new VoiceError('payload_too_large', 'the fields of an event have at most 255 KiB');
  }

  /** Its id begins with the hook's: nobody else numbers events of it. */
  #resourceOf({ id, resource }: InboundHook, plan: Plan, body: unknown): InboundCall['resource'] {
    const { type, idPointer } = resource;
    if (idPointer === null || plan.events.length === 0) return { type, id };
    const given = scalarAt(body, idPointer);
    if (given !== undefined && given !== '' && given.length <= RESOURCE_ID_CHARACTERS_MAX) {
      return { type, id: `${id}/${given}` };
    }
    this.#parts.stats.actionRefused++;
    const wanted = `text of 1 to ${RESOURCE_ID_CHARACTERS_MAX} characters, or a number`;
    throw new VoiceError('invalid_argument', `${idPointer} names no ${type}: ${wanted}`);
  }

  #keyOf({ dedupePointer }: InboundHook, body: unknown): string | null {
    if (dedupePointer === null) return null;
    const given = scalarAt(body, dedupePointer);
    if (given !== undefined && given.length <= KEY_CHARACTERS_MAX) return sha256Hex(given);
    this.#parts.stats.withoutKey++;
    return null;
  }
}

/** Text as it is; numbers and truth told apart from text that looks like them. */
function scalarAt(body: unknown, pointer: string): string | undefined {
  const value = valueAt(body, pointerOf(pointer) ?? []);
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? JSON.stringify(value) : undefined;
}

function errorOf(verdict: Exclude<SchemaVerdict, { type: 'valid' }>): VoiceError {
  switch (verdict.type) {
    case 'invalid': {
      const { path, message } = verdict;
      return new VoiceError('failed_precondition', `${path === '' ? 'the body' : path} ${message}`);
    }
    case 'broken':
      return new VoiceError('failed_precondition', `the schema cannot be applied: ${verdict.detail}`);
    case 'full':
      return new VoiceError('overloaded', 'too many bodies wait for their schemas');
    default:
      return new VoiceError('unavailable', 'the schema of this hook took too long');
  }
}

function thrown({ fault, detail }: Refusal): VoiceError {
  return new VoiceError(fault, detail);
}
