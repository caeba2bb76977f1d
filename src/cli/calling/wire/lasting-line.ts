import { randomRatio, type AtMs, type Cancel, type Clock } from '../../../base/clock.ts';
import type { DialectCaller, ResumeOffer } from '../../../dialect/caller.ts';
import type { Inbound, WireMessage } from '../../../dialect/dialect.ts';
import type { Dial, MediaTarget, Wire, WireEnd, WireListener } from './media-wire.ts';

/** Callers that lost the same node do not come back in one moment. */
const FIRST_WITHIN_MS = 100;
const PAUSE_MS_MIN = 250;
const PAUSE_MS_MAX = 5_000;
/** After that nobody waits for the leg any more. */
const GIVE_UP_MS = 60_000;
const URLS_TRIED = 2;
/** A line that opened, and does not say `resumed`. */
const RESUMED_WITHIN_MS = 5_000;
/** The last words of the line that was left are heard before those of the new one. */
const HOLD_MS = 250;
const HELD_MAX = 50;
/** Ends after which nothing is left to come back to (docs/protocol.md). */
const FINAL_CODES: readonly number[] = [1000, 1003, 1009, 4400, 4401, 4404, 4409, 4411, 4429];

export interface LastingLineOptions {
  readonly clock: Pick<Clock, 'nowMs' | 'after' | 'randomBytes'>;
  readonly dial: Dial;
  readonly target: MediaTarget;
  readonly caller: Pick<DialectCaller, 'comeBack' | 'read' | 'subprotocols'>;
  readonly inbound: Inbound;
  readonly listener: WireListener;
}

/** The line that is tried: in the place of one that is still there, or of one that is lost. */
interface Next {
  readonly wire: Wire;
  readonly cancel: Cancel;
}

type LineState =
  | { readonly name: 'connected' }
  /** The line broke, and is to be opened again. */
  | { readonly name: 'away'; readonly sinceAtMs: AtMs; readonly end: WireEnd }
  | { readonly name: 'over' };

/**
 * A caller's line that follows its call: to another node when it is told to go, before it leaves the one it
 * has, and back when its connection broke. To its caller it is one line.
 */
export class LastingLine implements Wire {
  /** `heldOver`: messages of a new line that came while more than fifty waited for the old one's end. */
  readonly stats = { moves: 0, failedMoves: 0, comebacks: 0, attempts: 0, heldOver: 0, unsentMessages: 0 };
  readonly #options: LastingLineOptions;
  #wire: Wire;
  #next: Next | undefined;
  #offer: ResumeOffer | undefined;
  #state: LineState = { name: 'connected' };
  #isLeaving = false;
  #held: { readonly message: Uint8Array; readonly isBinary: boolean }[] | undefined;
  #cancelHold: Cancel = () => undefined;
  #cancelWait: Cancel = () => undefined;

  constructor(options: LastingLineOptions) {
    const { dial, target, listener } = options;
    this.#options = options;
    const first: Wire = dial(target, {
      opened: () => listener.opened(),
      heard: (message, isBinary) => listener.heard(message, isBinary),
      ended: (end) => this.#ended(first, end),
    });
    this.#wire = first;
  }

  get bufferedBytes(): number {
    return this.#state.name === 'connected' ? this.#wire.bufferedBytes : 0;
  }

  /** How to come back, as the server said it last. */
  offered(offer: ResumeOffer): void {
    this.#offer = offer;
  }

  /** The server wants this line elsewhere: it is spoken on until the new one is in its place. */
  move(url: string, token: string): void {
    if (this.#isLeaving || this.#next !== undefined || this.#state.name !== 'connected') return;
    this.#open(url, token, () => {
      this.stats.failedMoves++;
      if (this.#state.name === 'away') this.#tryIn(this.#jitterMs(), 0);
    });
  }

  send(message: WireMessage): void {
    if (this.#state.name === 'connected') this.#wire.send(message);
    else this.stats.unsentMessages++;
  }

  close(): void {
    this.#leave();
    this.#wire.close();
  }

  cut(): void {
    this.#leave();
    this.#wire.cut();
  }

  #leave(): void {
    this.#isLeaving = true;
    this.#cancelWait();
    this.#next?.cancel();
    this.#next?.wire.cut();
    this.#next = undefined;
    if (this.#state.name === 'away') this.#end(this.#state.end);
  }

  #end(end: WireEnd): void {
    if (this.#state.name === 'over') return;
    this.#state = { name: 'over' };
    this.#cancelHold();
    this.#options.listener.ended(end);
  }

  #ended(wire: Wire, end: WireEnd): void {
    if (this.#wire === wire) this.#lost(end);
    else this.#release();
  }

  #jitterMs(): number {
    return randomRatio(this.#options.clock) * FIRST_WITHIN_MS;
  }

  #lost(end: WireEnd): void {
    const isFinal = end.type !== 'closed' || FINAL_CODES.includes(end.code);
    if (isFinal || this.#isLeaving || (this.#offer?.windowMs ?? 0) === 0) return this.#end(end);
    const { clock } = this.#options;
    this.#state = { name: 'away', sinceAtMs: clock.nowMs(), end };
    // A move that is under way may be the way back.
    if (this.#next === undefined) this.#tryIn(this.#jitterMs(), 0);
  }

  #tryIn(delayMs: number, attempt: number): void {
    this.#cancelWait = this.#options.clock.after(delayMs, () => this.#try(attempt));
  }

  #try(attempt: number): void {
    const { clock } = this.#options;
    const offer = this.#offer;
    if (this.#state.name !== 'away' || offer === undefined) return;
    const { sinceAtMs, end } = this.#state;
    const urls = offer.urls.slice(0, URLS_TRIED);
    const url = urls[attempt % urls.length];
    if (url === undefined || clock.nowMs() - sinceAtMs > GIVE_UP_MS) return this.#end(end);
    this.stats.attempts++;
    this.#open(url, offer.token, (failed) => {
      // Its call is over: nobody will have it again.
      if (failed?.type === 'refused' && failed.status === 404) return this.#end(end);
      if (failed?.type === 'closed' && FINAL_CODES.includes(failed.code)) return this.#end(end);
      this.#tryIn(Math.min(PAUSE_MS_MAX, PAUSE_MS_MIN * 2 ** Math.min(attempt, 16)), attempt + 1);
    });
  }

  /** Opens another line and resumes there; `onFailed` where it does not come to that. */
  #open(url: string, token: string, onFailed: (end: WireEnd | undefined) => void): void {
    const { clock, dial, target, caller } = this.#options;
    const words = caller.comeBack?.(token) ?? [];
    let hasResumed = false;
    const fail = (end: WireEnd | undefined): void => {
      if (this.#next?.wire !== wire || hasResumed) return;
      cancel();
      this.#next = undefined;
      wire.cut();
      onFailed(end);
    };
    const wire: Wire = dial(
      { ...target, url, subprotocols: [...caller.subprotocols, token] },
      {
        opened: () => {
          for (const message of words) wire.send(message);
        },
        heard: (message, isBinary) => {
          if (!hasResumed && this.#next?.wire === wire && this.#isResumed(message, isBinary)) {
            hasResumed = true;
            cancel();
            this.#changeTo(wire);
          }
          if (hasResumed) this.#hear(wire, message, isBinary);
        },
        ended: (end) => {
          if (hasResumed) this.#ended(wire, end);
          else fail(end);
        },
      },
    );
    const cancel = clock.after(RESUMED_WITHIN_MS, () => fail(undefined));
    this.#next = { wire, cancel };
  }

  #isResumed(message: Uint8Array, isBinary: boolean): boolean {
    const { caller, inbound } = this.#options;
    return !isBinary && caller.read(message, isBinary, inbound).type === 'ready';
  }

  #changeTo(wire: Wire): void {
    const old = this.#wire;
    const wasConnected = this.#state.name === 'connected';
    this.#next = undefined;
    this.#wire = wire;
    this.#state = { name: 'connected' };
    if (!wasConnected) {
      this.stats.comebacks++;
      return;
    }
    this.stats.moves++;
    this.#held = [];
    this.#cancelHold = this.#options.clock.after(HOLD_MS, () => this.#release());
    old.close();
  }

  #hear(wire: Wire, message: Uint8Array, isBinary: boolean): void {
    if (this.#held === undefined || wire !== this.#wire)
      return this.#options.listener.heard(message, isBinary);
    if (this.#held.length < HELD_MAX) this.#held.push({ message: Uint8Array.from(message), isBinary });
    else this.stats.heldOver++;
  }

  #release(): void {
    this.#cancelHold();
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const { message, isBinary } of held) this.#options.listener.heard(message, isBinary);
  }
}
