import type { JsonObject } from '../../base/json.ts';

/** Whose queues: those of live and of test mode do not know each other. */
export interface QueueOwner {
  readonly workspaceId: string;
  readonly testMode: boolean;
}

/** Where a member of a queue is told what happens. */
export interface MemberWire {
  /** Sends one message of docs/queues.md. */
  tell(news: JsonObject): void;
}

/** A member, as it speaks to its queue. */
export interface QueueSeat {
  readonly id: string;
  /** One message of docs/queues.md; what is wrong with it is told to the wire. */
  say(message: JsonObject): void;
  leave(): void;
}

export type MemberState = 'away' | 'ready' | 'offered' | 'accepting';
export type WaitingState = 'waiting' | 'offered' | 'accepting' | 'claimed';

export interface QueueView {
  readonly name: string;
  /** Longest here first. */
  readonly members: readonly {
    readonly id: string;
    readonly label: string | null;
    readonly state: MemberState;
    /** Null where it is away. */
    readonly idle_ms: number | null;
  }[];
  /** Longest waiting first. */
  readonly waiting: readonly {
    readonly handover_id: string;
    readonly call_id: string;
    readonly state: WaitingState;
    readonly since: string;
  }[];
}

/** Queues as the API may use them, whoever keeps them. */
export interface QueueDesk {
  /** By name; a queue nobody is in and nothing waits in does not exist. */
  list(owner: QueueOwner): readonly QueueView[] | Promise<readonly QueueView[]>;
  /** Throws `overloaded` where a queue has no room for one more. */
  admit(owner: QueueOwner, name: string): void;
  join(owner: QueueOwner, name: string, wish: { label: string | null; wire: MemberWire }): QueueSeat;
}
