import type { ProviderCall, ProviderOrders } from '../../call/provider/provider-orders.ts';
import type { Ask, AskResult, ProviderOrder } from '../../events/asks.ts';
import type { CommandResult } from '../../events/commands.ts';
import { canOrder } from '../../providers/control/registry.ts';

/** Control gives an order five seconds; more than that, and nobody knows. */
const ANSWER_MS_MAX = 7000;

export interface NodeProviderOrdersOptions {
  /** The credentials whose REST accounts control knows. */
  readonly credentials: { hasControl(credentialId: string): boolean };
  readonly ask: (ask: Ask, timeLimitMs: number) => Promise<AskResult>;
}

/** Orders to providers, by way of control: it has the accounts, whose secrets no media node ever sees. */
export class NodeProviderOrders implements ProviderOrders {
  readonly #options: NodeProviderOrdersOptions;

  constructor(options: NodeProviderOrdersOptions) {
    this.#options = options;
  }

  can(action: ProviderOrder['action'], { dialect, credentialId }: ProviderCall): boolean {
    return canOrder(dialect, action) && this.#options.credentials.hasControl(credentialId);
  }

  give(order: ProviderOrder, call: ProviderCall): Promise<CommandResult> {
    const ask: Ask = {
      name: 'provider_control',
      workspace_id: call.workspaceId,
      credential_id: call.credentialId,
      dialect: call.dialect,
      provider_call_id: call.id,
      order,
    };
    return this.#options.ask(ask, ANSWER_MS_MAX);
  }
}
