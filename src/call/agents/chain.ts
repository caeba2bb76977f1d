import type { AtMs, Cancel } from '../../base/clock.ts';
import { numberOf, textOf, type JsonObject } from '../../base/json.ts';
import { frameSamples } from '../../base/units.ts';
import type { AgentTerms } from '../../events/agents.ts';
import { FrameRing } from '../../media/frame-ring.ts';
import type { AgentDialler, AgentLine, DialledAgent } from '../agent-dialler.ts';
import type { CallDesk } from '../call-desk.ts';
import type { Member } from '../parties/roster.ts';
import { AgentEars } from './agent-ears.ts';
import type { History } from './history.ts';
import { rememberingLine } from './remembering-line.ts';
import { SpokenAhead, waitingFramesOf } from './spoken-ahead.ts';
import { agentCallOf, backendOf } from './told-backend.ts';

/** What a caller says while nobody is on the line yet is kept: the last three seconds of it. */
const GAP_FRAMES = 150;
/** From this turn on a call stays with its backend as long as the line is there (calls.md). */
const SETTLED_TURNS = 3;
/** A cough asks for no answer. */
const WORDS_MS = 500;

/** Where an agent's chain is. */
export type ChainState =
  | { readonly name: 'idle' }
  | { readonly name: 'dialling'; readonly index: number; readonly dialled: DialledAgent }
  | { readonly name: 'connected'; readonly index: number; readonly member: Member; readonly line: AgentLine }
  /** The agent has left, nobody answered, or the call is over. */
  | { readonly name: 'over' };

export interface ChainOptions {
  readonly desk: CallDesk;
  readonly dialler: AgentDialler;
  readonly terms: AgentTerms;
  readonly history: History;
  /** The caller's line. */
  readonly caller: Member;
  /** Where a former owner of the call left it. */
  readonly kept?: JsonObject | undefined;
}

/** Dials the backends of an agent in their order, until one answers; and again when it is lost. */
export class AgentChain {
  readonly stats = { dials: 0, failures: 0, reconnects: 0, overwrittenFrames: 0 };
  readonly #options: ChainOptions;
  #state: ChainState = { name: 'idle' };
  #cancelTimer: Cancel | undefined;
  #ahead: SpokenAhead | undefined;
  #gap: FrameRing | undefined;
  /** Whether the caller waits for an answer; and whether this backend was ever heard. */
  #isOwed = false;
  #hasSpoken = false;
  /** Whether any backend of this call was ever heard: nobody greets a caller twice. */
  #hasGreeted = false;
  #turns = 0;
  /** Where it begins, and the leg whose place the backend there takes, if any. */
  #first = 0;
  #placeId: string | undefined;

  constructor(options: ChainOptions) {
    this.#options = options;
    if (options.kept !== undefined) this.#restore(options.kept);
  }

  get state(): ChainState {
    return this.#state;
  }

  start(nowMs: AtMs): void {
    if (this.#state.name === 'idle') this.#dial(this.#first, nowMs);
  }

  /** All it needs to go on elsewhere: which backend it was, and under which leg's name. */
  save(): JsonObject {
    const state = this.#state;
    return {
      is_over: state.name === 'over',
      index: state.name === 'dialling' || state.name === 'connected' ? state.index : this.#first,
      leg_id: state.name === 'connected' ? state.member.party.id : (this.#placeId ?? null),
      has_greeted: this.#hasGreeted,
      turns: this.#turns,
      reconnects: this.stats.reconnects,
    };
  }

  /** A party has left. Whoever was taken out on purpose is not dialled again; one whose time ran out is. */
  placeLeft({ party, summary }: Member, nowMs: AtMs): void {
    if (party.id !== this.#placeId) return;
    this.#placeId = undefined;
    if (summary.reason !== 'connection_lost') return this.stop();
    if (this.#state.name !== 'dialling') return;
    const { dialled, index } = this.#state;
    dialled.cancel();
    this.#dial(index, nowMs);
  }

  /** The agent was taken out of the call, or the call is over. */
  stop(): void {
    if (this.#state.name === 'dialling') this.#state.dialled.cancel();
    this.#letGo();
    this.#gap = undefined;
    this.#state = { name: 'over' };
  }

  /** Per frame of the caller: kept while a backend is being dialled. */
  callerSaid(frame: Int16Array): void {
    if (this.#state.name === 'dialling') this.#gap?.push(frame);
  }

  callerBegan(): void {
    if (this.#isWaitingForWords) this.#cancelTimer?.();
  }

  callerEnded(voicedMs: number): void {
    if (voicedMs < WORDS_MS || this.#state.name !== 'connected') return;
    this.#isOwed = true;
    if (this.#isWaitingForWords) this.#expectAudio();
  }

  /** What it does takes its time, and the caller knows of it or not: silence is no failure meanwhile. */
  isBusy(): void {
    if (this.#isWaitingForWords) this.#cancelTimer?.();
  }

  /** The line is gone, or nothing more will come of it. */
  lost(error: string, nowMs: AtMs): void {
    if (this.#state.name !== 'connected') return;
    const { index } = this.#state;
    const isAgain = this.#hasSpoken && this.stats.reconnects < this.#options.terms.reconnects_max;
    if (isAgain) this.stats.reconnects++;
    this.#moveOn(error, isAgain ? index : index + 1, nowMs);
  }

  /** Without a greeting, and after a reconnect, the first word is the caller's. */
  get #isWaitingForWords(): boolean {
    return this.#state.name === 'connected' && (this.#hasSpoken || !this.#greets);
  }

  get #greets(): boolean {
    const { terms, history } = this.#options;
    return terms.greeting !== null && !this.#hasGreeted && history.turns.length === 0;
  }

  #dial(index: number, nowMs: AtMs): void {
    const { desk, dialler, terms, history, caller } = this.#options;
    const backend = terms.backends[index];
    if (backend === undefined) return this.#exhausted(nowMs);
    this.stats.dials++;
    this.#hasSpoken = false;
    this.#isOwed = false;
    this.#gap ??= new FrameRing(GAP_FRAMES, frameSamples(caller.party.sampleRateHz));
    const isMine = (): boolean => this.#state === mine;
    const legListener = new AgentEars(desk, {
      heard: (atMs) => this.#heard(atMs),
      hungUp: (atMs) => this.#hungUp(atMs),
      gone: (error, atMs) => this.lost(error, atMs),
    });
    const dialled = dialler.dial(
      { ...backendOf(backend, terms, history), greeting: this.#greets ? terms.greeting : null },
      agentCallOf(desk, caller),
      {
        legListener,
        legId: this.#placeId,
        connected: (line, atMs) => {
          if (isMine()) this.#connected(index, line, atMs);
          else line.leg.end('removed', 1000, atMs);
        },
        failed: ({ error }, atMs) => {
          if (isMine()) this.#moveOn(error, index + 1, atMs);
        },
      },
    );
    const mine: ChainState = { name: 'dialling', index, dialled };
    this.#state = mine;
    this.#expectAudio();
  }

  #connected(index: number, line: AgentLine, nowMs: AtMs): void {
    const { desk } = this.#options;
    const isBack = line.leg.id === this.#placeId;
    if (!isBack && !desk.roster.hasRoom) {
      line.leg.end('removed', 1000, nowMs);
      return this.#moveOn('overloaded', index + 1, nowMs);
    }
    if (!this.#greets) this.#cancelTimer?.();
    this.#placeId = undefined;
    if (isBack) desk.rejoin(line.leg, nowMs);
    else desk.join(line.leg, nowMs);
    const member = desk.roster.find(line.leg.id);
    if (member === undefined) return;
    member.agent = rememberingLine(line, this.#options.history);
    member.tellsVoice = this.#options.terms.voice_events;
    this.#ahead = new SpokenAhead(line, member, desk.clock);
    this.#state = { name: 'connected', index, member, line };
    this.#catchUp(line.leg.id, nowMs);
  }

  /** What the caller said while nobody heard it is heard now. */
  #catchUp(legId: string, nowMs: AtMs): void {
    const { caller } = this.#options;
    const channel = caller.channels.find(({ listenerId }) => listenerId === legId);
    const gap = this.#gap;
    this.#gap = undefined;
    if (channel === undefined || gap === undefined) return;
    this.stats.overwrittenFrames += gap.stats.overwrittenFrames;
    const frame = new Int16Array(frameSamples(caller.party.sampleRateHz));
    while (gap.shiftInto(frame)) channel.hear(frame, nowMs);
  }

  #heard(_nowMs: AtMs): void {
    this.#ahead?.look();
    if (this.#hasSpoken && !this.#isOwed) return;
    if (this.#state.name !== 'connected') return;
    this.#hasSpoken = true;
    this.#hasGreeted = true;
    this.#isOwed = false;
    this.#turns++;
    this.#cancelTimer?.();
  }

  #hungUp(nowMs: AtMs): void {
    if (this.#state.name !== 'connected') return;
    const { desk } = this.#options;
    const { member } = this.#state;
    const hadCaller = desk.conversation.partner === member;
    this.stop();
    if (hadCaller) desk.end('agent_hangup', nowMs);
    else desk.dismiss(member, { leg: 'hangup', call: 'agent_hangup' }, nowMs);
  }

  #expectAudio(): void {
    this.#cancelTimer?.();
    const { clock } = this.#options.desk;
    const { first_audio_timeout_ms } = this.#options.terms;
    this.#cancelTimer = clock.after(first_audio_timeout_ms, () => this.#stalled(clock.nowMs()));
  }

  #stalled(nowMs: AtMs): void {
    const { index } = this.#state as Extract<ChainState, { name: 'dialling' | 'connected' }>;
    const isLast = index + 1 >= this.#options.terms.backends.length;
    // Whoever was heard before may think: it is left only for somebody else, and not when it is settled in.
    if (this.#hasSpoken && (isLast || this.#turns >= SETTLED_TURNS)) return;
    this.#moveOn('first_audio_timeout', index + 1, nowMs);
  }

  #moveOn(error: string, next: number, nowMs: AtMs): void {
    const { desk, terms, history } = this.#options;
    const was = this.#state;
    if (was.name !== 'dialling' && was.name !== 'connected') return;
    this.stats.failures++;
    if (was.name === 'dialling') was.dialled.cancel();
    this.#letGo();
    this.#state = { name: 'idle' };
    const provider = terms.backends[was.index]!.name;
    desk.emit('agent_failed', { provider, error, fallback: terms.backends[next]?.name ?? null }, nowMs);
    this.#leavePlace(nowMs);
    if (was.name === 'connected') {
      history.lost(waitingFramesOf(was.member));
      const leg = error === 'connection_lost' ? 'connection_lost' : 'removed';
      desk.dismiss(was.member, { leg, call: 'no_agent' }, nowMs);
    }
    if (desk.state.name === 'active') this.#dial(next, nowMs);
  }

  /** Another backend is another leg: whoever's place was kept is gone. */
  #leavePlace(nowMs: AtMs): void {
    const { desk } = this.#options;
    const member = this.#placeId === undefined ? undefined : desk.roster.find(this.#placeId);
    this.#placeId = undefined;
    if (member !== undefined) desk.dismiss(member, { leg: 'connection_lost', call: 'no_agent' }, nowMs);
  }

  #restore(kept: JsonObject): void {
    const { desk, terms } = this.#options;
    if (kept['is_over'] === true) this.#state = { name: 'over' };
    this.#first = Math.min(numberOf(kept['index']) ?? 0, terms.backends.length);
    const legId = textOf(kept['leg_id']);
    if (legId !== undefined && desk.roster.find(legId) !== undefined) this.#placeId = legId;
    this.#hasGreeted = kept['has_greeted'] === true;
    this.#turns = numberOf(kept['turns']) ?? 0;
    this.stats.reconnects = numberOf(kept['reconnects']) ?? 0;
  }

  #exhausted(nowMs: AtMs): void {
    const { desk, terms } = this.#options;
    this.#leavePlace(nowMs);
    this.stop();
    // Whoever else has the caller keeps it.
    if (terms.when_unavailable === 'go_on' || desk.conversation.partner !== undefined) return;
    desk.end('no_agent', nowMs);
  }

  #letGo(): void {
    this.#cancelTimer?.();
    this.#ahead?.close();
    this.#ahead = undefined;
  }
}
