import type { Static } from 'typebox';
import type { Clock } from '../../../base/clock.ts';
import { VoiceError } from '../../../base/errors.ts';
import { newId } from '../../../base/ids.ts';
import { sha256Hex } from '../../../base/secret.ts';
import { faultOfAction, type InboundAction } from '../../../records/inbound/actions.ts';
import type { InboundHook, OwnAnswer } from '../../../records/inbound/inbound-hook.ts';
import { faultOf as faultOfMapping } from '../../../records/inbound/mapping.ts';
import { pointerOf } from '../../../records/inbound/pointer.ts';
import { faultOfSchema } from '../../../records/inbound/schema/schema-rules.ts';
import { depthOf } from '../../../records/inbound/json-body.ts';
import type { ApiKey } from '../../ports.ts';
import { RATE_PER_MINUTE_DEFAULT, type InboundWish } from './inbound-shapes.ts';

type Wish = Static<typeof InboundWish>;
type Dice = Pick<Clock, 'unixMs' | 'randomBytes'>;

const SECRET_BYTES = 32;
const ACCEPTED = 202;
const NO_CONTENT = 204;
const TERMS_BYTES_MAX = 65_536;
const TERMS_DEPTH_MAX = 32;
const ANSWER_BYTES_MAX = 4_096;
/** Their events are numbered by somebody else, who would lose his numbers to us. */
const NUMBERED_ELSEWHERE = ['call', 'endpoint', 'node'];

/** A hook just made, with what is shown this once. */
export interface FreshHook {
  readonly hook: InboundHook;
  readonly token: string;
  readonly signatureSecret: string | undefined;
}

/** The hook somebody wishes for, with everything checked that needs no thread. */
export function hookOf(wish: Wish, { workspaceId, testMode }: ApiKey, clock: Dice): FreshHook {
  const token = newToken(clock);
  const signature = signatureOf(wish, clock);
  checkSizes(wish);
  const hook: InboundHook = {
    id: newId('inh', clock),
    workspaceId,
    testMode,
    name: wish.name ?? null,
    tokens: [{ secret: sha256Hex(token), untilUnixMs: null }],
    signature,
    schema: schemaOf(wish),
    mapping: mappingOf(wish),
    actions: wish.actions.map((action, index) => checkedAction(action, index)),
    resource: resourceOf(wish),
    dedupePointer: checkedPointer(wish.dedupe_pointer, 'dedupe_pointer'),
    ratePerMinute: wish.rate_per_minute ?? RATE_PER_MINUTE_DEFAULT,
    answer: answerOf(wish.response),
    createdAt: new Date(clock.unixMs()).toISOString(),
  };
  return { hook, token, signatureSecret: signature?.secrets[0]?.secret };
}

/** 256 bits for a path. */
export function newToken(clock: Dice): string {
  return clock.randomBytes(SECRET_BYTES).toString('base64url');
}

function signatureOf({ signature: wish }: Wish, clock: Dice): InboundHook['signature'] {
  if (wish === undefined || wish === null) return null;
  const { header, algorithm = 'sha256', encoding = 'hex', prefix = '' } = wish;
  const secret = wish.secret ?? newToken(clock);
  return {
    terms: { header: header.toLowerCase(), algorithm, encoding, prefix },
    secrets: [{ secret, untilUnixMs: null }],
  };
}

function schemaOf({ schema }: Wish): string | null {
  if (schema === undefined || schema === null) return null;
  const fault = faultOfSchema(schema);
  if (fault !== undefined) throw new VoiceError('failed_precondition', fault, { field: 'schema' });
  return JSON.stringify(schema);
}

function mappingOf({ mapping = {} }: Wish): InboundHook['mapping'] {
  const fault = faultOfMapping(mapping);
  if (fault !== undefined) throw wrong(`mapping.${fault.field}`, fault.detail);
  return mapping;
}

function checkedAction({ type, args = {} }: Wish['actions'][number], index: number): InboundAction {
  const action = { type, args };
  const refusal = faultOfAction(action);
  if (refusal === undefined) return action;
  throw new VoiceError(refusal.fault, refusal.detail, { field: `actions.${index}.type` });
}

function resourceOf({ resource = {} }: Wish): InboundHook['resource'] {
  const { type = 'inbound', id_pointer: idPointer } = resource;
  if (NUMBERED_ELSEWHERE.includes(type)) {
    const sentence = `events of a ${type} are told by who owns it; name the ${type} in a field instead`;
    throw new VoiceError('failed_precondition', sentence, { field: 'resource.type' });
  }
  return { type, idPointer: checkedPointer(idPointer, 'resource.id_pointer') };
}

function checkedPointer(pointer: string | null | undefined, field: string): string | null {
  if (pointer === undefined || pointer === null) return null;
  if (pointerOf(pointer) !== undefined) return pointer;
  throw wrong(field, 'is no JSON pointer (RFC 6901)');
}

function answerOf(wish: Wish['response']): OwnAnswer | null {
  if (wish === undefined || wish === null) return null;
  const { status = ACCEPTED, body = null } = wish;
  if (status === NO_CONTENT && body !== null) throw wrong('response.body', 'a 204 has no body');
  if (Buffer.byteLength(JSON.stringify(body)) > ANSWER_BYTES_MAX) {
    throw wrong('response.body', `has at most ${ANSWER_BYTES_MAX} bytes`);
  }
  return { status, body };
}

/** What is kept, and walked by recursion, of a stranger's wish. */
function checkSizes({ mapping = {}, actions, response = null }: Wish): void {
  for (const [field, value] of Object.entries({ mapping, actions, response })) {
    const bytes = Buffer.from(JSON.stringify(value));
    if (bytes.length > TERMS_BYTES_MAX) throw wrong(field, `has at most ${TERMS_BYTES_MAX} bytes`);
    if (depthOf(bytes) > TERMS_DEPTH_MAX) throw wrong(field, `is nested at most ${TERMS_DEPTH_MAX} deep`);
  }
}

function wrong(field: string, detail: string): VoiceError {
  return new VoiceError('invalid_argument', `${field} ${detail}`, { field });
}
