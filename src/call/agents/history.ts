import type { AtMs } from '../../base/clock.ts';
import { isObject, newestWithin, textOf } from '../../base/json.ts';
import { FRAME_MS, KIB } from '../../base/units.ts';
import type { AgentBackend } from '../agent-dialler.ts';

/** Who speaks just in time is never ahead: only a silence this long is one between two utterances. */
const PAUSE_MS = 300;

type Turn = AgentBackend['history'][number];

/** A backend that takes over in mid-call is told so much of what was said. */
const TURNS_MAX = 60;
const CHARACTERS_MAX = 16_384;
/** Stretches of speech that may wait to be heard; of more than these the oldest are taken as heard. */
const UTTERANCES_MAX = 64;
/** So much of it goes with the call to its next owner: the newest of it, as JSON. */
const KEPT_BYTES_MAX = 16 * KIB;

/** One stretch of the agent's speech, and what was written down of it. */
interface Utterance {
  readonly itemId: string | null;
  spokenFrames: number;
  /** Said before the last time that nothing waited to be heard: that much is heard for sure. */
  sureFrames: number;
  turns: Turn[];
  /** Less than 1 where it was cut short before it was written down. */
  heardRatio: number;
}

/** What caller and agent have said to each other, as much of it as the next backend needs. */
export class History {
  /** `unkeptTurns`: those a next owner of the call was not told, as many as were ever left out at once. */
  readonly stats = { forgottenTurns: 0, forgottenUtterances: 0, unkeptTurns: 0 };
  #turns: Turn[] = [];
  /** What the agent says now, or said last, and what waits behind it to be heard. */
  #utterances: Utterance[] = [];
  /** The agent has named what it says, and has not said that it is over. */
  #isNamed = false;
  #spokeAtMs: AtMs = -Infinity;
  /** Written down before it is said, as some backends do. */
  #turnsAhead: Turn[] = [];
  #characters = 0;

  get turns(): readonly Turn[] {
    return this.#turns;
  }

  add(speaker: Turn['speaker'], text: string): void {
    if (speaker === 'agent') this.#addAgent(text);
    else this.#push({ speaker, text: text.slice(-CHARACTERS_MAX) });
  }

  /** The agent names what it says from now on. */
  began(itemId: string | null, waitingFrames: number): void {
    this.#isNamed = true;
    if (waitingFrames === 0) this.#utterances = [];
    this.#begin(itemId);
  }

  ended(): void {
    this.#isNamed = false;
  }

  /** Per frame of the agent. Without a word of it something new begins after a pause. */
  spoke(waitingFrames: number, nowMs: AtMs): void {
    const isFresh = !this.#isNamed && waitingFrames <= 1 && nowMs - this.#spokeAtMs > PAUSE_MS;
    this.#spokeAtMs = nowMs;
    if (isFresh) this.#utterances = [];
    if (this.#utterances.length === 0) this.#begin(null);
    const utterance = this.#utterances.at(-1)!;
    if (waitingFrames <= 1 && !this.#isNamed) utterance.sureFrames = utterance.spokenFrames;
    utterance.spokenFrames++;
  }

  /** What was heard while so many frames of the agent wait: those go with its line. */
  save(waitingFrames: number): readonly Turn[] {
    const turns = this.#heardTurns(waitingFrames);
    const kept = newestWithin(turns, KEPT_BYTES_MAX);
    this.stats.unkeptTurns = Math.max(this.stats.unkeptTurns, turns.length - kept.length);
    return kept;
  }

  /** The agent's line is gone, and with it so many frames that nobody has heard. */
  lost(waitingFrames: number): void {
    const turns = this.#heardTurns(waitingFrames);
    this.#utterances = [];
    this.#isNamed = false;
    this.#turnsAhead = [];
    this.#turns = [...turns];
    this.#characters = turns.reduce((sum, { text }) => sum + text.length, 0);
  }

  /** What was said on a line that is gone is not cut by what is heard on this one. */
  restore(kept: unknown): void {
    for (const turn of Array.isArray(kept) ? kept : []) {
      const text = isObject(turn) ? textOf(turn['text']) : undefined;
      const speaker = isObject(turn) && turn['speaker'] === 'agent' ? 'agent' : 'caller';
      if (text !== undefined) this.#push({ speaker, text: text.slice(-CHARACTERS_MAX) });
    }
  }

  /**
   * The caller heard only so much of this item, or of the latest, and nothing of what was said after it:
   * whole words of what was heard are kept, also where they are written down only later.
   */
  cut(itemId: string | null, heardMs: number): void {
    const named = this.#utterances.findLastIndex((one) => itemId !== null && one.itemId === itemId);
    const first = named < 0 ? this.#utterances.length - 1 : named;
    for (const [index, utterance] of this.#utterances.entries()) {
      const { spokenFrames, sureFrames } = utterance;
      if (index === first) this.#cutOne(utterance, (sureFrames + heardMs / FRAME_MS) / spokenFrames);
      else if (index > first) this.#cutOne(utterance, 0);
    }
  }

  #begin(itemId: string | null): void {
    const turns = this.#turnsAhead;
    this.#utterances.push({ itemId, spokenFrames: 0, sureFrames: 0, turns, heardRatio: 1 });
    this.#turnsAhead = [];
    if (this.#utterances.length <= UTTERANCES_MAX) return;
    this.#utterances.shift();
    this.stats.forgottenUtterances++;
  }

  /** What waits is the end of what was said: of the latest stretch, and of those before it. */
  #heardTurns(waitingFrames: number): readonly Turn[] {
    const texts = new Map<Turn, string>();
    let leftFrames = waitingFrames;
    for (const { spokenFrames, heardRatio, turns } of this.#utterances.toReversed()) {
      const unheardFrames = Math.min(leftFrames, spokenFrames);
      leftFrames -= unheardFrames;
      const ratio = (spokenFrames - unheardFrames) / spokenFrames;
      if (unheardFrames > 0 && ratio < heardRatio) {
        for (const [turn, text] of heardTexts(turns, ratio)) texts.set(turn, text);
      }
    }
    const heard = this.#turns.map((turn) => ({ ...turn, text: texts.get(turn) ?? turn.text }));
    return heard.filter(({ text }) => text !== '');
  }

  #addAgent(said: string): void {
    const utterance = this.#utterances.find(({ turns }) => turns.length === 0);
    const text = heardOf(said.slice(-CHARACTERS_MAX), utterance?.heardRatio ?? 1);
    if (text === '') return;
    const turn: Turn = { speaker: 'agent', text };
    this.#push(turn);
    if (utterance === undefined) this.#turnsAhead = [...this.#turnsAhead, turn].slice(-TURNS_MAX);
    else utterance.turns = [turn];
  }

  #cutOne(utterance: Utterance, ratio: number): void {
    if (!(ratio < 1)) return;
    utterance.heardRatio = ratio;
    for (const [turn, text] of heardTexts(utterance.turns, ratio)) this.#replace(turn, text);
  }

  #replace(turn: Turn, text: string): void {
    const index = this.#turns.indexOf(turn);
    if (index < 0) return;
    this.#characters -= turn.text.length - text.length;
    if (text === '') this.#turns.splice(index, 1);
    else this.#turns[index] = { speaker: turn.speaker, text };
  }

  #push(turn: Turn): void {
    this.#turns.push(turn);
    this.#characters += turn.text.length;
    while (this.#turns.length > TURNS_MAX || this.#characters > CHARACTERS_MAX) {
      this.#characters -= this.#turns.shift()!.text.length;
      this.stats.forgottenTurns++;
    }
  }
}

/** What was heard of words that were said one after the other, while this much of them was. */
function heardTexts(turns: readonly Turn[], ratio: number): readonly (readonly [Turn, string])[] {
  let heardCharacters = ratio * turns.reduce((sum, { text }) => sum + text.length, 0);
  return turns.map((turn) => {
    const text = heardOf(turn.text, heardCharacters / turn.text.length);
    heardCharacters = Math.max(0, heardCharacters - turn.text.length);
    return [turn, text];
  });
}

/** Whole words of what was heard. */
function heardOf(text: string, ratio: number): string {
  if (!(ratio < 1)) return text;
  return text.slice(0, Math.floor(text.length * ratio)).replace(/\s*\S*$/, '');
}
