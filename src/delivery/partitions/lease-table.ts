/** The right to deliver a partition; a later holder's token is greater. */
export interface Fence {
  readonly partition: number;
  readonly token: number;
}

/** What a holder is told when it says that it is there. */
export interface LeaseBeat {
  /** Everything it holds, prolonged by this very beat. */
  readonly held: readonly Fence[];
  /** How many it should hold, as many as are there now. */
  readonly share: number;
}

/** The leases as those who share a database see them; time is the database's. Fails while it is away. */
export interface LeaseTable {
  /** `holder` is there for `ttlMs` more, and so is what it holds. */
  beat(holder: string, ttlMs: number): Promise<LeaseBeat>;
  /** Takes up to `count` that nobody holds, each with a token greater than all before. */
  claim(holder: string, count: number, ttlMs: number): Promise<readonly Fence[]>;
  /** Lets go, and tells the others. */
  release(holder: string, partitions: readonly number[]): Promise<void>;
  /** Lets go of everything, and is not counted any more. */
  leave(holder: string): Promise<void>;
}

/** Whose calls this process delivers. */
export interface Territory {
  /** Whether an attempt for this resource may start now. */
  holds(resourceId: string): boolean;
  /** What its record is checked against; undefined where nobody else could have made it. */
  fenceOf(resourceId: string): Fence | undefined;
}

/** Somebody else delivers it now: what was learnt of an attempt is theirs to find out. */
export class FencedError extends Error {
  constructor() {
    super('another process delivers it now');
  }
}

/** A process alone on its database delivers everything. */
export const EVERYTHING: Territory = { holds: () => true, fenceOf: () => undefined };
