import type { AtMs, Cancel } from '../../base/clock.ts';
import { isObject, type JsonObject } from '../../base/json.ts';
import type { CallCommand } from '../../events/call-commands.ts';
import type { CallDesk } from '../call-desk.ts';
import { LegParty } from '../parties/party.ts';
import type { Member } from '../parties/roster.ts';
import { FirstSound } from './first-sound.ts';
import {
  advanceHandover,
  isOver,
  startHandover,
  type HandoverInput,
  type HandoverState,
} from './handover.ts';
import { keepHandover, keptBriefing, type KeptHandover } from './kept-handover.ts';
import { Switching } from './switching.ts';

/** The offer is gone: timed out, cancelled, or somebody else has it (contract.md §9). */
const CLOSE_OFFER_GONE = 4411;
/** A briefing that was played out, and goes on no more for so long, is over. */
const BRIEFING_PAUSE_MS = 1_500;

export type HandOver = Extract<CallCommand, { name: 'hand_over' }>;

/** What one handover is started with. */
export interface HandoverOptions {
  readonly desk: CallDesk;
  readonly id: string;
  readonly command: HandOver;
  /** What everybody is told of it at its start. */
  readonly told: JsonObject;
  readonly onOver: (handover: RunningHandover) => void;
  /** Where a former owner of the call left it. */
  readonly kept?: KeptHandover;
}

/** One handover while it runs: the machine, and what its steps do to the call. */
export class RunningHandover {
  readonly id: string;
  readonly command: HandOver;
  /** Who had the caller. */
  readonly former: Member | undefined;
  readonly #desk: CallDesk;
  /** What everybody was told of it at its start. */
  readonly told: JsonObject;
  readonly #onOver: (handover: RunningHandover) => void;
  readonly #switching: Switching;
  readonly #cancelDeadline: Cancel;
  #state: HandoverState;
  #firstSound: FirstSound | undefined;
  #briefedAtMs: AtMs | undefined;
  /** It was being briefed when the call changed hands: that is over when the target is back. */
  #wasBriefed: boolean;
  #isEnding = false;
  /** Of its briefing, what the next owner of the call gets. */
  #keptContext: JsonObject | undefined;

  constructor({ desk, id, command, told, onOver, kept }: HandoverOptions, nowMs: AtMs) {
    this.id = id;
    this.command = command;
    this.former = kept === undefined ? desk.conversation.partner : formerOf(kept, desk);
    this.#desk = desk;
    this.told = told;
    this.#onOver = onOver;
    this.#switching = new Switching(desk, kept?.before, kept?.seatBefore);
    this.#wasBriefed = kept?.isBriefed ?? false;
    const plan = { id, mode: command.mode, startedAtMs: nowMs, deadlineAtMs: nowMs + command.timeout_ms };
    this.#state = kept?.state ?? startHandover(plan);
    const { deadlineAtMs } = this.#state.plan;
    this.#cancelDeadline = desk.clock.after(Math.max(0, deadlineAtMs - nowMs), () =>
      this.feed({ type: 'time_passed' }, Math.max(deadlineAtMs, desk.clock.nowMs())),
    );
    if (this.#state.name === 'bridged') this.#listenForTarget();
  }

  /** All it needs to go on elsewhere. */
  save(): JsonObject {
    const { before, seatBefore } = this.#switching;
    const context = (this.#keptContext ??= this.#keepContext());
    const kept = { command: this.command, context, state: this.#state, before, seatBefore };
    const formerId = this.former?.party.id ?? null;
    const isBriefed = this.#briefedAtMs !== undefined || this.#wasBriefed;
    return keepHandover({ ...kept, formerId, isBriefed }, this.#desk.clock);
  }

  get state(): HandoverState {
    return this.#state;
  }

  /** The target's leg, once it has come. */
  get targetLegId(): string | null {
    return this.#state.name === 'failed' ? null : this.#state.targetLegId;
  }

  /** It is told of, and the caller waits; a target that is here already has the caller at once. */
  begin(target: Member | undefined, nowMs: AtMs): void {
    const { mode, hold } = this.command;
    const from_leg = this.former?.party.id ?? null;
    this.#desk.emit('handover_started', { ...this.#own, mode, from_leg, ...this.told }, nowMs);
    if (target === undefined || mode !== 'cold') this.#switching.park(hold, nowMs);
    if (this.former === undefined) this.feed({ type: 'agent_lost' }, nowMs);
    if (target === undefined) return;
    this.arrives(target, nowMs);
    this.feed({ type: 'accepted', legId: target.party.id }, nowMs);
  }

  arrives({ party: { id: legId } }: Member, nowMs: AtMs): void {
    this.feed({ type: 'target_arrived', legId }, nowMs);
    this.#tell('handover_offered', { leg_id: legId, mode: this.command.mode, ...this.told }, nowMs);
  }

  /** A leg has a line again: the caller's may be another one, and a target waits no longer to be briefed. */
  onReturned({ party }: Member, nowMs: AtMs): void {
    if (party.role === 'caller') this.#firstSound?.lineChanged();
    if (party.id !== this.targetLegId || !this.#wasBriefed) return;
    this.#wasBriefed = false;
    this.#briefedAtMs = nowMs;
  }

  /** Moves it; false where that changes nothing any more. */
  feed(input: HandoverInput, nowMs: AtMs): boolean {
    const before = this.#state;
    this.#state = advanceHandover(before, input, nowMs);
    if (this.#state === before) return false;
    if (this.#state.name !== before.name) this.#enter(before, nowMs);
    return true;
  }

  /** The call is over: there is nobody to give back, and nothing to hear. */
  endWithCall(nowMs: AtMs): void {
    this.#isEnding = true;
    const { roster } = this.#desk;
    if (roster.caller !== undefined) this.feed({ type: 'cancelled' }, nowMs);
    this.feed({ type: 'caller_lost' }, nowMs);
  }

  /** The provider took the call where it was to go: nothing more can be seen of it. */
  letGo(): void {
    this.#stop();
    this.#onOver(this);
  }

  onFrame(speaker: Member, frame: Int16Array, nowMs: AtMs): void {
    if (speaker.party.id !== this.targetLegId) return this.#brief(speaker, nowMs);
    if (this.#state.name === 'offered') {
      this.feed({ type: 'accepted', legId: speaker.party.id }, nowMs);
      // Nobody has heard this frame: it is the first word to whoever the target is joined with now.
      this.#desk.conversation.speak(speaker, frame, nowMs);
    }
    this.#firstSound?.spoken(speaker);
  }

  /** A briefing nobody hears on goes no further by itself. */
  sweep(nowMs: AtMs): void {
    const target = this.#target;
    if (this.#briefedAtMs === undefined || this.#state.name !== 'consulting') return;
    if (target?.party instanceof LegParty && target.party.leg.playout.waitingFrames > 0) {
      this.#briefedAtMs = nowMs;
    } else if (nowMs - this.#briefedAtMs >= BRIEFING_PAUSE_MS) this.feed({ type: 'completed' }, nowMs);
  }

  /** Once: the call is saved at every event, and a briefing does not change. */
  #keepContext(): JsonObject {
    const { context } = this.told;
    const kept = keptBriefing(context);
    this.#desk.counts.unkeptSegments += segmentsIn(context) - segmentsIn(kept);
    return kept;
  }

  #brief(speaker: Member, nowMs: AtMs): void {
    if (this.command.mode !== 'whisper' || this.#state.name !== 'consulting') return;
    if (speaker === this.former) this.#briefedAtMs = nowMs;
    else this.sweep(nowMs);
  }

  #enter(before: HandoverState, nowMs: AtMs): void {
    const state = this.#state;
    if (before.name === 'offered' && (state.name === 'consulting' || state.name === 'bridged')) {
      this.#tell('handover_accepted', { leg_id: state.targetLegId }, nowMs);
    }
    switch (state.name) {
      case 'consulting':
        return this.#switching.consult(this.#member(state.targetLegId), nowMs);
      case 'bridged':
        this.#switching.bridge(this.#member(state.targetLegId), nowMs);
        return this.#listenForTarget();
      case 'succeeded':
        return this.#succeed(state, nowMs);
      case 'failed':
        return this.#fail(state, isOver(before) ? null : before.targetLegId, nowMs);
      default:
    }
  }

  #listenForTarget(): void {
    this.#firstSound = new FirstSound(this.#desk, () =>
      this.feed({ type: 'target_heard' }, this.#desk.clock.nowMs()),
    );
  }

  #succeed(
    { targetLegId: to_leg, elapsedMs }: Extract<HandoverState, { name: 'succeeded' }>,
    nowMs: AtMs,
  ): void {
    this.#stop();
    this.#onOver(this);
    this.#desk.emit('transfer_success', { ...this.#own, to_leg, elapsed_ms: Math.round(elapsedMs) }, nowMs);
    const { former } = this;
    // A target that has been on the call all along may have been asked to take it from itself.
    if (former !== undefined && former.party.id !== to_leg) {
      this.#desk.dismiss(former, { leg: 'replaced', call: 'api' }, nowMs);
    }
  }

  #fail(
    { reason, elapsedMs }: Extract<HandoverState, { name: 'failed' }>,
    targetLegId: string | null,
    nowMs: AtMs,
  ): void {
    this.#stop();
    this.#onOver(this);
    const target = targetLegId === null ? undefined : this.#desk.roster.find(targetLegId);
    if (!this.#isEnding) this.#switching.undo(target, nowMs);
    if (reason === 'declined') this.#tell('handover_declined', { leg_id: targetLegId }, nowMs);
    this.#desk.emit('transfer_failed', { ...this.#own, reason, elapsed_ms: Math.round(elapsedMs) }, nowMs);
    const isGuest = this.command.target.type === 'leg';
    if (target !== undefined && !isGuest && !this.#isEnding) turnAway(this.#desk, target, nowMs);
  }

  #stop(): void {
    this.#cancelDeadline();
    this.#firstSound?.stop();
    this.#firstSound = undefined;
  }

  #tell(
    type: 'handover_offered' | 'handover_accepted' | 'handover_declined',
    own: JsonObject,
    nowMs: AtMs,
  ): void {
    const elapsed_ms = Math.round(nowMs - this.#state.plan.startedAtMs);
    this.#desk.emit(type, { ...this.#own, ...own, elapsed_ms }, nowMs);
  }

  get #own(): JsonObject {
    return { handover_id: this.id, target: { ...this.command.target } };
  }

  get #target(): Member | undefined {
    return this.targetLegId === null ? undefined : this.#desk.roster.find(this.targetLegId);
  }

  #member(legId: string): Member {
    return this.#desk.roster.get(legId)!;
  }
}

function segmentsIn(context: unknown): number {
  const transcript = isObject(context) ? context['transcript'] : undefined;
  return Array.isArray(transcript) ? transcript.length : 0;
}

/** Software of the house may be named otherwise at the next owner: whoever has the caller is meant. */
function formerOf({ formerId, state }: KeptHandover, { roster, conversation }: CallDesk): Member | undefined {
  if (formerId === null) return undefined;
  const { partner } = conversation;
  const isTarget = !isOver(state) && partner?.party.id === state.targetLegId;
  return roster.get(formerId) ?? (isTarget ? undefined : partner);
}

/** Whoever comes for an offer that is gone is told so. */
export function turnAway(desk: CallDesk, member: Member, nowMs: AtMs): void {
  member.party.end('offer_gone', CLOSE_OFFER_GONE, nowMs);
  desk.dismiss(member, { leg: 'offer_gone', call: 'api' }, nowMs);
}
