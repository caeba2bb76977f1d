import type { FaultCode } from '../../base/errors.ts';
import type { JsonObject } from '../../base/json.ts';
import type { CommandResult } from '../../events/commands.ts';
import type { Member } from '../parties/roster.ts';

/** Who asks: a leg in its own socket, or somebody outside the call. */
export type Asker = { readonly type: 'outside' } | { readonly type: 'leg'; readonly member: Member };

/** What came of a command: at once, or later where the world has to be asked. */
export type Outcome = CommandResult | Promise<CommandResult>;

export const OUTSIDE: Asker = { type: 'outside' };

export function done(value: JsonObject = {}): CommandResult {
  return { ok: true, value };
}

export function failed(fault: FaultCode, detail: string): CommandResult {
  return { ok: false, fault, detail };
}

/** The answer to what nothing on this node can do. */
export function unavailable(what: string): CommandResult {
  return failed('failed_precondition', `${what} is not available on this node`);
}
