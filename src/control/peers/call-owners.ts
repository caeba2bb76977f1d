import type { FaultCode } from '../../base/errors.ts';
import type { DrainQuestion } from '../../cluster/peers/peer-messages.ts';
import type { Registry } from '../../cluster/registry.ts';
import type { CommandResult, CommandToCall } from '../../events/commands.ts';
import type { ControlEnd } from '../../link/control-end.ts';
import type { NodePeers, Reply } from './node-peers.ts';

export interface CallOwnersOptions {
  /** To the nodes of this host. */
  readonly link: Pick<ControlEnd, 'nodes' | 'command'>;
  /** To those of other hosts; absent where there are none. */
  readonly peers?: Pick<NodePeers, 'ask'>;
  readonly registry: Pick<Registry, 'find'>;
}

/**
 * Brings a command to the node that owns its call, whichever host that is on. It goes first to who last told
 * of the call, and where that one has it no more, or was not reached, once more to who owns it now: a command
 * is never sent again where it may have been carried out.
 */
export class CallOwners {
  readonly stats = { askedAgain: 0, ownersAway: 0 };
  readonly #options: CallOwnersOptions;

  constructor(options: CallOwnersOptions) {
    this.#options = options;
  }

  /** `incarnation`: who last told of the call. */
  async command(incarnation: string, command: CommandToCall): Promise<CommandResult> {
    const first = await this.#ask(incarnation, command);
    if (!isElsewhere(first)) return first.result;
    const result = await this.#askAgain(incarnation, command, first);
    if (!result.ok && result.fault === 'unavailable') this.stats.ownersAway++;
    return result;
  }

  /** Has a life of a node leave, whichever host it is on. */
  async drain(incarnation: string): Promise<CommandResult> {
    return (await this.#ask(incarnation, { name: 'drain' })).result;
  }

  async #askAgain(asked: string, command: CommandToCall, { result }: Reply): Promise<CommandResult> {
    const found = await this.#options.registry.find(command.call_id);
    if (found === 'unknown') return result;
    if (found === 'unavailable') return failure('unavailable', 'nobody can say now who has the call');
    if (found.state === 'ended') return failure('call_not_found', 'the call has ended');
    if (found.owner === asked) return result;
    this.stats.askedAgain++;
    const second = await this.#ask(found.owner, command);
    if (!second.isReached || !isElsewhere(second)) return second.result;
    // It moves faster than it can be followed: a moment later it will have come to rest.
    return failure('unavailable', 'the call is on its way to another node');
  }

  async #ask(incarnation: string, command: CommandToCall | DrainQuestion): Promise<Reply> {
    const { link, peers } = this.#options;
    const node = link.nodes().find((known) => known.incarnation === incarnation);
    if (node?.isConnected === true) {
      return { isReached: true, result: await link.command(incarnation, command) };
    }
    if (node === undefined && peers !== undefined) return peers.ask(incarnation, command);
    return { isReached: false, result: failure('unavailable', 'the node of this call is not connected') };
  }
}

/** The command was certainly not carried out there, and may be elsewhere. */
function isElsewhere({ isReached, result }: Reply): boolean {
  return !isReached || (!result.ok && result.fault === 'call_not_found');
}

function failure(fault: FaultCode, detail: string): CommandResult {
  return { ok: false, fault, detail };
}
