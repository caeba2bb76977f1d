import type { AtMs } from '../../base/clock.ts';
import { invariant } from '../../base/errors.ts';
import { frameSamples } from '../../base/units.ts';
import type { Leg } from '../../leg/leg.ts';
import type { Overlay } from '../../leg/leg-options.ts';
import type { Cleared, PlayedMark } from '../../leg/playout.ts';
import { Mixer } from '../../media/mixer/mixer.ts';
import type { CallCounts } from '../call-counts.ts';
import type { Party } from '../parties/party.ts';
import type { FrameSource } from '../sounds/frame-source.ts';
import { LegChannel, type Way } from './channel.ts';

/** Somebody who is to be heard, and how loud. */
export interface Voice {
  readonly party: Party;
  readonly gainRatio: number;
}

/** A sound that is played to one listener until it is over, or stopped. */
export interface Playback {
  readonly id: string;
  readonly source: FrameSource;
  readonly gainRatio: number;
  /** Told once, when it has ended by itself. */
  readonly onFinished: (playedFrames: number) => void;
}

/** Sounds that one listener can be played at once. */
export const PLAYBACKS_MAX = 4;
/** Voices one listener can be given: as many as a call has parties. */
const VOICES_MAX = 16;
/** How long a mix waits for the voice that was there before it. */
const PATIENCE_TICKS = 2;
// The place of what is in the leg's own queue and nobody's any more.
const NOBODYS_PLACE = 0;
const PLACES = 1 + VOICES_MAX + PLAYBACKS_MAX;

interface Playing extends Playback {
  readonly place: number;
  playedFrames: number;
  isPaused: boolean;
  hasFinished: boolean;
}

/** What a listener has been played of the words it was said, and of each sound. */
export interface Played {
  readonly playedFrames: number;
  readonly unplayedFrames: number;
  readonly playbacks: readonly { readonly id: string; readonly playedFrames: number }[];
}

/** How a listener stands, beyond whom it hears. */
export interface Listening {
  /** Words of whoever is not heard any more wait until they are again. */
  readonly isParked: boolean;
  /** Words wait until they are asked for again. */
  readonly isPaused: boolean;
}

/**
 * What one leg hears. One voice alone, at its own loudness, goes to the leg directly: in the turn it came,
 * bit for bit. As soon as there is more to hear it is mixed, once a tick, over the leg's own queue.
 */
export class Ear implements Overlay {
  readonly leg: Leg;
  readonly #scratch: Int16Array;
  readonly #silence: Int16Array;
  readonly #freePlaces = Array.from({ length: PLACES - 1 }, (_, index) => PLACES - 1 - index);
  #channels: readonly LegChannel[] = [];
  #playings: Playing[] = [];
  /** Whose words the leg's own queue holds: the first paced voice. */
  #owner: LegChannel | undefined;
  /** The owner's words wait until it is heard again. */
  #isParked = false;
  #mixer: Mixer | undefined;
  #isMixing = false;
  /** The one voice that needs no mix. */
  #heardDirectly: LegChannel | undefined;
  /** Whose next frame the mix may still wait for. */
  #carriedOn: LegChannel | undefined;
  #patienceTicks = 0;
  #areGainsPlain = true;
  #gains: readonly number[] = [];
  readonly #counts: Pick<CallCounts, 'unmixedFrames'>;
  readonly #onMark: (mark: PlayedMark) => void;

  constructor(leg: Leg, counts: Pick<CallCounts, 'unmixedFrames'>, onMark: (mark: PlayedMark) => void) {
    this.leg = leg;
    this.#counts = counts;
    this.#onMark = onMark;
    this.#scratch = new Int16Array(frameSamples(leg.sampleRateHz));
    this.#silence = new Int16Array(frameSamples(leg.sampleRateHz));
  }

  get isMixing(): boolean {
    return this.#isMixing;
  }

  channelFrom(speakerId: string): LegChannel | undefined {
    return this.#channels.find(({ speaker }) => speaker.id === speakerId);
  }

  /**
   * Whom the leg hears from now on. Whoever is no longer heard is forgotten, here and at the provider, but
   * for words that are `parked`: those wait for their speaker to be heard again.
   */
  listen(voices: readonly Voice[], { isParked, isPaused }: Listening, nowMs: AtMs): void {
    const before = this.#channels;
    const known = (id: string): LegChannel | undefined =>
      before.find(({ speaker }) => speaker.id === id) ??
      (this.#owner?.speaker.id === id ? this.#owner : undefined);
    this.#channels = voices.map(
      ({ party }) => known(party.id) ?? new LegChannel(party, this.leg, this.#takePlace(), this.#onMark),
    );
    const gone = before.filter((channel) => !this.#channels.includes(channel));
    this.#keepQueue(gone, isParked, nowMs);
    for (const channel of gone) if (channel !== this.#owner) this.#release(channel);
    this.#choose(voices);
    this.#pauseWords(isPaused);
  }

  /** Plays a sound beside the voices; false when too many are playing. */
  play(playback: Playback): boolean {
    if (!this.hasRoomToPlay) return false;
    const place = this.#takePlace();
    this.#playings.push({ ...playback, place, playedFrames: 0, isPaused: false, hasFinished: false });
    this.#mixerNow().setGain(place, playback.gainRatio);
    this.#settle();
    return true;
  }

  /** Stops the sounds that are named; nothing is said of them. */
  stop(isStopped: (playbackId: string) => boolean): void {
    const stopped = this.#playings.filter(({ id }) => isStopped(id));
    if (stopped.length === 0) return;
    this.#playings = this.#playings.filter((playing) => !stopped.includes(playing));
    for (const { place } of stopped) this.#freePlaces.push(place);
  }

  /** The sounds that are named wait where they are, or go on from there; how far everything has come. */
  pauseSounds(isMeant: (playbackId: string) => boolean, isPaused: boolean): Played {
    const meant = this.#playings.filter(({ id }) => isMeant(id));
    for (const playing of meant) playing.isPaused = isPaused;
    const { playedOfSpeechFrames: playedFrames, waitingFrames: unplayedFrames } = this.leg.playout;
    return { playedFrames, unplayedFrames, playbacks: meant };
  }

  get hasRoomToPlay(): boolean {
    return this.#playings.length < PLAYBACKS_MAX;
  }

  isPlaying(playbackId: string): boolean {
    return this.#playings.some(({ id }) => id === playbackId);
  }

  /** Drops queued words and the sounds that are named; live voices go on without a hole. */
  clear(isStopped: (playbackId: string) => boolean, nowMs: AtMs): Cleared {
    for (const channel of this.#channels) if (channel.speaker.isPaced) this.#forget(channel);
    this.stop(isStopped);
    return this.leg.clear(nowMs);
  }

  mixInto(frame: Int16Array, isQueued: boolean): boolean {
    if (this.#awaitsVoice(isQueued)) return false;
    const mixer = this.#mixerNow();
    mixer.begin();
    if (isQueued) mixer.add(frame, this.#owner?.place ?? NOBODYS_PLACE);
    for (let i = 0; i < this.#channels.length; i++) {
      const channel = this.#channels[i]!;
      if (channel.takeInto(this.#scratch)) mixer.add(this.#scratch, channel.place);
      for (let mark = channel.takeMark(); mark !== undefined; mark = channel.takeMark()) this.#onMark(mark);
    }
    const hasFinished = this.#mixSounds(mixer);
    const isHeard = mixer.takeInto(frame);
    if (hasFinished) this.#finish();
    else if (!this.#needsMix) this.#unmix();
    return isHeard;
  }

  /** The leg has ended: what was lent is given back. */
  close(): void {
    const owner = this.#owner === undefined ? [] : [this.#owner];
    for (const channel of new Set([...this.#channels, ...owner])) this.#drop(channel);
    this.#channels = [];
    this.#playings = [];
    this.#owner = undefined;
    this.leg.setOverlay(undefined);
  }

  #keepQueue(gone: readonly LegChannel[], isParked: boolean, nowMs: AtMs): void {
    const isOwnerGone = this.#owner !== undefined && !this.#channels.includes(this.#owner);
    if (isOwnerGone && isParked) {
      this.#isParked = true;
      // It waits anyway: whether it was interrupted is not waited for besides.
      this.#owner?.resume('interrupted');
      this.leg.playout.pause('parked');
      return;
    }
    if (this.#isParked) this.leg.playout.resume('parked');
    this.#isParked = false;
    if (isOwnerGone) {
      const owner = this.#owner!;
      this.#owner = undefined;
      this.leg.clear(nowMs);
      // The pause was of its words: a live voice never waits in the queue.
      this.leg.playout.resume('asked');
      this.#release(owner);
    } else if (this.#owner === undefined && gone.some(({ way }) => way === 'direct')) {
      // What a live voice left in the queue goes with it; where there is nothing, nothing is said.
      if (this.leg.playout.waitingFrames > 0) this.leg.clear(nowMs);
    }
  }

  /**
   * A live voice that was heard until now comes by the wire's clock, the mix by the node's: its next frame is
   * waited for, or the voice would have a hole where the two meet.
   */
  #awaitsVoice(isQueued: boolean): boolean {
    if (this.#patienceTicks === 0) return false;
    this.#patienceTicks--;
    const voice = this.#carriedOn;
    const isHere = isQueued || voice === undefined || !this.#channels.includes(voice) || voice.hasFrame;
    if (isHere) this.#patienceTicks = 0;
    return !isHere;
  }

  #mixSounds(mixer: Mixer): boolean {
    let hasFinished = false;
    for (let i = 0; i < this.#playings.length; i++) {
      const playing = this.#playings[i]!;
      if (playing.isPaused) continue;
      if (playing.source.nextInto(this.#scratch)) {
        mixer.add(this.#scratch, playing.place);
        playing.playedFrames++;
      } else {
        playing.hasFinished = true;
        hasFinished = true;
      }
    }
    return hasFinished;
  }

  #pauseWords(isPaused: boolean): void {
    const parked = this.#owner === undefined ? [] : [this.#owner];
    for (const channel of [...this.#channels, ...parked]) {
      if (!channel.speaker.isPaced) continue;
      if (isPaused) channel.pause('asked');
      else channel.resume('asked');
    }
  }

  #choose(voices: readonly Voice[]): void {
    this.#owner ??= this.#channels.find(({ speaker }) => speaker.isPaced);
    this.#areGainsPlain = voices.every(({ gainRatio }) => gainRatio === 1);
    this.#gains = voices.map(({ gainRatio }) => gainRatio);
    this.#settle();
  }

  get #needsMix(): boolean {
    if (this.#playings.length > 0 || this.#channels.length > 1 || !this.#areGainsPlain) return true;
    return this.#channels.some((channel) => channel.speaker.isPaced && channel !== this.#owner);
  }

  /** Into the mix at once; out of it only after a tick, in which what has gone was faded out. */
  #settle(): void {
    if (this.#isMixing || this.#needsMix) this.#mix();
    else this.#goDirectly();
  }

  #goDirectly(): void {
    for (const channel of this.#channels) channel.go(this.#wayOf(channel), this.#scratch);
    [this.#heardDirectly] = this.#channels;
  }

  #mix(): void {
    const mixer = this.#mixerNow();
    const isNew = !this.#isMixing;
    this.#isMixing = true;
    if (isNew) mixer.carryOn(NOBODYS_PLACE, this.#silence);
    for (const [index, channel] of this.#channels.entries()) {
      // Who was heard directly until now goes on in the mix without a dip, and turns to its gain smoothly.
      if (isNew && channel === this.#heardDirectly) this.#carryOn(channel, mixer);
      mixer.setGain(channel.place, this.#gains[index]!);
      channel.go(this.#wayOf(channel), this.#scratch);
    }
    this.#heardDirectly = undefined;
    if (isNew) this.leg.setOverlay(this);
  }

  #carryOn(channel: LegChannel, mixer: Mixer): void {
    mixer.carryOn(channel.place, this.#silence);
    this.#carriedOn = channel;
    this.#patienceTicks = channel.way === 'direct' ? PATIENCE_TICKS : 0;
  }

  #unmix(): void {
    this.#isMixing = false;
    this.leg.setOverlay(undefined);
    this.#goDirectly();
  }

  #wayOf(channel: LegChannel): Way {
    if (channel === this.#owner) return 'queue';
    if (channel.speaker.isPaced) return 'second';
    return this.#isMixing ? 'ring' : 'direct';
  }

  #finish(): void {
    const finished = this.#playings.filter(({ hasFinished }) => hasFinished);
    this.stop((id) => finished.some((playing) => playing.id === id));
    for (const { onFinished, playedFrames } of finished) onFinished(playedFrames);
  }

  #mixerNow(): Mixer {
    this.#mixer ??= new Mixer({ sampleRateHz: this.leg.sampleRateHz, sources: PLACES });
    return this.#mixer;
  }

  #takePlace(): number {
    const place = this.#freePlaces.pop();
    invariant(place !== undefined, 'a listener has a place for everybody');
    this.#mixer?.release(place);
    return place;
  }

  /** What it said is not heard any more: its marks come back, as providers return them on `clear`. */
  #forget(channel: LegChannel): void {
    for (const mark of channel.drop()) this.#onMark(mark);
  }

  /** Nobody hears of it any more. */
  #drop(channel: LegChannel): readonly PlayedMark[] {
    this.#counts.unmixedFrames += channel.overwrittenFrames;
    return channel.drop();
  }

  #release(channel: LegChannel): void {
    for (const mark of this.#drop(channel)) this.#onMark(mark);
    this.#freePlaces.push(channel.place);
  }
}
