/** What the supervisor tells a child it started, over the IPC channel. */
export type FromSupervisor =
  /** Take nothing new, let calls finish until the deadline, then end them and leave. */
  | { readonly type: 'drain'; readonly deadlineMs: number }
  /** Leave now, in good order. */
  | { readonly type: 'stop' }
  /** Certificates were renewed on disk. */
  | { readonly type: 'reload' };

/** What a child tells its supervisor. */
export type ToSupervisor =
  /** Still turning; a child whose beat is missing is killed (design.md, watchdog). */
  | { readonly type: 'beat' }
  /**
   * Listening; `facts` are lines the person who started the house should see, such as a key made just now.
   */
  | { readonly type: 'ready'; readonly facts: { readonly [name: string]: string } };

/** How often a child beats. */
export const BEAT_MS = 250;
