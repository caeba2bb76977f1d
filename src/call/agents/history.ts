import { isObject, newestWithin, textOf } from '../../base/json.ts';
import { KIB } from '../../base/units.ts';
import type { AgentBackend } from '../agent-dialler.ts';

const FRAME_MS = 20;

type Turn = AgentBackend['history'][number];

/** A backend that takes over in mid-call is told so much of what was said. */
const TURNS_MAX = 60;
const CHARACTERS_MAX = 16_384;
/** So much of it goes with the call to its next owner: the newest of it, as JSON. */
const KEPT_BYTES_MAX = 16 * KIB;

/** What caller and agent have said to each other, as much of it as the next backend needs. */
export class History {
  readonly stats = { forgottenTurns: 0 };
  /** Frames of what the agent says now, or said last. */
  spokenFrames = 0;
  #turns: Turn[] = [];
  #characters = 0;

  get turns(): readonly Turn[] {
    return this.#turns;
  }

  add(speaker: Turn['speaker'], text: string): void {
    this.#turns.push({ speaker, text: text.slice(-CHARACTERS_MAX) });
    this.#characters += Math.min(text.length, CHARACTERS_MAX);
    while (this.#turns.length > TURNS_MAX || this.#characters > CHARACTERS_MAX) {
      this.#characters -= this.#turns.shift()!.text.length;
      this.stats.forgottenTurns++;
    }
  }

  save(): readonly Turn[] {
    return newestWithin(this.#turns, KEPT_BYTES_MAX);
  }

  restore(kept: unknown): void {
    for (const turn of Array.isArray(kept) ? kept : []) {
      const text = isObject(turn) ? textOf(turn['text']) : undefined;
      if (text !== undefined) this.add(turn.speaker === 'agent' ? 'agent' : 'caller', text);
    }
  }

  /** The caller heard only so much of what the agent said last: whole words of it are kept. */
  cutLast(heardMs: number): void {
    const heardRatio = heardMs / (this.spokenFrames * FRAME_MS);
    const index = this.#turns.findLastIndex(({ speaker }) => speaker === 'agent');
    const turn = this.#turns[index];
    if (turn === undefined || !(heardRatio < 1)) return;
    const words = turn.text.slice(0, Math.floor(turn.text.length * heardRatio));
    const text = words.replace(/\s*\S*$/, '');
    this.#characters -= turn.text.length - text.length;
    if (text === '') this.#turns.splice(index, 1);
    else this.#turns[index] = { speaker: 'agent', text };
  }
}
