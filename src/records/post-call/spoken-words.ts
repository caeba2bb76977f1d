// The words English cannot do without: half of what anybody says, and rare in every other language.
const FUNCTION_WORDS = new Set(
  (
    'the a an and or but if of to in on at for with from by about is are was were be been am do does did ' +
    'have has had will would can could should i you he she it we they me my your his her our their this ' +
    "that these those there here what who which when where why how not no yes so i'm you're it's that's " +
    "don't i'll we'll i've can't please"
  ).split(' '),
);
/** Of fewer words nobody can tell the language. */
const WORDS_MIN = 5;
const ENGLISH_RATIO_MIN = 0.25;
const LOOKED_AT_MAX = 5_000;

/** The words of a text in lower case; apostrophes stay inside of them. */
export function wordsOf(text: string): readonly string[] {
  return (
    text
      .toLowerCase()
      .replaceAll('’', "'")
      .match(/\p{L}[\p{L}\p{M}']*/gu) ?? []
  );
}

/** `en` where the words are English; null where that cannot be said. */
export function languageOf(texts: readonly string[]): 'en' | null {
  let [words, known] = [0, 0];
  for (const text of texts) {
    for (const word of wordsOf(text)) {
      words++;
      if (FUNCTION_WORDS.has(word)) known++;
    }
    if (words >= LOOKED_AT_MAX) break;
  }
  return words >= WORDS_MIN && known / words >= ENGLISH_RATIO_MIN ? 'en' : null;
}
