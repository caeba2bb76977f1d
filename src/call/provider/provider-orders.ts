import type { ProviderOrder } from '../../events/asks.ts';
import type { CommandResult } from '../../events/commands.ts';
import type { CallDesk } from '../call-desk.ts';
import { lineOf } from '../parties/party.ts';

/** A call as its provider knows it. */
export interface ProviderCall {
  readonly workspaceId: string;
  readonly credentialId: string;
  readonly dialect: string;
  /** How the provider names the call. */
  readonly id: string;
}

/** What a provider can be asked for beside the caller's socket: through its REST account. */
export interface ProviderOrders {
  /** Whether there is an account, and the provider has the means. */
  can(action: ProviderOrder['action'], call: ProviderCall): boolean;
  /** Never rejects; a provider that accepts an order carries it out in its own time. */
  give(order: ProviderOrder, call: ProviderCall): Promise<CommandResult>;
}

/** The caller's line as its provider knows it; undefined where it came without a credential or a name. */
function providerCallOf({ facts, roster }: Pick<CallDesk, 'facts' | 'roster'>): ProviderCall | undefined {
  const { caller } = roster;
  const id = caller === undefined ? null : (lineOf(caller)?.providerCallId ?? null);
  const { workspaceId, credentialId = null } = facts;
  if (caller === undefined || id === null || credentialId === null) return undefined;
  return { workspaceId, credentialId, dialect: caller.party.dialectName, id };
}

/** Whether the caller's provider can be asked for this. */
export function orderCanBeGiven(
  desk: Pick<CallDesk, 'facts' | 'roster' | 'ports'>,
  action: ProviderOrder['action'],
): boolean {
  const call = providerCallOf(desk);
  return call !== undefined && desk.ports.provider?.can(action, call) === true;
}

/** Asks the caller's provider; undefined where it cannot be asked for this. */
export function orderAtProvider(desk: CallDesk, order: ProviderOrder): Promise<CommandResult> | undefined {
  const { provider } = desk.ports;
  const call = provider === undefined ? undefined : providerCallOf(desk);
  if (provider === undefined || call === undefined || !provider.can(order.action, call)) return undefined;
  return provider.give(order, call);
}
