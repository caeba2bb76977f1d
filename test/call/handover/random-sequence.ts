import { seededRolls } from '../../../src/base/clock.ts';
import type { JsonObject } from '../../../src/base/json.ts';
import { Handovers } from '../../../src/call/handover/handovers.ts';
import { readCallCommand } from '../../../src/events/call-commands.ts';
import { l16 } from '../../../src/media/format.ts';
import type { Story, StoryParty } from '../../stories/story.ts';
import { Succession } from '../../stories/succession.ts';

const NATIVE = { dialect: 'native', format: l16(8000), agentId: null } as const;

/** Handovers, answers, joins, words, losses, ends and deaths, one after the other, in any order. */
export class RandomSequence {
  readonly nodes: Succession;
  readonly parties: StoryParty[];
  /** What went out to the caller's lines before the present one. */
  #heardBefore = 0;
  readonly #isMortal: boolean;
  readonly callId: string;
  readonly #roll: (sides: number) => number;
  /** Who came last for a handover that was open. */
  #target: StoryParty | undefined;

  /** Nodes of a mortal one die; its parties have a while to come back. */
  constructor(seed: number, { isMortal = false } = {}) {
    this.#roll = seededRolls(seed);
    this.#isMortal = isMortal;
    const parts = [(desk: ConstructorParameters<typeof Handovers>[0]) => new Handovers(desk)];
    const expires_at = '2026-11-20T12:05:00.000Z';
    const invitations = { mint: async () => ({ ws_url: 'ws://127.0.0.1/', token: 'a.b.c', expires_at }) };
    const limits = { resumeWindowMs: isMortal ? 2_000 : 0 };
    this.nodes = new Succession({ ports: { invitations, parts }, limits });
    this.parties = [this.nodes.arrives({ ...NATIVE, agentId: this.#pick([null, 'echo']) })];
    this.callId = this.nodes.call.id;
    this.#join('agent');
  }

  /** The node that has the call now. */
  get story(): Story {
    return this.nodes.node;
  }

  /** The caller's line, as it was last. */
  get caller(): StoryParty {
    return this.parties[0]!;
  }

  /** Frames that went out to the caller. */
  get heardFrames(): number {
    return this.#heardBefore + this.caller.heard.length;
  }

  get hasEnded(): boolean {
    return this.story.calls.get(this.callId) === undefined;
  }

  async step(): Promise<void> {
    if (this.#isMortal && this.#roll(15) === 0) return this.#dies();
    const party = this.#pick(this.parties);
    switch (this.#roll(14)) {
      case 0:
      case 1:
        return this.#handOver();
      case 2:
      case 3:
        return this.#join('human', this.#latestId());
      case 4:
        return this.#join(this.#pick(['human', 'agent', 'supervisor']));
      case 5:
        return this.#pick(this.#roll(12) === 0 ? this.parties : this.parties.slice(1)).losesItsSocket();
      case 6:
        return this.story.passes(this.#pick([10, 40, 500, 1_200]));
      case 7:
      case 8:
        return void this.#ask('answer_handover', {
          handover_id: this.#latestId() ?? 'ho_none',
          verdict: this.#pick(['accept', 'decline', 'complete', 'cancel']),
        });
      case 9:
        if (this.#roll(2) === 0) return void this.#ask('hold', { on: this.#roll(2) === 0 });
        return void this.#ask(this.#pick(['pause', 'resume']), {});
      default:
        return (this.#roll(3) === 0 ? party : (this.#target ?? party)).bursts(1 + this.#roll(6));
    }
  }

  /** Most of those who were there are back at the next node, in any order. */
  async #dies(): Promise<void> {
    this.nodes.dies({ afterMs: this.#pick([0, 40, 1_200]) });
    const order = this.parties.map((_, index) => index).toSorted(() => this.#roll(3) - 1);
    for (const index of order) {
      const party = this.parties[index]!;
      const isExpected = this.nodes.node.calls.get(this.callId)?.roster.find(party.legId) !== undefined;
      if (!isExpected || this.#roll(index === 0 ? 25 : 8) === 0) continue;
      if (index === 0) this.#heardBefore += party.heard.length;
      const back = await this.nodes.comesBack(party);
      this.parties[index] = back;
      if (this.#target === party) this.#target = back;
      if (this.#roll(4) === 0) this.story.passes(20);
    }
  }

  async #handOver(): Promise<void> {
    const leg = this.#pick(this.parties).legId;
    const target = this.#roll(4) === 0 ? { type: 'leg', to: leg } : { type: 'queue', to: 'sales' };
    const mode = this.#pick(['cold', 'warm', 'whisper']);
    const hold = this.#pick(['music', 'silence', 'agent_keeps_talking']);
    await this.#ask('hand_over', { target, mode, hold, timeout_ms: 1_000 });
  }

  #join(role: 'human' | 'agent' | 'supervisor', handoverId?: string): void {
    if (this.hasEnded || !this.story.call.roster.hasRoom) return;
    const invited = handoverId === undefined ? {} : { handoverId };
    const party = this.story.arrives({ ...NATIVE, role, callId: this.callId, ...invited });
    this.parties.push(party);
    if (handoverId !== undefined && party.socket.closed === undefined) this.#target = party;
  }

  #ask(name: string, args: JsonObject): unknown {
    const command = readCallCommand(name, args);
    if ('type' in command) throw new Error(command.detail);
    return this.story.calls.get(this.callId)?.command(command, this.story.clock.nowMs());
  }

  #latestId(): string | undefined {
    const started = this.story.events.findLast(({ type }) => type === 'handover_started');
    return started?.data['handover_id'] as string | undefined;
  }

  #pick<T>(values: readonly T[]): T {
    return values[this.#roll(values.length)]!;
  }
}
