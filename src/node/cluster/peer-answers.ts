import type { Clock } from '../../base/clock.ts';
import { messageOf } from '../../base/errors.ts';
import type { CallDirectory } from '../../call/directory.ts';
import type { Ownership } from '../../cluster/ownership.ts';
import type { PeerHandlers } from '../../cluster/peers/peer-link.ts';
import type { PeerQuestion } from '../../cluster/peers/peer-messages.ts';
import type { Registry } from '../../cluster/registry.ts';
import type { CommandResult, CommandToCall } from '../../events/commands.ts';
import type { NodeLog } from '../media-node.ts';

export interface PeerAnswersOptions {
  readonly incarnation: string;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly calls: CallDirectory;
  readonly ownership: Ownership;
  readonly registry: Registry;
  readonly log: NodeLog;
}

/** What this node answers its peers. */
export class PeerAnswers implements PeerHandlers {
  readonly #options: PeerAnswersOptions;

  constructor(options: PeerAnswersOptions) {
    this.#options = options;
  }

  async answer(question: PeerQuestion): Promise<CommandResult> {
    const { calls } = this.#options;
    if (question.name === 'call_command') return this.#command(question);
    if (question.name === 'holds') return { ok: true, value: calls.get(question.call_id) !== undefined };
    return { ok: false, fault: 'conflict', detail: 'the call stays here' };
  }

  status(): void {
    // How a peer stands is in its next beat.
  }

  carried(): void {
    // No leg is carried over this link.
  }

  changed(): void {
    // Who asks looks at the link's state then.
  }

  reportFailure(error: unknown, where: string): void {
    this.#options.log.error({ error: messageOf(error), where }, 'a promise was broken');
  }

  async #command({ call_id, workspace_id, command }: CommandToCall): Promise<CommandResult> {
    const { calls, clock } = this.#options;
    const call = calls.get(call_id);
    if (call?.facts.workspaceId === workspace_id) return call.command(command, clock.nowMs());
    return { ok: false, fault: 'call_not_found', detail: 'this node has no such call' };
  }
}
