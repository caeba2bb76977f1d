import { Ajv } from 'ajv';
import { parseObject } from '../../base/json.ts';
import { labelOf, type Mood, type Sentiment } from './sentiment.ts';
import type { Summary } from './summary/summary-desk.ts';

/** What an analyser may say of a call; whatever it leaves out is measured here. */
export interface AnalyserAnswer {
  readonly sentiment: Sentiment | null;
  readonly summary: Summary | null;
}

const SPEAKERS_MAX = 16;
const SUMMARY_CHARACTERS_MAX = 8_192;

const MOOD = {
  type: 'object',
  required: ['score'],
  properties: {
    score: { type: 'number', minimum: -1, maximum: 1 },
    label: { enum: ['positive', 'neutral', 'negative'] },
  },
} as const;

const ANSWER = {
  type: 'object',
  anyOf: [{ required: ['sentiment'] }, { required: ['summary'] }],
  properties: {
    sentiment: {
      anyOf: [
        { type: 'null' },
        {
          ...MOOD,
          properties: {
            ...MOOD.properties,
            parties: { type: 'object', maxProperties: SPEAKERS_MAX, additionalProperties: MOOD },
          },
        },
      ],
    },
    summary: {
      anyOf: [
        { type: 'null' },
        {
          type: 'object',
          required: ['text'],
          properties: { text: { type: 'string', minLength: 1, maxLength: SUMMARY_CHARACTERS_MAX } },
        },
      ],
    },
  },
} as const;

interface GivenMood {
  readonly score: number;
  readonly label?: Mood['label'];
}

interface GivenAnswer {
  readonly sentiment?: (GivenMood & { readonly parties?: { readonly [speaker: string]: GivenMood } }) | null;
  readonly summary?: { readonly text: string } | null;
}

const isAnswer = new Ajv().compile<GivenAnswer>(ANSWER);

/** The answer in a body; undefined where it is none. Fields nobody asked for are left out. */
export function readAnswer(body: string): AnalyserAnswer | undefined {
  const given: unknown = parseObject(body);
  if (!isAnswer(given)) return undefined;
  const { sentiment = null, summary = null } = given;
  return {
    sentiment: sentiment && {
      method: 'http',
      ...moodOf(sentiment),
      parties: Object.fromEntries(
        Object.entries(sentiment.parties ?? {}).map(([speaker, mood]) => [speaker, moodOf(mood)]),
      ),
      over_time: [],
    },
    summary: summary && { method: 'http', text: summary.text },
  };
}

function moodOf({ score, label }: GivenMood): Mood {
  return { score, label: label ?? labelOf(score) };
}
