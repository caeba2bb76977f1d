import type { WireMessage } from '../../../dialect/dialect.ts';

/** Where a call is placed: the whole URL, and what is offered with it. */
export interface MediaTarget {
  readonly url: string;
  readonly subprotocols: readonly string[];
  readonly headers?: { readonly [name: string]: string };
}

/** How a connection came to its end. */
export type WireEnd =
  | { readonly type: 'closed'; readonly code: number; readonly reason: string }
  /** Answered over HTTP instead of with a WebSocket. */
  | { readonly type: 'refused'; readonly status: number; readonly detail: string }
  /** Nobody answered. */
  | { readonly type: 'unreachable'; readonly detail: string };

/** Whom a connection tells. `ended` comes once, and last. */
export interface WireListener {
  opened(): void;
  heard(message: Uint8Array, isBinary: boolean): void;
  ended(end: WireEnd): void;
}

/** A caller's end of a media connection. */
export interface Wire {
  readonly bufferedBytes: number;
  send(message: WireMessage): void;
  close(): void;
  /** Ends it without waiting for the other side. */
  cut(): void;
}

/** Opens a connection; what comes of it is told to the listener. */
export type Dial = (target: MediaTarget, listener: WireListener) => Wire;
