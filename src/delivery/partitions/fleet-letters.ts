/** Something one process of a fleet has to say to another. */
export interface FleetLetter {
  /** A process by its name, or whoever holds a part of the work by the name of that. */
  readonly to: string;
  readonly from: string;
  readonly text: string;
}

/** A letter as its reader gets it. */
export interface TakenLetter extends FleetLetter {
  /** Since it was written, by the database's clock. */
  readonly ageMs: number;
}

/** Letters as those who share a database exchange them: each is read once. Fails while it is away. */
export interface FleetLetters {
  /** Letters that were taken and do not open: of a host with other keys, or altered. */
  readonly stats: { readonly unreadable: number };
  /** All of them or none; letters of one writer are read in the order in which they were sent. */
  send(letters: readonly FleetLetter[]): Promise<void>;
  /** Up to `limit` of those to any of `names`, in order; nobody else gets them any more. */
  take(names: readonly string[], limit: number): Promise<readonly TakenLetter[]>;
  /** Whoever older ones were meant for is gone. How many there were. */
  forget(ageMs: number): Promise<number>;
}
