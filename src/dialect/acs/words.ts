import type { MediaWords } from '../json-media/words.ts';

/** How one writer of this protocol spells its words; Azure's own writers differ (see `casing`). */
export interface AcsSpelling {
  readonly words: MediaWords;
  /** What stands before the payload of audio to Azure, and behind it. */
  readonly audio: readonly [head: string, tail: string];
  readonly stop: object;
}

function wordsOf(kindKey: string, kind: string, container: string, payload: string): MediaWords {
  return {
    kindKey,
    kinds: [kind],
    container,
    payload,
    sequence: null,
    // `timestamp` is the time of day as a text.
    timestamp: null,
    track: null,
    tracks: [],
  };
}

/** What Azure says itself, and its pages show of what is said by it. */
export const AS_AZURE = wordsOf('kind', 'AudioData', 'audioData', 'data');

/** Everything in small letters: what is left when spelling is not looked at. */
export const IN_SMALL_LETTERS = wordsOf('kind', 'audiodata', 'audiodata', 'data');

/** The spellings seen of what is said to Azure, which is said to take any. */
export const SPELLINGS: Readonly<Record<string, AcsSpelling>> = {
  // Microsoft's pages for C# and Python (MicrosoftDocs/azure-docs 03e5750).
  pascal: {
    words: wordsOf('Kind', 'AudioData', 'AudioData', 'Data'),
    audio: ['{"Kind":"AudioData","AudioData":{"Data":"', '"},"StopAudio":null}'],
    stop: { Kind: 'StopAudio', AudioData: null, StopAudio: {} },
  },
  camel: {
    words: AS_AZURE,
    audio: ['{"kind":"AudioData","audioData":{"data":"', '"},"stopAudio":null}'],
    stop: { kind: 'StopAudio', audioData: null, stopAudio: {} },
  },
  // As `OutStreamingData` of its JavaScript SDK is serialized, by two independent users.
  javascript: {
    words: wordsOf('kind', 'audioData', 'audioData', 'data'),
    audio: [
      '{"kind":"audioData","audioData":{"data":"',
      '","timestamp":null,"participant":null,"isSilent":false},"stopAudio":null}',
    ],
    stop: { kind: 'stopAudio', audioData: null, stopAudio: {} },
  },
};
