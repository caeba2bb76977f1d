import type { AtMs } from '../../base/clock.ts';
import { arrange, type Situation } from '../arrangement.ts';
import { BuiltInParty, LostLine } from '../parties/party.ts';
import type { Member, Roster, Seat } from '../parties/roster.ts';
import type { FrameSource } from '../sounds/frame-source.ts';
import type { Channel } from './channel.ts';
import type { Voice } from './ear.ts';

/** Whether the caller waits, and what it hears meanwhile. */
export type Hold =
  | { readonly name: 'off' }
  | {
      readonly name: 'on';
      readonly source: 'music' | 'silence' | 'agent_keeps_talking';
      readonly startedAtMs: AtMs;
    };

/** What somebody decided about who talks with whom; the rest follows from who is here. */
export interface Decisions {
  /** Who has the caller, beyond the agent that would have it anyway. */
  readonly partnerId: string | null;
  /** Who talks with the partner while the caller waits. */
  readonly consultedId: string | null;
  readonly hold: Hold;
}

const UNDECIDED: Decisions = { partnerId: null, consultedId: null, hold: { name: 'off' } };
const HOLD_MUSIC = 'hold_music';
const NOBODY: readonly Channel[] = [];

/**
 * Who hears whom. The arrangement is made anew from the decisions and from who is here, and replaced whole:
 * a change falls between two frames, and nobody ever hears two of them.
 */
export class Conversation {
  readonly #roster: Roster;
  readonly #holdMusic: (sampleRateHz: number) => FrameSource;
  #decisions = UNDECIDED;

  constructor(roster: Roster, holdMusic: (sampleRateHz: number) => FrameSource) {
    this.#roster = roster;
    this.#holdMusic = holdMusic;
  }

  get decisions(): Decisions {
    return this.#decisions;
  }

  /** Who has the caller: a supervisor who took over, whom it was given to, or the first agent here. */
  get partner(): Member | undefined {
    const { present } = this.#roster;
    const takeover = present.findLast(({ supervision }) => supervision === 'takeover');
    if (takeover !== undefined) return takeover;
    const { partnerId } = this.#decisions;
    const decided = partnerId === null ? undefined : this.#roster.find(partnerId);
    const seated = (seat: Seat): Member | undefined =>
      present.find((member) => canHaveCaller(member) && member.seat === seat);
    return decided ?? seated('partner') ?? seated('guest');
  }

  /** Decides something, and lets everybody hear it. */
  decide(change: Partial<Decisions>, nowMs: AtMs): void {
    this.#decisions = { ...this.#decisions, ...change };
    this.rearrange(nowMs);
  }

  /** Decisions of a call's former owner: heard as soon as somebody is back. */
  restore(decisions: Decisions): void {
    this.#decisions = decisions;
  }

  /** Somebody came, left, was muted or turned down, or took another seat. */
  rearrange(nowMs: AtMs): void {
    const heard = arrange(this.#situation());
    const ways = new Map<Member, Channel[]>();
    for (const listener of this.#roster.present) {
      const speakers = (heard.get(listener.party.id) ?? [])
        .flatMap((id) => this.#roster.find(id) ?? [])
        .filter(({ party }) => !(party instanceof LostLine));
      for (const { speaker, channel } of this.#listen(listener, speakers, nowMs)) {
        const channels = ways.get(speaker) ?? [];
        ways.set(speaker, channels);
        // Software of the house answers in the turn it hears: whoever listens as well hears the caller first.
        channels.push(channel);
      }
    }
    for (const member of this.#roster.all) member.channels = ways.get(member) ?? NOBODY;
    this.#playHoldMusic();
  }

  /** One frame of a party goes to everybody who hears it. */
  speak(speaker: Member, frame: Int16Array, nowMs: AtMs): void {
    const { channels } = speaker;
    for (let i = 0; i < channels.length; i++) channels[i]!.hear(frame, nowMs);
  }

  /** The one listener whose hearing counts for a speaker's marks: the caller, or else the first. */
  mainChannelOf(speaker: Member): Channel | undefined {
    const callerId = this.#roster.caller?.party.id;
    return speaker.channels.find(({ listenerId }) => listenerId === callerId) ?? speaker.channels[0];
  }

  /** Whoever `listenerId` hears now. */
  speakersOf(listenerId: string): readonly Member[] {
    return this.#roster.present.filter(({ channels }) =>
      channels.some((channel) => channel.listenerId === listenerId),
    );
  }

  #listen(
    listener: Member,
    speakers: readonly Member[],
    nowMs: AtMs,
  ): readonly { readonly speaker: Member; readonly channel: Channel }[] {
    const { party, ear } = listener;
    if (party instanceof BuiltInParty) {
      const caller = speakers.find((speaker) => speaker.party.role === 'caller');
      return caller === undefined ? [] : [{ speaker: caller, channel: new BuiltInChannel(party) }];
    }
    if (ear === undefined) return [];
    const voices = speakers.map((speaker): Voice => ({
      party: speaker.party,
      gainRatio: speaker.gainRatio * (speaker.gains?.get(party.id) ?? 1),
    }));
    const isParked = party.role === 'caller' && this.#decisions.hold.name === 'on';
    ear.listen(voices, { isParked, isPaused: listener.isPaused }, nowMs);
    return speakers.flatMap((speaker) => {
      const channel = ear.channelFrom(speaker.party.id);
      return channel === undefined ? [] : [{ speaker, channel }];
    });
  }

  #playHoldMusic(): void {
    const ear = this.#roster.caller?.ear;
    if (ear === undefined) return;
    const { hold } = this.#decisions;
    const isWanted = hold.name === 'on' && hold.source === 'music';
    if (!isWanted) ear.stop((id) => id === HOLD_MUSIC);
    else if (!ear.isPlaying(HOLD_MUSIC)) {
      const source = this.#holdMusic(ear.leg.sampleRateHz);
      ear.play({ id: HOLD_MUSIC, source, gainRatio: 1, onFinished: () => {} });
    }
  }

  #situation(): Situation {
    const { present } = this.#roster;
    const { consultedId, hold } = this.#decisions;
    return {
      parties: present.map(({ party: { id, role }, isMuted, supervision }) => ({
        id,
        role,
        isMuted,
        supervision,
      })),
      partnerId: this.partner?.party.id ?? null,
      guestIds: present.filter((member) => this.#isGuest(member)).map(({ party }) => party.id),
      consultedId,
      isOnHold: hold.name === 'on',
      hearsPartnerOnHold: hold.name === 'on' && hold.source === 'agent_keeps_talking',
    };
  }

  #isGuest(member: Member): boolean {
    return canHaveCaller(member) && member.seat === 'guest';
  }
}

function canHaveCaller({ party }: Member): boolean {
  return party.role === 'agent' || party.role === 'human';
}

class BuiltInChannel implements Channel {
  readonly waitingFrames = 0;
  readonly isPaused = false;
  readonly #party: BuiltInParty;

  constructor(party: BuiltInParty) {
    this.#party = party;
  }

  get listenerId(): string {
    return this.#party.id;
  }

  hear(frame: Int16Array, nowMs: AtMs): void {
    this.#party.hear(frame, nowMs);
  }

  onVoice(): void {
    // It hears everything, spoken or not.
  }

  mark(): boolean {
    return false;
  }

  clear(): void {
    // Nothing waits for it.
  }
}
