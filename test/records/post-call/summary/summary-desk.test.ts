import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../../src/base/clock.ts';
import { sentencesOf, SENTENCES_MAX } from '../../../../src/records/post-call/summary/sentences.ts';
import { SummaryDesk } from '../../../../src/records/post-call/summary/summary-desk.ts';
import { said } from '../said.ts';

const desks: SummaryDesk[] = [];
afterEach(async () => {
  for (const desk of desks.splice(0)) await desk.close();
});

function openDesk(withinMs = 20_000): SummaryDesk {
  const desk = new SummaryDesk({ clock: systemClock, withinMs });
  desks.push(desk);
  return desk;
}

const BOOKING = [
  said('agent', 'Good morning, you speak with the travel desk. How may I help you today?'),
  said('caller', 'I want to change my flight booking to Lisbon from Monday to Tuesday.'),
  said('agent', 'Which flight booking to Lisbon would you like to change?'),
  said('caller', 'The flight booking to Lisbon on Monday morning. Yes.'),
  said('agent', 'I can change the flight booking to Lisbon to Tuesday morning for you.'),
  said('caller', 'My dog is called Bruno, by the way, and it rains here.'),
  said('agent', 'Your flight booking to Lisbon is changed to Tuesday morning now.'),
  said('caller', 'Somebody told me yesterday that pandas eat all day.'),
];

describe('the summary of a call', () => {
  it('is made of the sentences most like all others, in the order they were said', async () => {
    const summary = await openDesk().summaryOf(BOOKING);
    expect(summary?.method).toBe('lexrank');
    const lines = summary!.text.split('\n');
    expect(lines).toHaveLength(5);
    expect(lines.filter((line) => line.includes('Lisbon')).length).toBeGreaterThanOrEqual(4);
    expect(summary!.text).not.toContain('pandas');
    const places = lines.map((line) => BOOKING.findIndex(({ text }) => line.includes(text.slice(0, 30))));
    expect([...places].sort((a, b) => a - b)).toEqual(places);
  });

  it('may be ranked out of fewer sentences, where somebody waits for it, and on a thread that is warm', async () => {
    const desk = new SummaryDesk({ clock: systemClock, withinMs: 20_000, sentencesMax: 6 });
    desks.push(desk);
    desk.warm();
    desk.warm();
    const lines = (await desk.summaryOf(BOOKING))!.text.split('\n');
    expect(lines).toHaveLength(5);
    expect(desk.stats).toEqual({ overruns: 0, crashes: 0 });
  });

  it('is all of a short call', async () => {
    const summary = await openDesk().summaryOf(BOOKING.slice(1, 3));
    expect(summary?.text).toBe(
      'caller: I want to change my flight booking to Lisbon from Monday to Tuesday.\n' +
        'agent: Which flight booking to Lisbon would you like to change?',
    );
  });

  it('is null where nobody said a sentence', async () => {
    expect(await openDesk().summaryOf([said('caller', 'Yes.'), said('agent', 'One moment.')])).toBeNull();
    expect(await openDesk().summaryOf([])).toBeNull();
  });

  it('is null where ranking takes too long, and the next call has its own again', async () => {
    const hurried = openDesk(0);
    const long = Array.from({ length: 200 }, (_, i) => said('caller', `${'word '.repeat(50)} number ${i}.`));
    expect(await hurried.summaryOf(long)).toBeNull();
    expect(hurried.stats.overruns).toBe(1);
    expect(await openDesk().summaryOf(BOOKING)).not.toBeNull();
  });
});

describe('the sentences of a call', () => {
  it('are those of more than a few words, without what would trip the ranking', () => {
    const found = sentencesOf([
      said('caller', 'Well,,,, ,,  I | never got\nthe letter you sent. Yes. Right?'),
    ]);
    expect(found.map(({ text }) => text)).toEqual(['Well, I never got', 'the letter you sent.']);
  });

  it('are taken from everywhere in a long call', () => {
    const long = Array.from({ length: 1_000 }, (_, i) => said('caller', `this is the sentence number ${i}.`));
    const found = sentencesOf(long);
    expect(found).toHaveLength(SENTENCES_MAX);
    expect(found[0]!.text).toContain('number 0.');
    expect(Number(/\d+/.exec(found.at(-1)!.text)![0])).toBeGreaterThan(980);
  });
});
