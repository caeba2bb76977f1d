import type { AtMs } from '../../base/clock.ts';
import type { JsonObject } from '../../base/json.ts';
import type { TranscriptSegment } from '../../events/call-commands/transcript.ts';
import type { CallDesk } from '../call-desk.ts';
import type { CallEvents } from '../call-events.ts';
import type { CallPart } from '../call-part.ts';
import type { Decisions } from '../hearing/conversation.ts';
import type { CallNotes } from '../notes.ts';
import { LegParty, lineOf, lostAtMsOf } from '../parties/party.ts';
import type { Member } from '../parties/roster.ts';
import { SNAPSHOT_VERSION, type CallSnapshot } from './call-snapshot.ts';
import type { SavedDecisions, SavedMember, SavedNotes, SavedPlace } from './call-snapshot.ts';
import { saveTimeline } from './saved-timeline.ts';

/** Those that have left are remembered so far; the journal has everybody. */
const LEFT_SAVED_MAX = 16;
/** The end of the transcript: enough to brief whoever comes next. */
const SEGMENTS_SAVED_MAX = 16;
const CHARACTERS_SAVED_MAX = 4_096;

/** What only the call itself knows. */
export interface CallOwn {
  readonly events: CallEvents;
  readonly parts: readonly CallPart[];
  readonly startedAt: string;
  readonly startedAtMs: AtMs;
  readonly lastVoiceAtMs: AtMs;
  readonly recovery: { readonly from: string; readonly lostAtMs: AtMs } | undefined;
}

/** Everything the next owner of a running call needs to go on with it. */
export function saveCall(desk: CallDesk, own: CallOwn, nowMs: AtMs): CallSnapshot {
  const { facts, clock, roster, conversation, notes, ports } = desk;
  const savedAtUnixMs = clock.unixMs();
  const unixMsOf = (atMs: AtMs): number => Math.round(savedAtUnixMs - (nowMs - atMs));
  const members = remembered(roster.all).map((member) => saveMember(member, unixMsOf));
  const forgottenMembers = roster.stats.forgottenMembers + roster.all.length - members.length;
  const memberIds = members.map(({ summary }) => summary.leg_id);
  const { startedAt, recovery } = own;
  return {
    v: SNAPSHOT_VERSION,
    savedAtUnixMs,
    facts,
    startedAt,
    lastedMs: Math.round(nowMs - own.startedAtMs),
    silentMs: Math.round(nowMs - own.lastVoiceAtMs),
    sequence: own.events.sequence,
    timeline: saveTimeline(own.events.timeline, startedAt, memberIds),
    members,
    ...(forgottenMembers === 0 ? {} : { forgottenMembers }),
    decisions: saveDecisions(conversation.decisions, nowMs),
    notes: saveNotes(notes, nowMs),
    parts: saveParts(own.parts, nowMs),
    events: (ports.unacknowledged?.(facts.id) ?? []).map(({ envelope }) => ({ envelope })),
    recovery:
      recovery === undefined ? null : { from: recovery.from, lostAtUnixMs: unixMsOf(recovery.lostAtMs) },
  };
}

function remembered(all: readonly Member[]): readonly Member[] {
  const left = all.filter(({ summary }) => summary.disconnected_at !== null);
  const forgotten = new Set(left.slice(0, Math.max(0, left.length - LEFT_SAVED_MAX)));
  return all.filter((member) => !forgotten.has(member));
}

function saveMember(member: Member, unixMsOf: (atMs: AtMs) => number): SavedMember {
  const { summary, talkMs } = member;
  if (summary.disconnected_at !== null) return { summary, talkMs };
  return { summary, talkMs, place: savePlace(member, unixMsOf) };
}

function savePlace(member: Member, unixMsOf: (atMs: AtMs) => number): SavedPlace {
  const { party, generation, seat, isMuted, isPaused, gainRatio, gains, supervision, tellsVoice, voice } =
    member;
  const lostAtMs = lostAtMsOf(party);
  const place = {
    line: lineOf(member) ?? null,
    generation,
    seat,
    isMuted,
    ...(isPaused ? { isPaused } : {}),
    gainRatio,
    ...(gains === undefined ? {} : { gains: Object.fromEntries(gains) }),
    supervision,
    ...(tellsVoice === undefined ? {} : { tellsVoice }),
    lostAtUnixMs: lostAtMs === undefined ? null : unixMsOf(lostAtMs),
  };
  if (voice === undefined) return place;
  const { atMs, onsetMs, levelDbfs } = voice;
  const heardUntilMs = party instanceof LegParty ? party.leg.ingress.mediaMs : (member.heardUntilMs ?? atMs);
  return { ...place, voice: { atMs, onsetMs, levelDbfs, heardUntilMs } };
}

function saveDecisions({ partnerId, consultedId, hold }: Decisions, nowMs: AtMs): SavedDecisions {
  const held =
    hold.name === 'off' ? null : { source: hold.source, heldMs: Math.round(nowMs - hold.startedAtMs) };
  return { partnerId, consultedId, hold: held };
}

function saveNotes(notes: CallNotes, nowMs: AtMs): SavedNotes {
  const { disposition, qualification, answeredBy, transferredTo, movedAtMs, stats } = notes;
  const transcript = endOf(notes.transcript);
  const forgottenSegments = stats.forgottenSegments + notes.transcript.length - transcript.length;
  const movedMs = movedAtMs === null ? null : Math.round(nowMs - movedAtMs);
  const known = { disposition, qualification, answeredBy, transferredTo, movedMs, transcript };
  return forgottenSegments === 0 ? known : { ...known, forgottenSegments };
}

function endOf(transcript: readonly TranscriptSegment[]): readonly TranscriptSegment[] {
  const end: TranscriptSegment[] = [];
  let characters = 0;
  for (const segment of transcript.slice(-SEGMENTS_SAVED_MAX).reverse()) {
    characters += segment.text.length;
    if (characters > CHARACTERS_SAVED_MAX) break;
    end.unshift(segment);
  }
  return end;
}

function saveParts(parts: readonly CallPart[], nowMs: AtMs): { readonly [name: string]: JsonObject } {
  const saved: Record<string, JsonObject> = {};
  for (const part of parts) {
    const kept = part.name === undefined ? undefined : part.save?.(nowMs);
    if (part.name !== undefined && kept !== undefined) saved[part.name] = kept;
  }
  return saved;
}
