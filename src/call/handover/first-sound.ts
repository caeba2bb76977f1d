import type { Cancel } from '../../base/clock.ts';
import type { CallDesk } from '../call-desk.ts';
import { LegChannel } from '../hearing/channel.ts';
import { LegParty } from '../parties/party.ts';
import type { Member } from '../parties/roster.ts';

/** A frame that waits to be mixed leaves within a few ticks: it is looked for until then. */
const LOOK_EVERY_MS = 5;
const LOOKS_MAX = 40;

/** Watches for the first frame of a target that really went out to the caller. */
export class FirstSound {
  readonly #desk: CallDesk;
  readonly #onHeard: () => void;
  #sentBefore: number;
  #looks = 0;
  #cancel: Cancel | undefined;

  /** Begins at the switch, before the target has said anything to the caller. */
  constructor(desk: CallDesk, onHeard: () => void) {
    this.#desk = desk;
    this.#onHeard = onHeard;
    this.#sentBefore = this.#sentFrames;
  }

  /** A frame of the target was given to whoever hears it. */
  spoken(target: Member): void {
    if (this.#isOut(target)) return this.#onHeard();
    if (this.#cancel !== undefined) return;
    this.#looks = 0;
    this.#lookLater(target);
  }

  /** The caller is on another line: what went out on the one before says nothing. */
  lineChanged(): void {
    this.#sentBefore = this.#sentFrames;
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #lookLater(target: Member): void {
    this.#cancel = this.#desk.clock.after(LOOK_EVERY_MS, () => {
      this.#cancel = undefined;
      if (this.#isOut(target)) this.#onHeard();
      else if (++this.#looks < LOOKS_MAX) this.#lookLater(target);
    });
  }

  #isOut(target: Member): boolean {
    const callerId = this.#desk.roster.caller?.party.id;
    const channel = target.channels.find(({ listenerId }) => listenerId === callerId);
    // Muted, or on hold: what is sent meanwhile is not the target's.
    if (!(channel instanceof LegChannel)) {
      this.#sentBefore = this.#sentFrames;
      return false;
    }
    return this.#sentFrames > this.#sentBefore && !this.#isWaiting(channel);
  }

  #isWaiting(channel: LegChannel): boolean {
    if (channel.way === 'ring') return channel.hasFrame;
    const playout = this.#callerLeg?.playout;
    // What was queued for the caller was dropped at the switch: what was played since is the target's.
    return playout !== undefined && playout.waitingFrames > 0 && playout.playedOfSpeechFrames === 0;
  }

  get #sentFrames(): number {
    return this.#callerLeg?.egress.stats.sentFrames ?? 0;
  }

  get #callerLeg() {
    const party = this.#desk.roster.caller?.party;
    return party instanceof LegParty ? party.leg : undefined;
  }
}
