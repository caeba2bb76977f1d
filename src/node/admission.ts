import { refuse, type Refusal } from '../base/errors.ts';

/** Why somebody is not let in: a closed set, so that it can label a metric. */
export type RejectReason =
  | 'draining'
  | 'legs'
  | 'returning_legs'
  | 'loop_delay'
  | 'loop_busy'
  | 'memory'
  | 'spool'
  | 'disk'
  | 'isolated';

/** What the node knows of itself when somebody is at the door. */
export interface NodeCondition {
  readonly isDraining: boolean;
  readonly legs: number;
  readonly capLegs: number;
  /** The cap as the event loop's delay allows it now: at most `capLegs`. */
  readonly capLegsByDelay: number;
  /** The same by how busy the loop is. */
  readonly capLegsByBusy: number;
  readonly isMemoryNearFull: boolean;
  readonly isSpoolNearLimit: boolean;
  readonly isDiskNearFull: boolean;
  /** The registry does not answer, and the operator wants no call that it cannot know. */
  readonly isShutOff?: boolean;
}

/** Legs of calls that lost their node may take this many by the cap (cluster.md §2.11). */
const RETURNING_RATIO = 1.2;

/** The reason to let nobody new in now; undefined when there is none. Whoever is in stays. */
function reasonToRefuse(condition: NodeCondition): RejectReason | undefined {
  const { legs } = condition;
  if (condition.isDraining) return 'draining';
  if (legs >= condition.capLegs) return 'legs';
  if (condition.isSpoolNearLimit) return 'spool';
  if (condition.isDiskNearFull) return 'disk';
  if (condition.isMemoryNearFull) return 'memory';
  if (condition.isShutOff === true) return 'isolated';
  if (legs >= condition.capLegsByDelay) return 'loop_delay';
  if (legs >= condition.capLegsByBusy) return 'loop_busy';
  return undefined;
}

const SENTENCES: Record<RejectReason, string> = {
  draining: 'this node is draining',
  legs: 'this node has all the legs it may have',
  returning_legs: 'this node has no room left for legs of other nodes',
  spool: 'too many events wait for the control process',
  disk: 'the disk is nearly full',
  memory: 'this node has all the memory it may have',
  loop_delay: 'this node is late already',
  loop_busy: 'this node is too busy',
  isolated: 'the registry of calls does not answer',
};

/** Counts what was refused, by reason. */
export class Admission {
  readonly stats: Record<RejectReason, number> = {
    draining: 0,
    legs: 0,
    returning_legs: 0,
    spool: 0,
    disk: 0,
    memory: 0,
    loop_delay: 0,
    loop_busy: 0,
    isolated: 0,
  };

  refusalOf(condition: NodeCondition): Refusal | undefined {
    return this.#refusalFor(reasonToRefuse(condition));
  }

  /** Somebody who was in a call already, of another node: only the sheer number of legs keeps it out. */
  refusalOfReturn({ legs, capLegs }: Pick<NodeCondition, 'legs' | 'capLegs'>): Refusal | undefined {
    return this.#refusalFor(legs >= Math.ceil(capLegs * RETURNING_RATIO) ? 'returning_legs' : undefined);
  }

  #refusalFor(reason: RejectReason | undefined): Refusal | undefined {
    if (reason === undefined) return undefined;
    this.stats[reason]++;
    return refuse(reason === 'draining' ? 'draining' : 'overloaded', SENTENCES[reason]);
  }
}
