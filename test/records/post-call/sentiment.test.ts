import { describe, expect, it } from 'vitest';
import { labelOf, sentimentOf } from '../../../src/records/post-call/sentiment.ts';
import { said } from './said.ts';

const moodOf = (text: string) => {
  const { score, label } = sentimentOf([said('caller', text)]);
  return { score, label };
};

describe('the mood of what was said', () => {
  it('is the mean valence of the words that have one', () => {
    // AFINN-165: good +3, bad −3, wonderful +4.
    expect(moodOf('This is good.')).toEqual({ score: 0.6, label: 'positive' });
    expect(moodOf('This is bad!')).toEqual({ score: -0.6, label: 'negative' });
    expect(moodOf('A wonderful start and a bad end')).toEqual({ score: 0.1, label: 'neutral' });
  });

  it('is turned round by a negation, within its clause and a few words', () => {
    expect(moodOf("It isn't good").score).toBe(-0.6);
    expect(moodOf('It isn’t a very good line').score).toBe(-0.6);
    expect(moodOf('not bad').score).toBe(0.6);
    expect(moodOf('No, that is good').score).toBe(0.6);
    expect(moodOf('not what I came here for but good').score).toBe(0.6);
  });

  it('is neutral where no word says anything', () => {
    expect(moodOf('The number is on the form')).toEqual({ score: 0, label: 'neutral' });
    expect(sentimentOf([])).toEqual({
      method: 'afinn-165',
      score: 0,
      label: 'neutral',
      parties: {},
      over_time: [],
    });
  });

  it('is told for each party, and over time', () => {
    const segments = [
      said('caller', 'This is terrible.', 0, 1_000),
      said('agent', 'I am happy to help.', 1_000, 2_000),
      said('caller', 'Thanks, excellent!', 2_000, 3_000),
    ];
    const { parties, over_time } = sentimentOf(segments);
    expect(parties['caller']!.score).toBeCloseTo((-3 + 2 + 3) / 15, 3);
    expect(parties['agent']!.label).toBe('positive');
    expect(over_time.map(({ start_ms, label }) => [start_ms, label])).toEqual([
      [0, 'negative'],
      [1_000, 'positive'],
      [2_000, 'positive'],
    ]);
  });

  it('has ten spans at most, and no segment in two of them', () => {
    const segments = Array.from({ length: 37 }, (_, i) => said('caller', 'good', i * 10, i * 10 + 9));
    const { over_time } = sentimentOf(segments);
    expect(over_time).toHaveLength(10);
    expect([over_time[0]!.start_ms, over_time.at(-1)!.end_ms]).toEqual([0, 369]);
    for (let i = 1; i < 10; i++) expect(over_time[i]!.start_ms).toBe(over_time[i - 1]!.end_ms! + 1);
  });

  it('knows no words of the language it is written in', () => {
    expect(moodOf('constructor toString __proto__ hasOwnProperty')).toEqual({ score: 0, label: 'neutral' });
  });

  it('keeps its score between −1 and 1, and its labels apart', () => {
    expect(moodOf('superb breathtaking outstanding').score).toBe(1);
    expect([labelOf(-0.11), labelOf(-0.1), labelOf(0.1), labelOf(0.11)]).toEqual([
      'negative',
      'neutral',
      'neutral',
      'positive',
    ]);
  });
});
