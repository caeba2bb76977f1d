import type { AtMs } from '../base/clock.ts';
import type { LegRole } from '../base/roles.ts';
import type { Capabilities } from '../dialect/capabilities.ts';
import type { DialectSession, Inbound, LegStarted } from '../dialect/dialect.ts';
import type { JitterBuffer } from '../media/jitter/jitter-buffer.ts';
import type { VoiceEdges } from '../media/voice/voice-edges.ts';
import type { FrameCounters } from './counters.ts';
import type { EarsSettings } from './hearing/ears.ts';
import type { FrameSink } from './frame-sink.ts';
import type { LegListener } from './leg-listener.ts';
import type { FrameSlots } from './playout.ts';

/** Where a leg asks for the node's tick, and gives it back when it has nothing to pace. */
export interface Pacer {
  add(tickable: { tick(nowMs: AtMs): void }): void;
  remove(tickable: { tick(nowMs: AtMs): void }): void;
}

/**
 * What is mixed over a leg's own queue, once a tick. `frame` holds the queue's next frame, or silence where
 * `isQueued` is false; false when nothing was to be heard of the others.
 */
export interface Overlay {
  mixInto(frame: Int16Array, isQueued: boolean): boolean;
}

/** What a leg is made of. */
export interface LegOptions {
  readonly id: string;
  readonly role: LegRole;
  readonly dialectName: string;
  readonly capabilities: Capabilities;
  readonly started: LegStarted;
  readonly session: DialectSession;
  readonly sink: FrameSink;
  /** The node's one scratch for audio on its way in. */
  readonly inbound: Inbound;
  readonly slots: FrameSlots;
  readonly jitter: JitterBuffer;
  readonly edges: VoiceEdges;
  readonly counters: FrameCounters;
  readonly pacer: Pacer;
  readonly listener: LegListener;
  /** What is listened for besides voices. */
  readonly hearing?: EarsSettings;
  /** Gives the jitter buffer its clock: called once, when the wire has shown that it loses packets. */
  readonly bufferFromNow?: () => void;
  readonly nowMs: AtMs;
  /** Told once, when the leg has ended for good. */
  readonly onEnded: () => void;
}
