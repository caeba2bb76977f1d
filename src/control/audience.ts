import type { CommittedEvent } from '../events/journal.ts';

/** Somebody who waits for events. */
interface Listener {
  committed(events: readonly CommittedEvent[]): void;
}

/** Who is told of every event that is committed, in this order. */
export interface Audience {
  readonly figures: Listener;
  readonly fleet: Listener;
  readonly recordings: Listener;
  readonly agents: Listener;
  readonly postCall?: Listener;
}

export type Tell = (committing: Promise<readonly CommittedEvent[]>) => Promise<readonly CommittedEvent[]>;

/** Tells everybody who waits for events. */
export function announcerOf(audience: Audience): (events: readonly CommittedEvent[]) => void {
  const { figures, fleet, recordings, agents, postCall } = audience;
  return (events) => {
    figures.committed(events);
    fleet.committed(events);
    recordings.committed(events);
    agents.committed(events);
    postCall?.committed(events);
  };
}

/** Told in the very turn of the commit, whoever committed: readers learn of events in the journal's order. */
export function tellerOf(audience: Audience): Tell {
  const announce = announcerOf(audience);
  return async (committing) => {
    const committed = await committing;
    announce(committed);
    return committed;
  };
}
