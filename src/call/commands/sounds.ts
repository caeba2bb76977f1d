import type { AtMs } from '../../base/clock.ts';
import { messageOf, type Refusal } from '../../base/errors.ts';
import { newId } from '../../base/ids.ts';
import type { JsonObject } from '../../base/json.ts';
import { FRAME_MS } from '../../base/units.ts';
import type { CallCommand } from '../../events/call-commands.ts';
import type { CommandResult } from '../../events/commands.ts';
import type { Leg } from '../../leg/leg.ts';
import type { CallDesk } from '../call-desk.ts';
import { PLAYBACKS_MAX, type Ear } from '../hearing/ear.ts';
import type { FrameSource } from '../sounds/frame-source.ts';
import { SoundReader, type Sound, type Sounds } from '../sounds/sounds.ts';
import { DtmfSource, openTone } from '../sounds/tone.ts';
import { LostLine } from '../parties/party.ts';
import { DENIED, isCaller } from './lines.ts';
import { done, failed, unavailable, type Asker, type Outcome } from './outcome.ts';

type Of<N extends CallCommand['name']> = Extract<CallCommand, { name: N }>;
type Play = Of<'play'>;
type OpenSource = (sampleRateHz: number) => FrameSource | Refusal;

/** Plays a sound to one leg or to everybody: answered as soon as it begins. */
export function play(desk: CallDesk, command: Play): Outcome {
  const { url, loop } = command;
  const ears = earsOf(desk, command.leg_id);
  if (!Array.isArray(ears)) return ears;
  if (url.startsWith('tone:')) return start(desk, command, ears, (rateHz) => openTone(url, rateHz, loop));
  const { sounds } = desk.ports;
  if (sounds === undefined) return unavailable('playing files and URLs');
  return openAndStart(desk, command, sounds, new Set(ears.map(({ leg }) => leg.sampleRateHz)));
}

async function openAndStart(
  desk: CallDesk,
  command: Play,
  sounds: Sounds,
  ratesHz: ReadonlySet<number>,
): Promise<CommandResult> {
  try {
    const opened = await Promise.all([...ratesHz].map((rateHz) => sounds.open(command.url, rateHz)));
    return startOpened(desk, command, opened);
  } catch (error) {
    return failed('failed_precondition', messageOf(error));
  }
}

// The world took its time: whoever is still here is who hears it.
function startOpened(desk: CallDesk, command: Play, opened: readonly (Sound | Refusal)[]): CommandResult {
  const sounds = new Map<number, Sound>();
  for (const sound of opened) {
    if ('type' in sound) return failed(sound.fault, sound.detail);
    sounds.set(sound.sampleRateHz, sound);
  }
  if (desk.state.name !== 'active') return failed('failed_precondition', 'this call has ended');
  const ears = earsOf(desk, command.leg_id);
  if (!Array.isArray(ears)) return ears;
  const known = ears.filter(({ leg }) => sounds.has(leg.sampleRateHz));
  return start(desk, command, known, (rateHz) => new SoundReader(sounds.get(rateHz)!, command.loop));
}

function start(desk: CallDesk, command: Play, ears: readonly Ear[], open: OpenSource): CommandResult {
  if (ears.some((ear) => !ear.hasRoomToPlay)) {
    return failed('conflict', `${PLAYBACKS_MAX} sounds are playing there already`);
  }
  const id = newId('play', desk.clock);
  for (const ear of ears) {
    const source = open(ear.leg.sampleRateHz);
    if ('type' in source) return failed(source.fault, source.detail);
    const { leg } = ear;
    ear.play({ id, source, gainRatio: command.gain_ratio, onFinished: finished(desk, leg, id) });
  }
  return done({ playback_id: id, leg_ids: ears.map(({ leg }) => leg.id) });
}

function finished(desk: CallDesk, leg: Leg, playbackId: string): (playedFrames: number) => void {
  return (playedFrames) => {
    const own = { leg_id: leg.id, playback_id: playbackId, played_ms: playedFrames * FRAME_MS };
    desk.emit('playback_finished', own, desk.clock.nowMs());
  };
}

/**
 * Drops what one leg, or everybody, was to hear and has not: queued words and played sounds. Nothing is left
 * that could be paused.
 */
export function clear(desk: CallDesk, { leg_id }: Of<'clear'>, asker: Asker, nowMs: AtMs): Outcome {
  if (isOfOthers(asker, leg_id)) return DENIED;
  const ears = earsOf(desk, leg_id);
  if (!Array.isArray(ears)) return ears;
  setPaused(desk, { leg_id, ears }, false, nowMs);
  const cleared = ears.map((ear) => {
    const { playedFrames, unplayedFrames } = ear.clear(isPlayed, nowMs);
    return {
      leg_id: ear.leg.id,
      played_ms: playedFrames * FRAME_MS,
      unplayed_ms: unplayedFrames * FRAME_MS,
    };
  });
  return done({ cleared });
}

/** Lets what one leg, or everybody, was to hear wait: queued words, and sounds that play now. */
export function pause(desk: CallDesk, { leg_id }: Of<'pause'>, asker: Asker, nowMs: AtMs): Outcome {
  if (isOfOthers(asker, leg_id)) return DENIED;
  const ears = earsOf(desk, leg_id);
  return Array.isArray(ears) ? done({ paused: setPaused(desk, { leg_id, ears }, true, nowMs) }) : ears;
}

/** It goes on with the very frame it was about to play. */
export function resume(desk: CallDesk, { leg_id }: Of<'resume'>, asker: Asker, nowMs: AtMs): Outcome {
  if (isOfOthers(asker, leg_id)) return DENIED;
  const ears = earsOf(desk, leg_id);
  return Array.isArray(ears) ? done({ resumed: setPaused(desk, { leg_id, ears }, false, nowMs) }) : ears;
}

function isOfOthers(asker: Asker, legId: string | null): boolean {
  return isCaller(asker) && legId !== asker.member.party.id;
}

/** For everybody it is also for those whose line is not back yet. */
function setPaused(
  { roster, conversation }: CallDesk,
  { leg_id, ears }: { readonly leg_id: string | null; readonly ears: readonly Ear[] },
  isPaused: boolean,
  nowMs: AtMs,
): readonly JsonObject[] {
  for (const member of roster.present) {
    if (leg_id === null || member.party.id === leg_id) member.isPaused = isPaused;
  }
  conversation.rearrange(nowMs);
  return ears.map((ear) => {
    const { playedFrames, unplayedFrames, playbacks } = ear.pauseSounds(isPlayed, isPaused);
    return {
      leg_id: ear.leg.id,
      played_ms: playedFrames * FRAME_MS,
      unplayed_ms: unplayedFrames * FRAME_MS,
      playbacks: playbacks.map((one) => ({
        playback_id: one.id,
        played_ms: one.playedFrames * FRAME_MS,
      })),
    };
  });
}

/** Says keys to a leg: by its protocol's own words, or as tones. Without a leg, to the caller's line. */
export function dtmf(desk: CallDesk, { digits, leg_id }: Of<'dtmf'>): Outcome {
  const ears = earsOf(desk, leg_id ?? desk.roster.caller?.party.id ?? '');
  if (!Array.isArray(ears)) return ears;
  const [ear] = ears as readonly Ear[];
  if (ear === undefined) return failed('not_found', 'there is nobody to say keys to');
  const { leg } = ear;
  const messages = leg.capabilities.dtmfOut
    ? Array.from(digits, (digit) => leg.session.writeDtmf(digit))
    : [];
  const words = messages.filter((message) => message !== undefined);
  if (words.length === digits.length) {
    for (const message of words) leg.send(message);
    return done({ leg_id: leg.id, digits, source: 'out_of_band' });
  }
  if (!leg.started.bidirectional) {
    return failed('failed_precondition', `${leg.id} listens to nothing, and has no word for keys`);
  }
  const id = newId('play', desk.clock);
  const source = new DtmfSource(digits, leg.sampleRateHz);
  const isTaken = ear.play({ id, source, gainRatio: 1, onFinished: () => {} });
  if (!isTaken) return failed('conflict', `${PLAYBACKS_MAX} sounds are playing there already`);
  return done({ leg_id: leg.id, digits, source: 'in_band' });
}

/** Hold music is not played by anybody: it goes with the hold. */
function isPlayed(playbackId: string): boolean {
  return playbackId.startsWith('play_');
}

function earsOf(desk: CallDesk, legId: string | null): Ear[] | CommandResult {
  if (legId === null) return desk.roster.present.flatMap(({ ear }) => ear ?? []);
  const member = desk.roster.find(legId);
  if (member === undefined) return failed('not_found', `${legId} is no leg of this call`);
  if (member.ear !== undefined) return [member.ear];
  const why = member.party instanceof LostLine ? 'is not back yet' : 'is software of the house';
  return failed('failed_precondition', `${legId} ${why} and has no line`);
}
