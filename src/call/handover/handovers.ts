import type { AtMs } from '../../base/clock.ts';
import { messageOf } from '../../base/errors.ts';
import { newId } from '../../base/ids.ts';
import { isObject, textOf, type JsonObject } from '../../base/json.ts';
import type { CallCommand, CallCommandName } from '../../events/call-commands.ts';
import type { CommandResult } from '../../events/commands.ts';
import type { CallDesk } from '../call-desk.ts';
import type { CallPart } from '../call-part.ts';
import { hold, supervise, transfer } from '../commands/lines.ts';
import { done, failed, unavailable, type Asker, type Outcome } from '../commands/outcome.ts';
import type { Invitations, JoinWish } from '../parties/invitation.ts';
import type { Member, Seat } from '../parties/roster.ts';
import { briefingOf } from './briefing.ts';
import { withSummary } from './call-summary.ts';
import { canDial, DialledTarget } from './dialled-target.ts';
import { readHandover } from './kept-handover.ts';
import { isQueued, QueueWait } from './queue-wait.ts';
import { RunningHandover, turnAway, type HandOver } from './running-handover.ts';
import { inputOf, mayAnswer } from './verdicts.ts';

type Of<N extends CallCommandName> = Extract<CallCommand, { name: N }>;

/** Handovers that are over and can still be named. */
const REMEMBERED_MAX = 16;
const UNDER_WAY = failed('conflict', 'a handover is under way: only one at a time');

/** Hands the caller of one call over to somebody else; one handover at a time. */
export class Handovers implements CallPart {
  readonly name = 'handover';
  // While the caller waits for somebody, nobody else says who has it.
  readonly commands: readonly CallCommandName[] = [
    'hand_over',
    'answer_handover',
    'claim_handover',
    'hold',
    'supervise',
  ];
  readonly stats = { lateTargets: 0 };
  readonly #desk: CallDesk;
  readonly #outcomes = new Map<string, string>();
  #current: RunningHandover | undefined;
  #queueWait: QueueWait | undefined;
  #dialled: DialledTarget | undefined;
  /** One is being made ready: somebody is asked what the target is told, or where it is to come. */
  #isPreparing = false;

  constructor(desk: CallDesk) {
    this.#desk = desk;
  }

  command(command: CallCommand, asker: Asker, nowMs: AtMs): Outcome {
    switch (command.name) {
      case 'hand_over':
        return this.#handOver(command, nowMs);
      case 'answer_handover':
        return this.#answer(command, asker, nowMs);
      case 'claim_handover':
        return this.#claim(command.handover_id, nowMs);
      case 'hold':
        if (this.#isCallerWaiting) return failed('conflict', 'the caller waits for a handover');
        return hold(this.#desk, command, asker, nowMs);
      case 'supervise':
        if (this.#current !== undefined && command.mode === 'takeover') return UNDER_WAY;
        return supervise(this.#desk, command, asker, nowMs);
      default:
        return unavailable(command.name);
    }
  }

  seatOf(_: Member, wish: JoinWish | undefined): Seat | undefined {
    return wish === undefined || wish.handoverId === null ? undefined : 'aside';
  }

  onJoined(member: Member, wish: JoinWish | undefined, nowMs: AtMs): void {
    const handoverId = wish?.handoverId ?? null;
    const current = this.#current;
    if (handoverId === null) {
      // A supervisor who comes in to take over has the caller, whoever else was to have it.
      if (member.supervision === 'takeover') current?.feed({ type: 'cancelled' }, nowMs);
    } else if (current?.id === handoverId && current.targetLegId === null) {
      current.arrives(member, nowMs);
      this.#queueWait?.look(nowMs);
    } else {
      this.stats.lateTargets++;
      turnAway(this.#desk, member, nowMs);
    }
  }

  onReturned(member: Member, nowMs: AtMs): void {
    this.#current?.onReturned(member, nowMs);
  }

  onLeft({ party: { id: legId } }: Member, nowMs: AtMs): void {
    this.#dialled?.left(legId);
    const current = this.#current;
    if (current === undefined) return;
    if (legId === current.targetLegId) current.feed({ type: 'leg_lost', legId }, nowMs);
    else if (legId === current.former?.party.id) current.feed({ type: 'agent_lost' }, nowMs);
  }

  onFrame(speaker: Member, frame: Int16Array, nowMs: AtMs): void {
    this.#current?.onFrame(speaker, frame, nowMs);
  }

  sweep(nowMs: AtMs): void {
    this.#current?.sweep(nowMs);
  }

  onEnding(nowMs: AtMs): void {
    this.#dialled?.close();
    const current = this.#current;
    if (current === undefined) return;
    const { notes, roster } = this.#desk;
    const isGivenAway = current.command.target.type === 'phone' && notes.transferredTo !== null;
    if (isGivenAway && roster.caller === undefined) current.letGo();
    else current.endWithCall(nowMs);
  }

  /** The handover is not over: it goes on where the call does. */
  onSurrendered(): void {
    this.#queueWait?.stop();
    this.#dialled?.close();
    this.#current?.letGo();
  }

  save(): JsonObject | undefined {
    if (this.#current === undefined && this.#outcomes.size === 0) return undefined;
    return { current: this.#current?.save() ?? null, outcomes: Object.fromEntries(this.#outcomes) };
  }

  restore(saved: JsonObject | undefined, nowMs: AtMs): void {
    const { outcomes, current } = saved ?? {};
    for (const [id, outcome] of Object.entries(isObject(outcomes) ? outcomes : {}).slice(-REMEMBERED_MAX)) {
      this.#outcomes.set(id, textOf(outcome) ?? 'failed');
    }
    const kept = isObject(current) ? readHandover(current, this.#desk.clock) : undefined;
    if (kept === undefined) return;
    const { id } = kept.state.plan;
    const { command, told } = kept;
    const onOver = (over: RunningHandover): void => this.#over(over);
    this.#current = new RunningHandover({ desk: this.#desk, id, command, told, onOver, kept }, nowMs);
    this.#ask(this.#current);
  }

  get #isCallerWaiting(): boolean {
    const name = this.#current?.state.name;
    return name === 'offered' || name === 'consulting';
  }

  #handOver(command: HandOver, nowMs: AtMs): Outcome {
    const refusal = this.#refusal();
    if (refusal !== undefined) return refusal;
    const told = withSummary(this.#desk, command);
    return told instanceof Promise ? this.#onceToldOf(told) : this.#startOn(told, nowMs);
  }

  /** Somebody is asked what the call was about; it goes on as before meanwhile. */
  async #onceToldOf(told: Promise<HandOver>): Promise<CommandResult> {
    this.#isPreparing = true;
    const command = await told.finally(() => {
      this.#isPreparing = false;
    });
    if (this.#desk.state.name !== 'active') return failed('failed_precondition', 'this call has ended');
    return this.#refusal() ?? this.#startOn(command, this.#desk.clock.nowMs());
  }

  #startOn(command: HandOver, nowMs: AtMs): Outcome {
    switch (command.target.type) {
      case 'leg':
        return this.#toLeg(command, nowMs);
      case 'phone':
        return this.#toPhone(command, nowMs);
      case 'ws':
        return this.#toSocket(command, nowMs);
      default: {
        const { invitations } = this.#desk.ports;
        if (invitations === undefined) return unavailable('inviting');
        if (!this.#desk.roster.hasRoom) {
          return failed('conflict', 'the call has as many parties as it can hold');
        }
        return this.#invite(command, invitations);
      }
    }
  }

  #refusal(): CommandResult | undefined {
    const { roster } = this.#desk;
    if (this.#current !== undefined || this.#isPreparing) return UNDER_WAY;
    const takeover = roster.present.find(({ supervision }) => supervision === 'takeover');
    if (takeover !== undefined) return failed('conflict', `${takeover.party.id} has taken the call over`);
    return undefined;
  }

  /** Somebody who joins by a URL of its own. */
  async #invite(command: HandOver, invitations: Invitations): Promise<CommandResult> {
    const id = newId('ho', this.#desk.clock);
    this.#isPreparing = true;
    try {
      const invitation = { role: 'human', mode: null, handoverId: id } as const;
      const join = { ...(await invitations.mint(invitation, this.#desk.facts)) };
      this.#isPreparing = false;
      if (this.#desk.state.name !== 'active') return failed('failed_precondition', 'this call has ended');
      return this.#refusal() ?? this.#begin(id, command, { join }, undefined, this.#desk.clock.nowMs());
    } catch (error) {
      return failed('unavailable', messageOf(error));
    } finally {
      this.#isPreparing = false;
    }
  }

  /** Somebody who is on the call already has nothing to be asked. */
  #toLeg(command: HandOver, nowMs: AtMs): CommandResult {
    const { to } = command.target;
    const { roster, conversation } = this.#desk;
    const target = roster.find(to);
    if (target === undefined) return failed('not_found', `${to} is no leg of this call`);
    const { role } = target.party;
    if (role !== 'human' && role !== 'agent') {
      return failed('failed_precondition', `${to} is a ${role}, and cannot have the caller`);
    }
    if (target === conversation.partner) return failed('conflict', `${to} has the caller already`);
    return this.#begin(newId('ho', this.#desk.clock), command, {}, target, nowMs);
  }

  /** We open the line; who is at its other end takes the call or not. */
  #toSocket(command: HandOver, nowMs: AtMs): CommandResult {
    const { ports, roster } = this.#desk;
    if (ports.dialler === undefined) return unavailable('dialling a target by WebSocket');
    if (!canDial(command.target.to)) return failed('invalid_argument', 'target.to is no ws: or wss: URL');
    if (!roster.hasRoom) return failed('conflict', 'the call has as many parties as it can hold');
    return this.#begin(newId('ho', this.#desk.clock), command, {}, undefined, nowMs);
  }

  /** The provider is asked; whom it connects then talks where we hear nothing of it. */
  #toPhone(command: HandOver, nowMs: AtMs): Outcome {
    const asked = transfer(this.#desk, { name: 'transfer', to: command.target.to });
    if (!(asked instanceof Promise) && !asked.ok) return asked;
    const begun = this.#begin(newId('ho', this.#desk.clock), command, {}, undefined, nowMs);
    if (asked instanceof Promise) this.#awaitProvider(asked);
    return begun;
  }

  #awaitProvider(asked: Promise<CommandResult>): void {
    const handover = this.#current;
    const fail = (type: 'unsupported' | 'unreachable'): void =>
      void handover?.feed({ type }, this.#desk.clock.nowMs());
    asked.then(
      (result) => {
        if (!result.ok) fail(result.fault === 'failed_precondition' ? 'unsupported' : 'unreachable');
      },
      // Nobody knows whether the provider was asked: the caller is not to wait for it.
      () => fail('unreachable'),
    );
  }

  #begin(
    id: string,
    command: HandOver,
    invited: JsonObject,
    target: Member | undefined,
    nowMs: AtMs,
  ): CommandResult {
    const context = briefingOf(this.#desk, command.context);
    const told = { reason: command.reason, context, ...invited };
    const onOver = (over: RunningHandover): void => this.#over(over);
    const handover = new RunningHandover({ desk: this.#desk, id, command, told, onOver }, nowMs);
    this.#current = handover;
    handover.begin(target, nowMs);
    this.#ask(handover);
    const { mode, target: wanted } = command;
    const state = handover.state.name;
    return done({ handover_id: id, state, mode, target: { ...wanted }, context, ...invited });
  }

  /** Members of its queue are asked, or its target is dialled, where nobody has come yet. */
  #ask(handover: RunningHandover): void {
    const { queues, dialler } = this.#desk.ports;
    if (this.#current !== handover || handover.targetLegId !== null) return;
    if (queues !== undefined && isQueued(handover)) {
      this.#queueWait = new QueueWait(this.#desk, queues, handover);
    } else if (dialler !== undefined && handover.command.target.type === 'ws') {
      this.#dialled?.close();
      this.#dialled = new DialledTarget(this.#desk, dialler, handover);
    }
  }

  /** A member of its queue is to have it, and is told where to come. */
  async #claim(handoverId: string, nowMs: AtMs): Promise<CommandResult> {
    const [current, wait] = [this.#current, this.#queueWait];
    const { invitations } = this.#desk.ports;
    if (current?.id !== handoverId) return this.#pastOne(handoverId);
    if (wait === undefined || invitations === undefined) return unavailable('a queue');
    if (!wait.claim(nowMs)) return failed('conflict', 'somebody else has the handover');
    try {
      const join = await invitations.mint({ role: 'human', mode: null, handoverId }, this.#desk.facts);
      if (this.#current !== current) return this.#pastOne(handoverId);
      return done({ handover_id: handoverId, join: { ...join }, context: current.told['context'] });
    } catch (error) {
      wait.release();
      return failed('unavailable', messageOf(error));
    }
  }

  #pastOne(handoverId: string): CommandResult {
    const outcome = this.#outcomes.get(handoverId);
    if (outcome === undefined) return failed('not_found', `${handoverId} is no handover of this call`);
    return failed('conflict', `the handover has ${outcome}`);
  }

  #over(handover: RunningHandover): void {
    this.#current = undefined;
    this.#queueWait?.end();
    this.#queueWait = undefined;
    this.#dialled?.cancel();
    const { name } = handover.state;
    if (name === 'failed' && handover.command.target.type === 'phone') this.#desk.notes.transferredTo = null;
    this.#outcomes.set(handover.id, name);
    const [oldest] = this.#outcomes.keys();
    if (this.#outcomes.size > REMEMBERED_MAX && oldest !== undefined) this.#outcomes.delete(oldest);
  }

  #answer({ handover_id, verdict }: Of<'answer_handover'>, asker: Asker, nowMs: AtMs): Outcome {
    const current = this.#current;
    if (current?.id !== handover_id) return this.#pastOne(handover_id);
    if (!mayAnswer(current, verdict, asker)) {
      return failed('permission_denied', `this leg may not ${verdict} the handover`);
    }
    if (current.command.target.type === 'phone') {
      return failed('conflict', 'the provider was asked, and is not to be called back');
    }
    const legId = current.targetLegId;
    if (verdict === 'accept' && legId === null) {
      return failed('failed_precondition', 'the target has not joined yet');
    }
    const isMoved = current.feed(inputOf(verdict, legId ?? ''), nowMs);
    const { name } = current.state;
    if (!isMoved) return failed('conflict', `the handover is ${name}: it cannot ${verdict} now`);
    return done({ handover_id, state: name });
  }
}
