import { describe, expect, it } from 'vitest';
import { soundingsOf } from '../../../../native-bench/tones/line-sounds.ts';
import { judge } from '../../../../native-bench/tones/answers.ts';
import { Dice } from '../../../../native-bench/vad/dice.ts';
import { AnswerJudge, type AnswerResult } from '../../../../src/media/tones/answer/answer-judge.ts';
import { ANSWER_DEFAULTS } from '../../../../src/media/tones/answer/answer-settings.ts';
import type { ToneName } from '../../../../src/media/tones/tone-edge.ts';
import { readHello } from '../../../fakes/hello.ts';

const STOP_MS = 300;
const START_MS = 40;

/** Tells a judge of voices as a detector would, in steps of a frame, until there is a verdict. */
function verdict(
  voices: readonly (readonly [fromMs: number, toMs: number])[],
  settings = ANSWER_DEFAULTS,
  answeredAtMs = 0,
): AnswerResult | undefined {
  const judged = new AnswerJudge(answeredAtMs, settings);
  for (let atMs = 20; atMs <= 10_000; atMs += 20) {
    for (const [fromMs, toMs] of voices) {
      if (atMs === fromMs + START_MS) {
        judged.hearVoice({ type: 'voice_detected', atMs, onsetMs: fromMs, levelDbfs: -20 });
      }
      if (atMs === toMs + STOP_MS) {
        judged.hearVoice({ type: 'voice_ended', atMs, durationMs: toMs - fromMs });
      }
    }
    const result = judged.advance(atMs) ?? judged.result;
    if (result !== undefined) return result;
  }
  return undefined;
}

const tone = (name: ToneName, atMs: number) =>
  ({ type: 'tone_detected', tone: name, atMs, onsetMs: atMs - 300, confidence: 0.9 }) as const;

describe('AnswerJudge', () => {
  it('takes who says a short hello and listens for human', () => {
    expect(verdict([[400, 900]])).toEqual({
      result: 'human',
      cause: 'silence_after_greeting',
      decidedMs: 1700,
    });
  });

  it('takes who speaks on for a machine, as soon as that is so', () => {
    expect(verdict([[400, 6000]])).toEqual({ result: 'machine', cause: 'long_greeting', decidedMs: 1900 });
  });

  it('adds up what is said with pauses', () => {
    expect(
      verdict([
        [400, 1200],
        [1600, 2800],
      ]),
    ).toEqual({
      result: 'machine',
      cause: 'long_greeting',
      decidedMs: 2300,
    });
  });

  it('takes who says nothing for a machine', () => {
    expect(verdict([])).toEqual({ result: 'machine', cause: 'initial_silence', decidedMs: 2500 });
  });

  it('counts words', () => {
    const words = [
      [200, 400],
      [800, 1000],
      [1400, 1600],
      [2000, 2200],
    ] as const;
    expect(verdict(words)).toMatchObject({ result: 'machine', cause: 'many_words' });
    expect(verdict(words, { ...ANSWER_DEFAULTS, wordsMax: 9 })).toMatchObject({ result: 'human' });
  });

  it('does not take a click for a hello', () => {
    expect(verdict([[400, 460]])).toMatchObject({ result: 'machine', cause: 'initial_silence' });
  });

  it('gives up in time', () => {
    const patient = { ...ANSWER_DEFAULTS, initialSilenceMs: 60_000 };
    expect(verdict([], patient)).toEqual({ result: 'unknown', cause: 'time_up', decidedMs: 5000 });
    const hesitant = [
      [2400, 2700],
      [3300, 3600],
      [4200, 4500],
    ] as const;
    expect(verdict(hesitant)).toMatchObject({ result: 'unknown', cause: 'time_up' });
  });

  it('counts from the answer, and only the voice after it', () => {
    expect(verdict([], ANSWER_DEFAULTS, 3000)).toMatchObject({ cause: 'initial_silence', decidedMs: 2500 });
    expect(verdict([[2000, 3400]], ANSWER_DEFAULTS, 3000)).toEqual({
      result: 'human',
      cause: 'silence_after_greeting',
      decidedMs: 1200,
    });
  });

  it('knows a machine by its beep, a fax by its call, and a busy line by its tone', () => {
    const told = (name: ToneName): AnswerResult | undefined => new AnswerJudge(0).hearTone(tone(name, 1000));
    expect(told('beep')).toEqual({ result: 'machine', cause: 'beep', decidedMs: 1000 });
    expect(told('fax_cng')).toMatchObject({ result: 'machine', cause: 'fax' });
    expect(told('fax_ced')).toMatchObject({ result: 'machine', cause: 'fax' });
    expect(told('busy')).toMatchObject({ result: 'unknown', cause: 'no_answer' });
    expect(new AnswerJudge(2000).hearTone(tone('ringback', 1000))).toBeUndefined();
    expect(
      new AnswerJudge(0).hearTone({ type: 'tone_ended', tone: 'busy', atMs: 9, durationMs: 9 }),
    ).toBeUndefined();
  });

  it('gives one verdict', () => {
    const judged = new AnswerJudge(0);
    const first = judged.hearTone(tone('beep', 1000));
    expect(judged.hearTone(tone('fax_ced', 2000))).toBeUndefined();
    expect(judged.advance(9000)).toBeUndefined();
    expect(judged.finish(9000)).toBeUndefined();
    expect(judged.result).toBe(first);
  });

  it('does not know who hung up at once', () => {
    expect(new AnswerJudge(500).finish(900)).toEqual({ result: 'unknown', cause: 'hung_up', decidedMs: 400 });
  });

  it('hears all this in sound: a word is human, a speech is a machine, and so is a beep', () => {
    const { samples } = readHello();
    const silence = new Int16Array(8000 * 3);
    const spoken = samples.subarray(0, 8000 * 6);
    const firstLoud = spoken.findIndex((sample) => Math.abs(sample) > 1000);
    const word = spoken.slice(Math.max(0, firstLoud - 800), firstLoud + 3200);
    const beep = soundingsOf([{ hz: [1000], ms: 400 }], { rateHz: 8000 }, new Dice(3));
    const join = (...parts: Int16Array[]): Int16Array => Int16Array.of(...parts.flatMap((part) => [...part]));
    const lead = silence.subarray(0, 4000);
    expect(judge(join(lead, word, silence), 8000).answer).toMatchObject({ result: 'human' });
    expect(judge(join(lead, spoken, silence), 8000).answer).toMatchObject({ result: 'machine' });
    expect(judge(join(lead, beep, silence), 8000).answer).toMatchObject({ result: 'machine', cause: 'beep' });
    expect(judge(silence, 8000).answer).toMatchObject({ result: 'machine', cause: 'initial_silence' });
  });
});
