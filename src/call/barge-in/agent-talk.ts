import type { Cancel } from '../../base/clock.ts';
import type { Conversation } from '../hearing/conversation.ts';
import type { Channel } from '../hearing/channel.ts';
import { LegParty } from '../parties/party.ts';
import type { Member, Roster } from '../parties/roster.ts';
import { SpokenItems, type HeardItem } from './spoken-items.ts';
import { UNINTERRUPTED, type Interruption } from './interruption.ts';

/** What an agent says to its main listener: the caller, or whoever has it instead. */
export class AgentTalk {
  readonly agent: Member;
  readonly items = new SpokenItems();
  interruption: Interruption = UNINTERRUPTED;
  /** Of the time an interruption may take to turn out as one. */
  cancelTimer: Cancel | undefined;
  listener: Member | undefined;
  #channels: readonly Channel[] | undefined;
  #channel: Channel | undefined;
  #refusedFrames = 0;

  constructor(agent: Member) {
    this.agent = agent;
  }

  /** Frames said and not heard yet, whole messages that are being made included. */
  get waitingFrames(): number {
    const waiting = this.#channel?.waitingFrames ?? 0;
    const { party } = this.listener ?? {};
    return waiting > 0 && party instanceof LegParty ? waiting + party.leg.egress.collectedFrames : waiting;
  }

  /** Whether words of it are heard: those that were paused by a command nobody can speak over. */
  get isHeard(): boolean {
    return this.#channel?.isPaused === false && this.waitingFrames > 0;
  }

  /** Whom it speaks to, where that has changed. Per frame: while nothing has, nothing is made. */
  follow(conversation: Conversation, roster: Roster): void {
    if (this.#channels === this.agent.channels) return;
    this.#channels = this.agent.channels;
    this.#channel = conversation.mainChannelOf(this.agent);
    this.listener = this.#channel === undefined ? undefined : roster.find(this.#channel.listenerId);
    this.#refusedFrames = this.#refusedOfListener();
  }

  /** It has said one frame, and the listener has taken it or had no room for it. */
  said(): void {
    if (this.#channel === undefined) return;
    const refusedFrames = this.#refusedOfListener();
    if (refusedFrames > this.#refusedFrames) this.#refusedFrames = refusedFrames;
    else this.items.said(this.#channel.waitingFrames);
  }

  heard(): HeardItem {
    return this.items.heard(this.waitingFrames);
  }

  /** While it is parked it waits anyway, and is nobody's to pause. */
  pause(isPaused: boolean): void {
    const channel = this.listener?.ear?.channelFrom(this.agent.party.id);
    if (isPaused) channel?.pause('interrupted');
    else channel?.resume('interrupted');
  }

  stopTimer(): void {
    this.cancelTimer?.();
    this.cancelTimer = undefined;
  }

  #refusedOfListener(): number {
    const { party, ear } = this.listener ?? {};
    if (!(party instanceof LegParty)) return 0;
    return (
      party.leg.playout.stats.refusedFrames + (ear?.channelFrom(this.agent.party.id)?.refusedFrames ?? 0)
    );
  }
}
