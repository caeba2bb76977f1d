/**
 * How long people say hello, and machines say more (the model of Asterisk's `app_amd`, with its
 * defaults).
 */
export interface AnswerSettings {
  /** Who says nothing for so long after the answer is a machine. */
  readonly initialSilenceMs: number;
  /** Who speaks for so long in all, pauses left out, is a machine. */
  readonly greetingMs: number;
  /** Who has spoken and then listens for so long is human. */
  readonly afterGreetingSilenceMs: number;
  /** Who is not known by then stays unknown. */
  readonly totalMs: number;
  /** Voice shorter than this is a click or a breath. */
  readonly wordMinMs: number;
  /** Who speaks so many times, with a pause between, is a machine. */
  readonly wordsMax: number;
}

/**
 * 2500, 1500 and 800 ms; the pauses between words are those of the voice detector, longer than
 * `app_amd`'s 50 ms.
 */
export const ANSWER_DEFAULTS: AnswerSettings = {
  initialSilenceMs: 2500,
  greetingMs: 1500,
  afterGreetingSilenceMs: 800,
  totalMs: 5000,
  wordMinMs: 100,
  wordsMax: 4,
};
