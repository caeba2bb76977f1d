import { refuse, type Refusal } from '../base/errors.ts';

/** Why nobody new is let in: a closed set, so that it can label a metric. */
export type RejectReason = 'draining' | 'legs' | 'loop_delay' | 'spool' | 'disk' | 'isolated';

/** What the node knows of itself when somebody is at the door. */
export interface NodeCondition {
  readonly isDraining: boolean;
  readonly legs: number;
  readonly capLegs: number;
  /** The cap as the event loop's delay allows it now: at most `capLegs`. */
  readonly capLegsNow: number;
  readonly isSpoolNearLimit: boolean;
  readonly isDiskNearFull: boolean;
  /** The registry does not answer, and the operator wants no call that it cannot know. */
  readonly isShutOff?: boolean;
}

/** The reason to let nobody in now; undefined when there is none. Whoever is in stays. */
export function reasonToRefuse(condition: NodeCondition): RejectReason | undefined {
  if (condition.isDraining) return 'draining';
  if (condition.legs >= condition.capLegs) return 'legs';
  if (condition.isSpoolNearLimit) return 'spool';
  if (condition.isDiskNearFull) return 'disk';
  if (condition.isShutOff === true) return 'isolated';
  if (condition.legs >= condition.capLegsNow) return 'loop_delay';
  return undefined;
}

const SENTENCES: Record<RejectReason, string> = {
  draining: 'this node is draining',
  legs: 'this node has all the legs it may have',
  spool: 'too many events wait for the control process',
  disk: 'the disk is nearly full',
  loop_delay: 'this node is late already',
  isolated: 'the registry of calls does not answer',
};

/** Counts what was refused, by reason. */
export class Admission {
  readonly stats: Record<RejectReason, number> = {
    draining: 0,
    legs: 0,
    spool: 0,
    disk: 0,
    loop_delay: 0,
    isolated: 0,
  };

  refusalOf(condition: NodeCondition): Refusal | undefined {
    const reason = reasonToRefuse(condition);
    if (reason === undefined) return undefined;
    this.stats[reason]++;
    return refuse(reason === 'draining' ? 'draining' : 'overloaded', SENTENCES[reason]);
  }
}
