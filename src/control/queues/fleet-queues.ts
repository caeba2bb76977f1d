import type { MemberWire, QueueDesk, QueueOwner, QueueSeat, QueueView } from '../../api/queues/queue-desk.ts';
import type { AtMs, Cancel } from '../../base/clock.ts';
import { messageOf, VoiceError } from '../../base/errors.ts';
import { newId } from '../../base/ids.ts';
import type { JsonObject } from '../../base/json.ts';
import type { Closeable } from '../../base/lifetime.ts';
import { WokenRounds } from '../../base/woken-rounds.ts';
import type { FleetLetters, TakenLetter } from '../../delivery/partitions/fleet-letters.ts';
import type { Territory } from '../../delivery/partitions/lease-table.ts';
import type { AskResult, QueueAsk } from '../../events/asks.ts';
import type { CommandResult, CommandToCall } from '../../events/commands.ts';
import { Questions } from '../../events/asking/questions.ts';
import { FleetMail } from './fleet-mail.ts';
import { Guests } from './guests.ts';
import { HostQueues, type HostQueuesOptions } from './host-queues.ts';
import { OwnSeat } from './own-seat.ts';
import { readQueueLetter, type QueueLetter, type QueueQuestion } from './queue-letters.ts';

/** Whoever holds the partition of this name keeps the queues of the fleet, and gets letters by it. */
const KEEPER = 'queues';
/** Members are told of so often, as nodes say what waits. */
const SAY_AGAIN_MS = 2_000;
/** By then everybody has said who is there and what waits: who keeps the queues anew asks nobody before. */
const SETTLED_MS = 2_500;
const LOOK_MS = 250;
const MEMBERS_A_LETTER = 100;
const QUESTIONS_MAX = 1_000;
const COMMAND_MS = 6_000;
const LIST_MS = 3_000;

export interface FleetQueuesOptions extends Pick<HostQueuesOptions, 'clock' | 'command'> {
  readonly letters: FleetLetters;
  readonly territory: Territory;
  readonly log: { warn(fields: object, sentence: string): void };
}

/**
 * The queues of all hosts that share a database. One control process keeps them, by a lease; the others pass
 * on what their nodes and members say, and say it again until it is heard. Nothing of a queue outlives who
 * keeps it: whoever does next is told all of it anew.
 */
export class FleetQueues implements QueueDesk, Closeable {
  readonly asking = { refusedQuestions: 0, unansweredQuestions: 0 };
  readonly mail: FleetMail;
  readonly #options: FleetQueuesOptions;
  readonly #name: string;
  readonly #queues: HostQueues;
  readonly #guests: Guests;
  readonly #questions: Questions;
  readonly #rounds: WokenRounds;
  readonly #seats = new Map<string, OwnSeat>();
  /** By which process a node speaks that is not followed here. */
  readonly #ways = new Map<string, string>();
  #isKeeper = false;
  #settledAtMs: AtMs = 0;
  #cancelSettling: Cancel = () => {};
  #sayAgainAtMs: AtMs = 0;
  /** Of the newest lease that something was told under. */
  #tokenMax = 0;

  constructor(options: FleetQueuesOptions) {
    const { clock, letters, log } = options;
    this.#options = options;
    this.#name = `queues-${clock.randomBytes(8).toString('hex')}`;
    this.#queues = new HostQueues({
      clock,
      command: (incarnation, order) => this.#command(incarnation, order),
      isOffering: () => this.#isKeeping() && clock.nowMs() >= this.#settledAtMs,
    });
    this.#guests = new Guests({
      clock,
      queues: this.#queues,
      tell: (to, memberId, news) => this.#tellFar(to, memberId, news),
    });
    this.#questions = new Questions({ pendingMax: QUESTIONS_MAX, stats: this.asking, clock });
    this.mail = new FleetMail({
      letters,
      name: this.#name,
      names: () => (this.#isKeeping() ? [this.#name, KEEPER] : [this.#name]),
      take: (letter) => this.#take(letter),
      clock,
      log,
    });
    this.#rounds = new WokenRounds({
      clock,
      round: async () => this.#round(),
      failed: (error) => log.warn({ error: messageOf(error) }, 'queues could not be looked after'),
      retryMs: LOOK_MS,
    });
  }

  get stats(): HostQueues['stats'] {
    return this.#queues.stats;
  }

  /** From now on queues are kept where the lease says, and others are heard. */
  start(): void {
    this.mail.start();
    this.#rounds.wake();
  }

  /** A node of this host says that a handover waits, or does not any more. */
  async answer(ask: QueueAsk, incarnation: string): Promise<AskResult> {
    if (!this.#isKeeping()) {
      this.#write(KEEPER, { type: 'node_said', ask, incarnation });
      return { ok: true, value: null };
    }
    this.#ways.delete(incarnation);
    return this.#queues.answer(ask, incarnation);
  }

  async list(owner: QueueOwner): Promise<readonly QueueView[]> {
    if (this.#isKeeping()) return this.#queues.list(owner);
    const result = await this.#ask(KEEPER, { name: 'list', owner }, LIST_MS);
    if (!result.ok) throw new VoiceError(result.fault, result.detail);
    return result.value as readonly QueueView[];
  }

  admit(owner: QueueOwner, name: string): void {
    // Elsewhere whoever keeps the queue says so to the member.
    if (this.#isKeeping()) this.#queues.admit(owner, name);
  }

  join(owner: QueueOwner, name: string, wish: { label: string | null; wire: MemberWire }): QueueSeat {
    this.admit(owner, name);
    const { clock } = this.#options;
    const id = newId('member', clock);
    const { workspaceId, testMode } = owner;
    const facts = { id, owner: { workspaceId, testMode }, queue: name, label: wish.label };
    const seat = new OwnSeat(facts, wish.wire, clock);
    this.#seats.set(id, seat);
    if (this.#isKeeping()) this.#keep(seat);
    else this.#write(KEEPER, { type: 'members', members: [seat.far] });
    return { id, say: (message) => this.#say(seat, message), leave: () => this.#leave(seat) };
  }

  async close(): Promise<void> {
    await this.#rounds.close();
    this.#cancelSettling();
    this.#questions.end('control leaves');
    this.#guests.forget();
    this.#queues.forget();
    await this.mail.close();
  }

  async #round(): Promise<number> {
    const nowMs = this.#options.clock.nowMs();
    if (!this.#isKeeping() && nowMs >= this.#sayAgainAtMs) this.#sayWhoIsHere();
    return LOOK_MS;
  }

  /** Whether the queues are kept here now; looked at before whatever hangs on it. */
  #isKeeping(): boolean {
    const isKeeper = this.#options.territory.holds(KEEPER);
    if (isKeeper === this.#isKeeper) return isKeeper;
    this.#isKeeper = isKeeper;
    if (isKeeper) this.#beginKeeping();
    else this.#endKeeping();
    return isKeeper;
  }

  #beginKeeping(): void {
    const { clock } = this.#options;
    this.#settledAtMs = clock.nowMs() + SETTLED_MS;
    this.#cancelSettling = clock.after(SETTLED_MS, () => this.#queues.offerWaiting());
    for (const seat of this.#seats.values()) {
      seat.lose();
      this.#keep(seat);
    }
    this.mail.heard(KEEPER);
  }

  #endKeeping(): void {
    this.#cancelSettling();
    this.#guests.forget();
    this.#queues.forget();
    this.#ways.clear();
    for (const seat of this.#seats.values()) seat.lose();
    this.#sayAgainAtMs = 0;
    this.#rounds.wake();
  }

  #sayWhoIsHere(): void {
    this.#sayAgainAtMs = this.#options.clock.nowMs() + SAY_AGAIN_MS;
    const members = [...this.#seats.values()].map(({ far }) => far);
    for (let first = 0; first < members.length; first += MEMBERS_A_LETTER) {
      this.#write(KEEPER, { type: 'members', members: members.slice(first, first + MEMBERS_A_LETTER) });
    }
  }

  #keep(seat: OwnSeat): void {
    const { owner, queue, label } = seat.facts;
    const { id, idleMs } = seat.far;
    // What a lease that has run out meanwhile would say is somebody else's to say.
    const wire = { tell: (news: JsonObject) => void (this.#isKeeping() && seat.tell(news)) };
    try {
      seat.kept = this.#queues.join(owner, queue, { label, wire, former: { id, idleMs } });
    } catch (error) {
      if (!(error instanceof VoiceError)) throw error;
      seat.tell({ type: 'error', code: error.code, message: error.message });
    }
  }

  #say(seat: OwnSeat, message: JsonObject): void {
    if (!this.#seats.has(seat.facts.id)) return;
    const isKeeping = this.#isKeeping();
    seat.said(message);
    if (isKeeping) seat.kept?.say(message);
    else this.#write(KEEPER, { type: 'said', memberId: seat.facts.id, message });
  }

  #leave(seat: OwnSeat): void {
    if (!this.#seats.delete(seat.facts.id)) return;
    if (this.#isKeeping()) seat.kept?.leave();
    else this.#write(KEEPER, { type: 'left', memberId: seat.facts.id });
  }

  #tellFar(to: string, memberId: string, news: JsonObject): void {
    if (!this.#isKeeping()) return;
    const token = this.#options.territory.fenceOf(KEEPER)?.token ?? 0;
    this.#write(to, { type: 'told', memberId, token, news });
  }

  #take({ text, from, ageMs }: TakenLetter): void {
    const letter = readQueueLetter(text);
    if (letter === undefined) return;
    switch (letter.type) {
      case 'told':
        return this.#onTold(letter);
      case 'question':
        return void this.#onQuestion(letter, from);
      case 'answer':
        return this.#questions.settle(letter.id, letter.result);
      default:
        if (this.#isKeeping()) this.#onSaid(letter, from, ageMs);
    }
  }

  /** Said to whoever keeps the queues. */
  #onSaid(
    letter: Extract<QueueLetter, { type: 'members' | 'said' | 'left' | 'node_said' }>,
    from: string,
    ageMs: number,
  ): void {
    // Written before the queues came here: our own members are in them already.
    const isOwn = from === this.#name;
    switch (letter.type) {
      case 'members':
        return isOwn ? undefined : this.#guests.arePresent(letter.members, from, ageMs);
      case 'said':
        return isOwn
          ? this.#seats.get(letter.memberId)?.kept?.say(letter.message)
          : this.#guests.say(letter.memberId, letter.message);
      case 'left':
        return this.#guests.leave(letter.memberId);
      case 'node_said':
        if (isOwn) this.#ways.delete(letter.incarnation);
        else this.#ways.set(letter.incarnation, from);
        return void this.#queues.answer(letter.ask, letter.incarnation).catch(() => undefined);
    }
  }

  #onTold({ memberId, token, news }: Extract<QueueLetter, { type: 'told' }>): void {
    // Of two who believe that they keep the queues the one with the newer lease is right.
    if (this.#isKeeping() || token < this.#tokenMax) return;
    this.#tokenMax = token;
    this.#seats.get(memberId)?.tell(news);
  }

  async #onQuestion(
    { id, question }: Extract<QueueLetter, { type: 'question' }>,
    from: string,
  ): Promise<void> {
    this.#write(from, { type: 'answer', id, result: await this.#answerTo(question) });
  }

  async #answerTo(question: QueueQuestion): Promise<CommandResult> {
    if (question.name === 'command') return this.#commandHere(question.incarnation, question.order);
    if (this.#isKeeping()) return { ok: true, value: this.#queues.list(question.owner) };
    return { ok: false, fault: 'unavailable', detail: 'the queues are kept elsewhere now' };
  }

  /** A node that another process follows is asked by that one. */
  #command(incarnation: string, order: CommandToCall): Promise<CommandResult> {
    const way = this.#ways.get(incarnation);
    if (way === undefined) return this.#commandHere(incarnation, order);
    return this.#ask(way, { name: 'command', incarnation, order }, COMMAND_MS);
  }

  async #commandHere(incarnation: string, order: CommandToCall): Promise<CommandResult> {
    try {
      return await this.#options.command(incarnation, order);
    } catch {
      return { ok: false, fault: 'unavailable', detail: 'the node of this call does not answer' };
    }
  }

  #ask(to: string, question: QueueQuestion, withinMs: number): Promise<CommandResult> {
    return this.#questions.ask((id) => {
      this.#write(to, { type: 'question', id, question });
      return undefined;
    }, withinMs);
  }

  #write(to: string, letter: QueueLetter): void {
    this.mail.send(to, letter);
  }
}
