import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/base/json.ts';
import type { Summaries } from '../../../src/call/handover/call-summary.ts';
import { Handovers } from '../../../src/call/handover/handovers.ts';
import type { TranscriptSegment } from '../../../src/events/call-commands/transcript.ts';
import { l16 } from '../../../src/media/format.ts';
import { Story } from '../../stories/story.ts';

const NATIVE = { dialect: 'native', format: l16(8000), agentId: null } as const;
const SUMMARY = { method: 'lexrank', text: 'caller: I want to change my booking.' };

type Answer = Awaited<ReturnType<Summaries['summaryOf']>>;

/** A caller, an agent, somebody to hand over to, and whoever sums up, who answers when told to. */
function openScene(said: readonly string[]) {
  const asked: (readonly TranscriptSegment[])[] = [];
  const { promise, resolve } = Promise.withResolvers<Answer>();
  const summaries: Summaries = {
    summaryOf: (segments) => {
      asked.push(segments);
      return promise;
    },
  };
  const parts = [(desk: ConstructorParameters<typeof Handovers>[0]) => new Handovers(desk)];
  const story = new Story({ ports: { summaries, parts } });
  const caller = story.arrives(NATIVE);
  const agent = story.arrives({ ...NATIVE, role: 'agent', callId: story.call.id });
  const other = story.arrives({ ...NATIVE, role: 'human', callId: story.call.id });
  if (said.length > 0) {
    story.asks('add_transcript', { segments: said.map((text) => ({ speaker: 'caller', text })) });
  }
  const handOver = (context: JsonObject = {}) =>
    story.asksLater('hand_over', { target: { type: 'leg', to: other.legId }, mode: 'warm', context });
  const told = (): unknown => (story.only('handover_started').data['context'] as JsonObject)['summary'];
  return { story, caller, agent, asked, answers: resolve, handOver, told };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('what the target of a handover is told of the call so far', () => {
  it('is null without a transcript, and nobody is asked', () => {
    const { asked, handOver, told } = openScene([]);
    expect(handOver()).toMatchObject({ ok: true, value: { context: { summary: null } } });
    expect([told(), asked]).toEqual([null, []]);
  });

  it('is in the asker’s own words where it has some', () => {
    const { asked, handOver, told } = openScene(['I want to change my booking.']);
    expect(handOver({ summary: 'a booking' })).toMatchObject({ ok: true });
    expect([told(), asked]).toEqual(['a booking', []]);
  });

  it('is made of the transcript, and says by which method; caller and agent talk on meanwhile', async () => {
    const { story, caller, agent, asked, answers, handOver, told } = openScene(['I want a booking.']);
    const handed = handOver();
    expect(asked.map((segments) => segments.map(({ text }) => text))).toEqual([['I want a booking.']]);
    agent.sendsFrame(1_000);
    story.passes(100);
    expect(caller.heard.map((frame) => frame[80])).toContain(1_000);
    expect(story.types).not.toContain('handover_started');
    answers(SUMMARY);
    expect(await handed).toMatchObject({ ok: true, value: { context: { summary: SUMMARY } } });
    expect(told()).toEqual(SUMMARY);
    const offered = story.only('handover_offered').data['context'] as JsonObject;
    expect(offered['summary']).toEqual(SUMMARY);
  });

  it.each([[''], [null]])('is made where the asker leaves it empty: %j', async (summary) => {
    const { answers, handOver, told } = openScene(['I want a booking.']);
    const handed = handOver({ summary });
    answers(SUMMARY);
    await handed;
    expect(told()).toEqual(SUMMARY);
  });

  it('is null, and counted, where nobody says it in time', async () => {
    const { story, answers, handOver, told } = openScene(['I want a booking.']);
    const handed = handOver();
    answers('unavailable');
    await handed;
    expect([told(), story.calls.counts.missingSummaries]).toEqual([null, 1]);
  });

  it('lets no second handover begin meanwhile', async () => {
    const { story, answers, handOver } = openScene(['I want a booking.']);
    const handed = handOver();
    expect(await handOver()).toMatchObject({ ok: false, fault: 'conflict' });
    answers(SUMMARY);
    await handed;
    expect(story.types.filter((type) => type === 'handover_started')).toHaveLength(1);
  });

  it('is told nobody where the caller has hung up meanwhile', async () => {
    const { story, caller, answers, handOver } = openScene(['I want a booking.']);
    const handed = handOver();
    caller.hangsUp();
    answers(SUMMARY);
    expect(await handed).toMatchObject({ ok: false, fault: 'failed_precondition' });
    await turn();
    expect(story.types).not.toContain('handover_started');
  });

  it('rests on the newest words of a long talk', async () => {
    const { asked, answers, handOver } = openScene(Array.from({ length: 200 }, (_, i) => `word ${i}`));
    const handed = handOver();
    answers(null);
    await handed;
    expect([asked[0]!.length, asked[0]!.at(-1)!.text]).toEqual([120, 'word 199']);
  });
});
