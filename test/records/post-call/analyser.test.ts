import { describe, expect, it } from 'vitest';
import { questionOf, verdictOf } from '../../../src/records/post-call/analyser.ts';
import { readAnswer } from '../../../src/records/post-call/analyser-answer.ts';
import { callView } from '../../api/open-test-api.ts';
import { said } from './said.ts';

const answered = (body: unknown, status = 200) =>
  verdictOf({ type: 'answer', status, body: JSON.stringify(body), isWhole: true });

describe('what an analyser answers', () => {
  it('is taken where it fits, and nothing else of it', () => {
    const body = {
      sentiment: { score: -0.4, parties: { caller: { score: 0.9 } }, mood: 'x' },
      summary: { text: 'Changed a booking.' },
      model: 'm-1',
    };
    expect(answered(body)).toEqual({
      type: 'answered',
      answer: {
        sentiment: {
          method: 'http',
          score: -0.4,
          label: 'negative',
          parties: { caller: { score: 0.9, label: 'positive' } },
          over_time: [],
        },
        summary: { method: 'http', text: 'Changed a booking.' },
      },
    });
  });

  it('may leave one of both out, or to us', () => {
    expect(readAnswer('{"summary":{"text":"x"}}')).toEqual({
      sentiment: null,
      summary: { method: 'http', text: 'x' },
    });
    expect(readAnswer('{"sentiment":null,"summary":{"text":"x"}}')?.sentiment).toBeNull();
  });

  it.each([
    '',
    'null',
    '[]',
    '{}',
    '{"sentiment":{"score":1.01}}',
    '{"sentiment":{"score":"0.5"}}',
    '{"sentiment":{"score":0,"label":"great"}}',
    '{"sentiment":{"score":0,"parties":{"caller":{"score":7}}}}',
    '{"summary":"text"}',
    '{"summary":{"text":""}}',
    `{"summary":{"text":"${'x'.repeat(8_193)}"}}`,
  ])('is refused where it is %s', (body) => {
    expect(readAnswer(body)).toBeUndefined();
  });

  it('is asked for again where it may come yet, and given up where it will not', () => {
    const failed = (error: string, isFinal: boolean) => ({ type: 'failed', error, isFinal });
    expect(verdictOf({ type: 'lost', detail: 'timeout' })).toEqual(failed('timeout', false));
    expect(verdictOf({ type: 'lost', detail: 'unreachable' })).toEqual(failed('unreachable', false));
    expect(verdictOf({ type: 'blocked' })).toEqual(failed('blocked', true));
    for (const status of [408, 425, 429, 500, 503]) {
      expect(answered({}, status)).toEqual(failed(`http_${status}`, false));
    }
    for (const status of [301, 400, 404, 410]) {
      expect(answered({}, status)).toEqual(failed(`http_${status}`, true));
    }
    expect(answered({ nothing: true })).toEqual(failed('invalid_answer', true));
    expect(verdictOf({ type: 'answer', status: 200, body: '{"summ', isWhole: false })).toEqual(
      failed('too_large', true),
    );
  });
});

describe('what an analyser is asked', () => {
  it('is who spoke with whom, and what was said', () => {
    const transcript = { segments: [said('caller', 'Hello.', 0, 400)], characters: 6, isCut: false };
    expect(JSON.parse(questionOf(callView(), transcript, 'en'))).toEqual({
      call_id: 'call_1',
      workspace_id: 'ws_default',
      test_mode: false,
      agent_id: 'echo',
      direction: 'inbound',
      started_at: '2026-11-20T12:00:00.000Z',
      ended_at: null,
      language: 'en',
      transcript: {
        segments: [{ speaker: 'caller', text: 'Hello.', start_ms: 0, end_ms: 400 }],
        is_cut: false,
      },
    });
  });

  it('is never more than fits', () => {
    const segments = Array.from({ length: 100 }, () => said('caller', 'x'.repeat(8_192)));
    const question = questionOf(callView(), { segments, characters: 819_200, isCut: false }, null);
    expect(question.length).toBeLessThan(256 * 1024);
    expect(JSON.parse(question).transcript).toMatchObject({ is_cut: true });
  });
});
