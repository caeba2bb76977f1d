import { randomRatio, type AtMs, type Cancel } from '../../base/clock.ts';
import type { PeerKeys } from './peer-key.ts';
import { PeerLink, type PeerClosed, type PeerHouse, type PeerState } from './peer-link.ts';
import { dialPeer, type PeerAddress } from './peer-sockets.ts';

/** A link that held for so long may have broken alone: whether its node is there is wanted at once. */
const HELD_MS = 1_000;
const REDIAL_HELD_MS = 5;
const REDIAL_MS_MIN = 50;
const REDIAL_MS_MAX = 2_000;
const DIAL_MS = 2_000;

type DialState =
  | { readonly name: 'dialling'; readonly giveUp: () => void; readonly cancel: Cancel }
  | { readonly name: 'linked'; readonly link: PeerLink }
  | { readonly name: 'waiting'; readonly why: PeerClosed; readonly cancel: Cancel }
  | { readonly name: 'given_up' };

export interface PeerDialOptions {
  readonly house: PeerHouse;
  readonly keys: PeerKeys;
  /** Another incarnation under the same address is not the peer that was meant. */
  readonly incarnation: string;
  readonly address: PeerAddress;
}

/** Keeps a link to one incarnation: dials, and dials again with backoff, until it is given up. */
export class PeerDial {
  readonly #options: PeerDialOptions;
  readonly #house: PeerHouse;
  #failedDials = 0;
  /** The present link's; undefined before it is greeted. */
  #openedAtMs: AtMs | undefined;
  #state: DialState;

  constructor(options: PeerDialOptions) {
    this.#options = options;
    const { house } = options;
    const changed = (state: PeerState, link: PeerLink): void => this.#onChanged(state, link);
    this.#house = { ...house, handlers: handlersWith(house, changed) };
    this.#state = { name: 'given_up' };
    this.#dial();
  }

  /** The link, where there is one that has been greeted. */
  get link(): PeerLink | undefined {
    if (this.#state.name !== 'linked') return undefined;
    return this.#state.link.state.name === 'greeting' ? undefined : this.#state.link;
  }

  /** How the peer answers. Between two dials it is what became of the last one. */
  get state(): PeerState {
    if (this.#state.name === 'linked') return this.#state.link.state;
    if (this.#state.name === 'waiting') return { name: 'closed', why: this.#state.why };
    return this.#state.name === 'dialling' ? { name: 'greeting' } : { name: 'closed', why: 'reset' };
  }

  giveUp(): void {
    const state = this.#state;
    this.#state = { name: 'given_up' };
    if (state.name === 'linked') state.link.close();
    if (state.name === 'dialling') state.giveUp();
    if (state.name === 'dialling' || state.name === 'waiting') state.cancel();
  }

  #dial(): void {
    const { address, keys } = this.#options;
    const giveUp = dialPeer(address, keys, {
      connected: (socket) => {
        this.#stopTimer();
        this.#state = { name: 'linked', link: new PeerLink(socket, this.#house) };
      },
      failed: (why) => this.#failed(why),
    });
    const cancel = this.#house.clock.after(DIAL_MS, () => {
      giveUp();
      this.#failed('timeout');
    });
    this.#state = { name: 'dialling', giveUp, cancel };
  }

  #failed(why: PeerClosed): void {
    if (this.#state.name === 'given_up') return;
    this.#stopTimer();
    this.#house.counts.failedDials++;
    this.#failedDials++;
    this.#waitFor(why);
  }

  #opened(): void {
    this.#failedDials = 0;
    this.#openedAtMs ??= this.#house.clock.nowMs();
  }

  #broke(why: PeerClosed): void {
    const openedAtMs = this.#openedAtMs;
    this.#openedAtMs = undefined;
    const heldMs = openedAtMs === undefined ? 0 : this.#house.clock.nowMs() - openedAtMs;
    if (heldMs < HELD_MS) return this.#failed(why);
    this.#waitFor(why);
  }

  #waitFor(why: PeerClosed): void {
    const { clock } = this.#house;
    const backoffMs = REDIAL_MS_MIN * 2 ** Math.min(this.#failedDials, 16);
    const delayMs = this.#failedDials === 0 ? REDIAL_HELD_MS : Math.min(REDIAL_MS_MAX, backoffMs);
    // Nodes that lost the same peer do not come back to it in one moment.
    const cancel = clock.after(delayMs * (0.5 + randomRatio(clock) / 2), () => this.#dial());
    this.#state = { name: 'waiting', why, cancel };
  }

  #stopTimer(): void {
    if (this.#state.name === 'dialling') this.#state.cancel();
  }

  #onChanged(state: PeerState, link: PeerLink): void {
    if (state.name === 'open' && state.peer !== this.#options.incarnation) return link.close('refused');
    if (state.name === 'open') this.#opened();
    if (state.name === 'closed' && this.#state.name === 'linked') this.#broke(state.why);
    this.#options.house.handlers.changed(state, link);
  }
}

function handlersWith(
  { handlers }: PeerHouse,
  changed: PeerHouse['handlers']['changed'],
): PeerHouse['handlers'] {
  return {
    answer: (question, from) => handlers.answer(question, from),
    status: (status, from) => handlers.status(status, from),
    carried: (type, handle, payload, from) => handlers.carried(type, handle, payload, from),
    changed,
    reportFailure: (error, where) => handlers.reportFailure(error, where),
  };
}
