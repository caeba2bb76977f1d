import { invariant, VoiceError } from '../../base/errors.ts';
import type { KeyedSchema } from '../../records/inbound/schema/schema-desk.ts';
import type { InboundDesk } from './inbound-desk.ts';

/** A schema that does not compile, or not in time, is said so now and not to everybody it is meant for. */
export async function requireUsable(
  schema: KeyedSchema,
  field: string,
  { schemas }: Pick<InboundDesk, 'schemas'>,
): Promise<void> {
  const verdict = await schemas.compile(schema);
  if (verdict.type === 'valid') return;
  if (verdict.type === 'full') throw new VoiceError('overloaded', 'too many schemas wait to be compiled');
  invariant(verdict.type !== 'invalid', 'compiling looks at no body');
  const why = verdict.type === 'broken' ? `does not compile: ${verdict.detail}` : 'takes too long to compile';
  throw new VoiceError('failed_precondition', `the schema ${why}`, { field });
}
