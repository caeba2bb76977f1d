/** Texts that may grow side by side. */
const TEXTS_MAX = 16;
const TEXT_CHARACTERS_MAX = 16_384;

/** Texts that come in pieces, each told as far as it has grown. */
export class PartialTexts {
  readonly #texts = new Map<string, string>();

  /** The text so far, with this piece. */
  grow(id: string, piece: string): string {
    const text = ((this.#texts.get(id) ?? '') + piece).slice(0, TEXT_CHARACTERS_MAX);
    this.#texts.set(id, text);
    for (const oldest of this.#texts.keys()) {
      if (this.#texts.size <= TEXTS_MAX) break;
      this.#texts.delete(oldest);
    }
    return text;
  }

  /** The text is whole: forget its pieces. */
  done(id: string): void {
    this.#texts.delete(id);
  }
}
