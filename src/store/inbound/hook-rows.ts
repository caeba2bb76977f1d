import type { Insertable, Selectable } from 'kysely';
import type { InboundHook } from '../../records/inbound/inbound-hook.ts';
import type { Cipher, SecretPlace } from '../cipher.ts';
import type { InboundHooksTable } from '../schema.ts';

type Terms = Omit<InboundHook, 'id' | 'workspaceId' | 'testMode' | 'tokens' | 'signature' | 'createdAt'>;

/** The row of a hook; what its sender signs with is sealed. */
export function hookRow(hook: InboundHook, cipher: Cipher): Insertable<InboundHooksTable> {
  const { id, workspaceId, testMode, tokens, signature, createdAt, ...terms } = hook;
  return {
    id,
    workspace_id: workspaceId,
    test_mode: testMode,
    tokens: JSON.stringify(tokens),
    signature: signature === null ? null : cipher.seal(JSON.stringify(signature), signatureOf(id)),
    terms: JSON.stringify(terms),
    created_at: createdAt,
  };
}

export function hookOf(row: Selectable<InboundHooksTable>, cipher: Cipher): InboundHook {
  const { id, signature } = row;
  const opened = signature === null ? 'null' : cipher.open(signature, signatureOf(id));
  return {
    ...(JSON.parse(row.terms) as Terms),
    id,
    workspaceId: row.workspace_id,
    testMode: Boolean(row.test_mode),
    tokens: JSON.parse(row.tokens) as InboundHook['tokens'],
    signature: JSON.parse(opened) as InboundHook['signature'],
    createdAt: row.created_at,
  };
}

function signatureOf(rowId: string): SecretPlace {
  return { rowId, field: 'signature' };
}
