import type { Cancel, Clock } from '../../base/clock.ts';
import { isObject } from '../../base/json.ts';
import { TAIL, signal, type RelayWay } from '../../gateway/relay/relay-frames.ts';
import { WaitingMessages } from '../../gateway/waiting-messages.ts';

/** An old socket stays open for so long: its client has resumed elsewhere by then, or comes back anyway. */
export const TAIL_MS = 2_000;
/** The new socket's sound waits no longer for the end of the old one's. */
const HOLD_MS = 500;
/** Tails that may be on their way from one peer. */
const TAILS_MAX = 1_024;

type Hear = (message: Buffer, isBinary: boolean) => void;

interface Outgoing {
  readonly way: RelayWay;
  readonly handle: number;
}

/** What is on its way from an old socket, at the node to which its call has gone. */
interface Incoming {
  legId: string | undefined;
  readonly waiting: WaitingMessages;
  hear: Hear | undefined;
  isOver: boolean;
  onOver: () => void;
  /** Nothing is remembered of it any more. */
  forget: () => void;
}

/** The rest of an old socket, as the leg on its new socket hears it. */
export interface Tail {
  /** Hears what has come, and from now on what comes; `onOver` once, when nothing more will. */
  hear(hear: Hear, onOver: () => void): void;
}

/**
 * The last words of legs whose call was given to another node while they still spoke here: carried there, and
 * heard before anything of their new sockets, so that nothing is lost, doubled or out of order.
 */
export class Tails {
  readonly counts = { carried: 0, heard: 0, dropped: 0, refused: 0, cutShort: 0, waitingDropped: 0 };
  readonly #clock: Pick<Clock, 'after'>;
  readonly #outgoing = new Map<string, Outgoing>();
  readonly #incoming = new Map<RelayWay, Map<number, Incoming>>();
  readonly #ofLeg = new Map<string, Incoming>();
  /** From an old socket here to a new one here. */
  readonly #here: RelayWay = {
    bufferedBytes: 0,
    carry: (type, handle, payload) => {
      this.carried(type, handle, Buffer.from(payload.buffer, payload.byteOffset, payload.length), this.#here);
      return true;
    },
  };
  #lastHandle = 0;

  constructor(clock: Pick<Clock, 'after'>) {
    this.#clock = clock;
  }

  /** Old sockets that may still say something. */
  get leaving(): number {
    return this.#outgoing.size;
  }

  /** From now on these legs speak to whoever is at the other end of `way`; their handles, by leg. */
  give(legIds: readonly string[], way: RelayWay): { readonly [legId: string]: number } {
    const handles: { [legId: string]: number } = {};
    for (const legId of legIds) {
      const handle = ++this.#lastHandle;
      handles[legId] = handle;
      const outgoing = { way, handle };
      this.#outgoing.set(legId, outgoing);
      // A socket that never says its end is not waited for.
      this.#clock.after(2 * TAIL_MS, () => {
        if (this.#outgoing.get(legId) === outgoing) this.#outgoing.delete(legId);
      });
    }
    return handles;
  }

  /** The leg is back at this very node: what its old socket still says is heard before the new one. */
  turn(legId: string): void {
    this.expect(this.give([legId], this.#here), this.#here);
  }

  /** One message of the old socket; false where its leg was not given away. */
  carry(legId: string, message: Uint8Array, isBinary: boolean): boolean {
    const outgoing = this.#outgoing.get(legId);
    if (outgoing === undefined) return false;
    const type = isBinary ? TAIL.binary : TAIL.text;
    if (outgoing.way.carry(type, outgoing.handle, message)) this.counts.carried++;
    else this.counts.dropped++;
    return true;
  }

  /** The old socket is closed. */
  end(legId: string): void {
    const outgoing = this.#outgoing.get(legId);
    if (outgoing === undefined) return;
    this.#outgoing.delete(legId);
    signal(outgoing.way, TAIL.end, outgoing.handle);
  }

  /** A call was given to this node: its legs' last words come over `way`, some before this was said. */
  expect(handles: unknown, way: RelayWay): void {
    if (!isObject(handles)) return;
    for (const [legId, handle] of Object.entries(handles)) {
      const incoming = typeof handle === 'number' ? this.#openOf(way, handle) : undefined;
      if (incoming === undefined) continue;
      incoming.legId = legId;
      this.#ofLeg.set(legId, incoming);
    }
  }

  /** A frame of a peer's tail. The payload is the link's again when this returns. */
  carried(type: number, handle: number, payload: Buffer, way: RelayWay): void {
    const incoming = this.#openOf(way, handle);
    if (incoming === undefined) return;
    if (type === TAIL.end) return this.#finish(incoming);
    this.counts.heard++;
    if (incoming.hear === undefined) incoming.waiting.keep(payload, type === TAIL.binary);
    else incoming.hear(payload, type === TAIL.binary);
  }

  /** The link is gone: nothing more comes of it, nor goes over it. */
  ended(way: RelayWay): void {
    for (const incoming of this.#incoming.get(way)?.values() ?? []) this.#finish(incoming);
    for (const [legId, outgoing] of this.#outgoing) if (outgoing.way === way) this.#outgoing.delete(legId);
  }

  /** The tail of a leg that is back on a new socket here; undefined where there is none. */
  of(legId: string): Tail | undefined {
    const incoming = this.#ofLeg.get(legId);
    if (incoming === undefined) return undefined;
    this.#ofLeg.delete(legId);
    return { hear: (hear, onOver) => this.#join(incoming, hear, onOver) };
  }

  #join(incoming: Incoming, hear: Hear, onOver: () => void): void {
    incoming.waiting.hearAll(hear);
    if (incoming.isOver) {
      incoming.forget();
      return onOver();
    }
    incoming.hear = hear;
    const cancel = this.#clock.after(HOLD_MS, () => {
      this.counts.cutShort++;
      incoming.onOver();
    });
    incoming.onOver = () => {
      cancel();
      incoming.hear = () => void this.counts.dropped++;
      incoming.onOver = () => {};
      onOver();
    };
  }

  #openOf(way: RelayWay, handle: number): Incoming | undefined {
    const ofWay = this.#incoming.get(way) ?? new Map<number, Incoming>();
    this.#incoming.set(way, ofWay);
    const known = ofWay.get(handle);
    if (known !== undefined) return known;
    if (ofWay.size >= TAILS_MAX) {
      this.counts.refused++;
      return undefined;
    }
    const incoming: Incoming = {
      legId: undefined,
      waiting: new WaitingMessages(this.counts),
      hear: undefined,
      isOver: false,
      onOver: () => {},
      forget: () => {
        cancel();
        ofWay.delete(handle);
        if (ofWay.size === 0 && this.#incoming.get(way) === ofWay) this.#incoming.delete(way);
        const { legId } = incoming;
        if (legId !== undefined && this.#ofLeg.get(legId) === incoming) this.#ofLeg.delete(legId);
      },
    };
    // Nobody came for it, or it never ended.
    const cancel: Cancel = this.#clock.after(2 * TAIL_MS, () => {
      this.#finish(incoming);
      incoming.forget();
    });
    ofWay.set(handle, incoming);
    return incoming;
  }

  /** What nobody has heard yet waits for its leg. */
  #finish(incoming: Incoming): void {
    incoming.isOver = true;
    if (incoming.hear !== undefined) incoming.forget();
    incoming.onOver();
  }
}
