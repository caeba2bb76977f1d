import type { MemberWire, QueueDesk, QueueOwner, QueueSeat, QueueView } from '../../api/queues/queue-desk.ts';
import type { Clock } from '../../base/clock.ts';
import { VoiceError } from '../../base/errors.ts';
import type { Closeable } from '../../base/lifetime.ts';
import type { AskResult, QueueAsk } from '../../events/asks.ts';
import type { CommandResult, CommandToCall } from '../../events/commands.ts';
import { CallQueue, MEMBERS_MAX, type QueueStats } from './call-queue.ts';
import type { FormerMember, WaitingCall } from './waiting-call.ts';

/** A name costs a little memory, and a stranger may join by any. */
const QUEUES_MAX = 2_000;

export interface HostQueuesOptions {
  readonly clock: Clock;
  /** Asks the node of a call. */
  readonly command: (incarnation: string, command: CommandToCall) => Promise<CommandResult>;
  /** False while nobody is to be asked yet; always true where it is absent. */
  readonly isOffering?: () => boolean;
}

/** Who wants to be a member. */
interface Joining {
  readonly label: string | null;
  readonly wire: MemberWire;
  readonly former?: FormerMember;
}

interface NamedQueue {
  readonly name: string;
  readonly owner: QueueOwner;
  readonly queue: CallQueue;
}

/**
 * The queues of the calls of this host. Nothing of them is kept: members come back when their connection
 * breaks, and nodes say every two seconds what waits.
 */
export class HostQueues implements QueueDesk, Closeable {
  readonly stats: QueueStats & { refusedQueues: number } = {
    offers: 0,
    accepted: 0,
    declined: 0,
    unanswered: 0,
    withdrawn: 0,
    tooLate: 0,
    lapsed: 0,
    refusedMembers: 0,
    refusedWaiting: 0,
    refusedQueues: 0,
  };
  readonly #options: HostQueuesOptions;
  readonly #queues = new Map<string, NamedQueue>();

  constructor(options: HostQueuesOptions) {
    this.#options = options;
  }

  /** A node says that a handover waits, or does not any more. */
  async answer(ask: QueueAsk, incarnation: string): Promise<AskResult> {
    const owner = { workspaceId: ask.workspace_id, testMode: ask.test_mode };
    const known = this.#queues.get(keyOf(owner, ask.queue));
    if (known === undefined && ask.standing === 'over') return { ok: true, value: null };
    const { queue } = known ?? this.#open(owner, ask.queue);
    if (queue.told(ask, incarnation)) return { ok: true, value: null };
    return { ok: false, fault: 'overloaded', detail: 'as many calls wait in this queue as it can hold' };
  }

  list(owner: QueueOwner): readonly QueueView[] {
    return [...this.#queues.values()]
      .filter(({ owner: other }) => keyOf(owner, '') === keyOf(other, ''))
      .map(({ name, queue }) => queue.view(name))
      .toSorted((one, other) => (one.name < other.name ? -1 : 1));
  }

  admit(owner: QueueOwner, name: string): void {
    const known = this.#queues.get(keyOf(owner, name));
    if (known === undefined) return this.#admitQueue();
    if (known.queue.hasRoomForMember) return;
    this.stats.refusedMembers++;
    throw new VoiceError('overloaded', `a queue has at most ${MEMBERS_MAX} members`);
  }

  join(owner: QueueOwner, name: string, { label, wire, former }: Joining): QueueSeat {
    this.admit(owner, name);
    const { queue } = this.#queues.get(keyOf(owner, name)) ?? this.#open(owner, name);
    const member = queue.join(label, wire, former);
    return {
      id: member.id,
      say: (message) => queue.say(member, message),
      leave: () => queue.leave(member),
    };
  }

  /** Who could not be asked before may be now. */
  offerWaiting(): void {
    for (const { queue } of this.#queues.values()) queue.offerWaiting();
  }

  /** They are kept elsewhere from now on: nobody is asked by us any more, and nobody is told so. */
  forget(): void {
    for (const { queue } of this.#queues.values()) queue.close();
    this.#queues.clear();
  }

  async close(): Promise<void> {
    this.forget();
  }

  #admitQueue(): void {
    if (this.#queues.size < QUEUES_MAX) return;
    this.stats.refusedQueues++;
    throw new VoiceError('overloaded', `there are ${QUEUES_MAX} queues already`);
  }

  #open(owner: QueueOwner, name: string): NamedQueue {
    this.#admitQueue();
    const key = keyOf(owner, name);
    const { clock, isOffering = () => true } = this.#options;
    const nodes = {
      claim: (call: WaitingCall) => this.#claim(call),
      decline: (call: WaitingCall) => this.#decline(call),
    };
    const onEmpty = (): void => {
      if (this.#queues.get(key)?.queue === queue) this.#queues.delete(key);
    };
    const queue = new CallQueue({ clock, nodes, stats: this.stats, isOffering, onEmpty });
    const named = { name, owner, queue };
    this.#queues.set(key, named);
    return named;
  }

  async #claim(call: WaitingCall): Promise<CommandResult> {
    const { handoverId: handover_id } = call;
    return this.#command(call, { name: 'claim_handover', handover_id });
  }

  #decline(call: WaitingCall): void {
    const { handoverId: handover_id } = call;
    // Whatever comes of it, its node says.
    void this.#command(call, { name: 'answer_handover', handover_id, verdict: 'decline' });
  }

  async #command(call: WaitingCall, command: CommandToCall['command']): Promise<CommandResult> {
    const { callId: call_id, workspaceId: workspace_id, incarnation } = call;
    try {
      return await this.#options.command(incarnation, {
        name: 'call_command',
        call_id,
        workspace_id,
        command,
      });
    } catch {
      return { ok: false, fault: 'unavailable', detail: 'the node of this call does not answer' };
    }
  }
}

function keyOf({ workspaceId, testMode }: QueueOwner, name: string): string {
  return `${workspaceId} ${testMode ? 'test' : 'live'} ${name}`;
}
