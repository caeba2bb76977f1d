declare module 'lexrank.js' {
  /** Paragraphs of ranked sentences; a line of the text is a paragraph. */
  export default function lexrank(
    text: string,
  ): readonly (readonly { readonly text: string; readonly index: number; readonly weight: number }[])[];
}
