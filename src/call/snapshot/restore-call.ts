import type { AtMs } from '../../base/clock.ts';
import { TIMELINE_ENTRIES_MAX } from '../../events/call-view.ts';
import { isBuiltIn } from '../../events/catalogue.ts';
import { HOUSE_RATES_HZ, houseRateHz } from '../../leg/house-rate.ts';
import type { CallDesk } from '../call-desk.ts';
import type { CallEvents } from '../call-events.ts';
import type { CallPart } from '../call-part.ts';
import type { Door } from '../parties/door.ts';
import { LostLine, type Party } from '../parties/party.ts';
import type { Member } from '../parties/roster.ts';
import type { CallSnapshot, SavedMember, SavedPlace } from './call-snapshot.ts';
import type { SavedTimes } from './saved-times.ts';
import { restoreTimeline } from './saved-timeline.ts';

/** What only the call itself has. */
export interface RestoredOwn {
  readonly events: CallEvents;
  readonly parts: readonly CallPart[];
  readonly door: Door;
  /** Since when lines that were there are lost. */
  readonly lostAtMs: AtMs;
}

/** Puts a call back as it was saved. Nobody is told of anything: it was told when it happened. */
export function restoreCall(
  desk: CallDesk,
  own: RestoredOwn,
  snapshot: CallSnapshot,
  times: SavedTimes,
): void {
  const { events, parts } = own;
  const { startedAt, members, sequence, timeline } = snapshot;
  const memberIds = members.map(({ summary }) => summary.leg_id);
  events.goOn(sequence, restoreTimeline(timeline, startedAt, memberIds));
  // Every number is an event's: those that have none here were beyond what a snapshot has room for.
  const wanted = Math.min(sequence, TIMELINE_ENTRIES_MAX);
  desk.counts.untimedEvents += Math.max(0, wanted - timeline.length);
  restoreParties(desk, own, snapshot, times);
  desk.roster.stats.forgottenMembers += snapshot.forgottenMembers ?? 0;
  restoreDecisions(desk, snapshot, times);
  for (const part of parts) {
    part.restore?.(part.name === undefined ? undefined : snapshot.parts[part.name], times.nowMs);
  }
  desk.conversation.rearrange(times.nowMs);
}

/** Seats everybody where they sat: software of the house at once, lines as lost until they are back. */
function restoreParties(
  { roster }: CallDesk,
  { door, lostAtMs }: RestoredOwn,
  { members }: CallSnapshot,
  times: SavedTimes,
): void {
  const sampleRateHz = callerRateHzOf(members);
  for (const saved of members) {
    const { summary, place } = saved;
    const { leg_id: id, dialect: agent } = summary;
    const lostAtUnixMs = place?.lostAtUnixMs ?? null;
    const lineLostAtMs = lostAtUnixMs === null ? lostAtMs : times.savedAt(lostAtUnixMs);
    const party: Party =
      place?.line === null && isBuiltIn(agent)
        ? door.builtIn({ id, agent, sampleRateHz }, () => member)
        : new LostLine(summary, place?.line ?? undefined, lineLostAtMs);
    const member: Member = memberOf(saved, party);
    roster.add(member);
  }
}

/** Software of the house hears the caller, and speaks at its rate. */
function callerRateHzOf(members: readonly SavedMember[]): number {
  const caller = members.find(({ summary, place }) => summary.role === 'caller' && place !== undefined);
  const line = caller?.place?.line ?? null;
  return line === null ? HOUSE_RATES_HZ[0] : houseRateHz(line);
}

function memberOf({ summary, talkMs, place = NO_PLACE }: SavedMember, party: Party): Member {
  const {
    generation,
    seat,
    isMuted,
    isPaused = false,
    gainRatio,
    gains,
    supervision,
    tellsVoice,
    voice,
  } = place;
  return {
    party,
    ear: undefined,
    generation,
    summary,
    seat,
    isMuted,
    isPaused,
    gainRatio,
    ...(gains === undefined ? {} : { gains: new Map(Object.entries(gains)) }),
    supervision,
    channels: [],
    ...(tellsVoice === undefined ? {} : { tellsVoice }),
    talkMs,
    voice: voice === undefined ? undefined : { type: 'voice_detected', ...voice },
    ...(voice === undefined ? {} : { heardUntilMs: voice.heardUntilMs }),
  };
}

const NO_PLACE: SavedPlace = {
  line: null,
  generation: 0,
  seat: 'aside',
  isMuted: false,
  gainRatio: 1,
  supervision: null,
  lostAtUnixMs: null,
};

/** What was decided and written down. */
function restoreDecisions(desk: CallDesk, snapshot: CallSnapshot, times: SavedTimes): void {
  const { conversation, notes } = desk;
  const { movedMs, transcript, forgottenSegments = 0, ...known } = snapshot.notes;
  Object.assign(notes, known);
  notes.stats.forgottenSegments = forgottenSegments;
  notes.movedAtMs = movedMs === null ? null : times.since(movedMs);
  for (const segment of transcript) notes.addSegment(segment);
  const { partnerId, consultedId, hold } = snapshot.decisions;
  conversation.restore({
    partnerId,
    consultedId,
    hold:
      hold === null
        ? { name: 'off' }
        : { name: 'on', source: hold.source, startedAtMs: times.since(hold.heldMs) },
  });
}
