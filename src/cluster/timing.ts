/** A node renews its lease this often: two writes a second. */
export const BEAT_MS = 500;
/** Three beats without news of a node: nothing new is placed on it. */
export const STALE_MS = 1_500;
/** Three beats of its own not accepted: the node claims nothing and judges nobody. */
export const ISOLATED_MS = 1_500;
/** Longer than the slowest failover measured (3.5 s): a lease outlives the registry's own trouble. */
export const LEASE_MS = 5_000;
/** A lease and four beats: who was silent only with the registry has told so by then. */
export const GRACE_MS = 7_000;
/** Changes of a call closer together than this are one save. */
export const SAVE_COALESCED_MS = 50;
/** Also how long a node that was paused may take itself for the owner. */
export const SAVE_EVERY_MS = 5_000;
/** After a new epoch all calls of a node are saved again, spread over this. */
export const SAVE_AGAIN_WITHIN_MS = 1_000;
/** A new call waits no longer for the registry. */
export const CLAIM_NEW_MS = 150;
export const RECORD_TTL_MS = 3_600_000;
/** Late comers learn for so long that the call ended. */
export const TOMBSTONE_TTL_MS = 600_000;
/** So long a node that is gone is known, that its calls are found: as long as their records live. */
export const NODE_FORGOTTEN_MS = RECORD_TTL_MS;
