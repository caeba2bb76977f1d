import type { AtMs } from '../../src/base/clock.ts';
import type { Ear } from './ear.ts';
import type { LineBreaks } from './line-break.ts';

export type CallerKind = 'native' | 'twilio';

/** How one caller shall call. */
export interface CallerWish {
  /** Where it calls; for a provider, the streams of its document, one after the other. */
  readonly urls: readonly string[];
  /** Before it comes back it waits for something between 0 and this, so that not all come at once. */
  readonly jitterMs: number;
  /** Dice in [0, 1). */
  readonly ratio: () => number;
  /** Its own name for the call, where its protocol has one. */
  readonly name: string;
}

/** Somebody who talks on whatever line there is, and knows each of its frames when it hears it again. */
export interface FailoverCaller {
  readonly kind: CallerKind;
  readonly ear: Ear;
  readonly breaks: LineBreaks;
  /** Where the server says it. */
  readonly callId: string | null;
  /** The provider's own name for the call. */
  readonly callSid: string | null;
  /** It hung up, was told that its call is gone, or gave up. */
  readonly isOver: boolean;
  dial(): Promise<void>;
  /** One frame, with the next number, whether there is a line or not. */
  speak(nowMs: AtMs): void;
  press(digit: string): void;
  hangUp(): void;
  destroy(): void;
}
