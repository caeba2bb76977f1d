import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { bargeInFor } from '../../src/call/barge-in/barge-in.ts';
import type { CallPart } from '../../src/call/call-part.ts';
import { Handovers } from '../../src/call/handover/handovers.ts';
import { ProviderHangUp } from '../../src/call/provider/provider-hang-up.ts';
import { recordingFor } from '../../src/call/recording/recording-part.ts';
import type { CallPorts, PostCall } from '../../src/call/ports.ts';
import { lastEventsOf } from '../../src/control/orphans/last-events.ts';
import type { JsonObject } from '../../src/base/json.ts';
import { applyToCall, type CallView } from '../../src/events/call-view.ts';
import type { Envelope } from '../../src/events/envelope.ts';
import { FORMATS } from '../../src/delivery/formats/format.ts';
import { envelopeIn } from '../../src/delivery/formats/payload-versions.ts';
import { POST_CALL_SCHEMA } from '../../src/events/post-call-schema.ts';
import { toldBy } from '../../src/events/told-call.ts';
import { l16 } from '../../src/media/format.ts';
import { analysed, UNHEARD } from '../../src/records/post-call/analysis.ts';
import { analysisEvents } from '../../src/records/post-call/analysis-events.ts';
import { transcriptOf } from '../../src/records/post-call/transcript.ts';
import { FakeClock } from '../fakes/clock.ts';
import { MemoryTapes } from '../fakes/memory-tapes.ts';
import { Story } from './story.ts';
import { Succession } from './succession.ts';

const NATIVE = { dialect: 'native', format: l16(8000), agentId: null } as const;
const POST_CALL: PostCall = {
  rates: {
    currency: 'EUR',
    rates: [
      { direction: 'inbound', agentId: null, perMinute: '0.0125' },
      { direction: 'any', agentId: 'echo', perMinute: '0.1' },
    ],
  },
  transcriptUrl: (callId) => `http://here/api/v1/calls/${callId}/transcript`,
};
const SAID = [
  {
    speaker: 'caller',
    text: 'Hello, I would like to change the booking that I have.',
    start_ms: 0,
    end_ms: 400,
  },
  { speaker: 'agent', text: 'That is great, I am happy to help you with it.', start_ms: 400, end_ms: 900 },
];

const isPostCall = new Ajv2020({ strict: false, validateFormats: false, allErrors: true }).compile(
  POST_CALL_SCHEMA,
);

function expectValid(data: JsonObject): void {
  isPostCall(JSON.parse(JSON.stringify(data)));
  expect(isPostCall.errors ?? []).toEqual([]);
}

/** What its events make of a call, and what is told of it in the end; both as the schema has it. */
async function toldOf(events: readonly Envelope[]): Promise<{ completed: JsonObject; analyzed: JsonObject }> {
  let view: CallView | undefined;
  for (const envelope of events) view = applyToCall(view, envelope, 'nod_1');
  const transcript = transcriptOf(events);
  const summarizer = { summaryOf: async () => ({ method: 'lexrank', text: 'A booking.' }) as const };
  const isSilent = transcript.segments.length === 0;
  const heard = { language: 'en', verdict: undefined, attempts: 1, summarizer };
  const analysis = isSilent ? UNHEARD : await analysed(transcript, heard);
  const clock = new FakeClock();
  const material = { call: view!, envelopes: events };
  const last = analysisEvents(
    { material, transcript, analysis, publicUrl: 'http://here', clock },
    view!.sequence,
  );
  const completed = events.find(({ type }) => type === 'call_completed')!.data;
  const analyzed = last.at(-1)!.envelope.data;
  expectValid(completed);
  expectValid(analyzed);
  return { completed, analyzed };
}

function portsWith(parts: CallPorts['parts'], more: CallPorts = {}): CallPorts {
  return { postCall: POST_CALL, ...more, parts: parts ?? [] };
}

describe('the post-call payload', () => {
  it('of an answered call tells who talked, interrupted, said what, was recorded, and what it cost', async () => {
    const parts = [recordingFor(new MemoryTapes(true)), bargeInFor({ policy: 'clear', hangoverMs: 300 })];
    const story = new Story({ ports: portsWith(parts) });
    const caller = story.arrives(NATIVE);
    const agent = story.arrives({ ...NATIVE, role: 'agent', callId: story.call.id });
    caller.silent(61_000);
    story.call.roster.find(agent.legId)!.agent = {
      ...story.call.roster.find(agent.legId)!.agent!,
      interrupt: () => {},
    };
    agent.bursts(200);
    caller.speaks(2_000);
    story.asks('add_transcript', { segments: SAID });
    story.asks('set_disposition', { disposition: 'sale' });
    story.asks('qualify', { score: 7, threshold: 5, criteria: { budget: true } });
    caller.hangsUp();
    const { completed, analyzed } = await toldOf(story.events);
    expect(completed).toMatchObject({
      cost: { amount: '0.025', currency: 'EUR', minutes: 2, per_minute: '0.0125' },
      disposition: 'sale',
      qualification: { score: 7, threshold: 5, criteria: { budget: true }, met: true },
      transcript: { url: POST_CALL.transcriptUrl(story.only('call_started').resource.id), segments: 2 },
      parties: [
        { leg_id: caller.legId, role: 'caller', interruptions: 1 },
        { leg_id: agent.legId, role: 'agent', interruptions: 0 },
      ],
      sentiment: null,
      summary: null,
    });
    expect(completed['recordings']).toHaveLength(1);
    expect((completed['parties'] as { talk_ms: number }[])[0]!.talk_ms).toBeGreaterThan(1_500);
    expect(analyzed).toMatchObject({
      duration_ms: completed['duration_ms'],
      legs: completed['legs'],
      sentiment: { method: 'afinn-165', parties: { agent: { label: 'positive' } } },
      summary: { method: 'lexrank', text: 'A booking.' },
    });
  });

  it('of an abandoned call has nothing to tell, and says so', async () => {
    const story = new Story({ ports: portsWith([]) });
    story.arrives(NATIVE).hangsUp();
    const { completed, analyzed } = await toldOf(story.events);
    expect(completed).toMatchObject({ duration_ms: 0, cost: { amount: '0', minutes: 0 }, transcript: null });
    expect(analyzed).toMatchObject({
      sentiment: null,
      summary: null,
      transcript: null,
      analysis: { sentiment: { method: null, reason: 'no_transcript' } },
    });
  });

  it('of a call that went on at another node is whole', async () => {
    const story = new Succession({ ports: portsWith([]) });
    const caller = story.arrives({ ...NATIVE, agentId: 'echo' });
    caller.speaks(1_000);
    story.node.asks('add_transcript', { segments: SAID });
    story.dies({ afterMs: 60_000 - 1_000 });
    const back = await story.comesBack(caller);
    back.speaks(1_000);
    back.hangsUp();
    const { completed } = await toldOf(story.events);
    expect(story.types).toContain('call_recovered');
    expect(completed).toMatchObject({ cost: { amount: '0.2', minutes: 2 }, transcript: { segments: 2 } });
  });

  it('of a long talk that went on at two more nodes counts every word of it', async () => {
    const story = new Succession({ ports: portsWith([]) });
    const caller = story.arrives({ ...NATIVE, agentId: 'echo' });
    for (let i = 0; i < 20; i++) story.node.asks('add_transcript', { segments: SAID });
    story.dies();
    const back = await story.comesBack(caller);
    story.node.asks('add_transcript', { segments: SAID });
    story.dies();
    (await story.comesBack(back)).hangsUp();
    const { completed } = await toldOf(story.events);
    expect(completed['transcript']).toMatchObject({ segments: 21 * SAID.length });
  });

  it('of a call that was lost with its node is what its events have told', async () => {
    const story = new Story({ ports: portsWith([]) });
    const caller = story.arrives({ ...NATIVE, agentId: 'echo' });
    caller.speaks(1_000);
    caller.silent(1_000);
    story.asks('add_transcript', { segments: SAID });
    story.asks('set_disposition', { disposition: 'sale' });
    let view: CallView | undefined;
    for (const envelope of story.events) view = applyToCall(view, envelope, 'nod_1');
    const obituary = { told: toldBy(story.events), postCall: POST_CALL };
    const last = lastEventsOf(view!, story.clock, obituary).map(({ envelope }) => envelope);
    const { completed } = await toldOf([...story.events, ...last]);
    expect(completed).toMatchObject({
      reason: 'node_lost',
      cost: { amount: '0.1' },
      disposition: 'sale',
      talk_ms: { caller: 1_000, agent: 0 },
      transcript: { segments: 2 },
    });
  });

  it('of a transferred call says that it was', async () => {
    const parts = [Handovers, ProviderHangUp].map(
      (Part) =>
        (desk: ConstructorParameters<typeof Part>[0]): CallPart =>
          new Part(desk),
    );
    const provider = { can: () => true, give: async () => ({ ok: true, value: null }) as const };
    const story = new Story({ ports: portsWith(parts, { provider }) });
    const caller = story.arrives({ dialect: 'twilio', agentId: null, credentialId: 'sc_1' });
    await story.asksLater('hand_over', { target: { type: 'phone', to: '+15550123' } });
    caller.speaks(400);
    caller.hangsUp();
    const { completed } = await toldOf(story.events);
    expect(completed['reason']).toBe('transferred');
  });

  it('of a call that a machine answered', async () => {
    const story = new Story({ ports: portsWith([]) });
    const callee = story.arrives({ dialect: 'twilio', agentId: null, parameters: { direction: 'outbound' } });
    story.asks('tell_answer', { result: 'machine' });
    callee.speaks(3_000);
    story.asks('set_disposition', { disposition: 'voicemail' });
    story.asks('hang_up');
    const { completed, analyzed } = await toldOf(story.events);
    expect(completed).toMatchObject({ direction: 'outbound', cost: null, disposition: 'voicemail' });
    expect((analyzed['timeline'] as { type: string }[]).map(({ type }) => type)).toContain('amd_result');
  });

  it('reaches every format of hooks, in its words', async () => {
    const story = new Story({ ports: portsWith([]) });
    const caller = story.arrives({ ...NATIVE, agentId: 'echo' });
    story.asks('add_transcript', { segments: SAID });
    caller.hangsUp();
    const completed = envelopeIn('2025-11-01', story.only('call_completed'));
    const cost = { amount: '0', currency: 'EUR', minutes: 0, per_minute: '0.1' };
    expect(FORMATS.omniflow(completed, [])['data']).toMatchObject({ cost, summary: null });
    expect(FORMATS.voiceoi(completed, [])).toMatchObject({ event: 'call_completed', cost, sentiment: null });
    expect(FORMATS.omniotap(completed, [])).toMatchObject({
      action: 'completed',
      data: { durationMs: 0, cost: { perMinute: '0.1' }, transcript: { segments: 2 } },
    });
    expect(FORMATS.omniai(completed, [])).toMatchObject({ event: 'call_completed', call: { summary: null } });
  });

  it('is refused by its schema where anything is not as it should be', () => {
    const story = new Story({ ports: portsWith([]) });
    story.arrives({ ...NATIVE, agentId: 'echo' }).hangsUp();
    const { data } = story.only('call_completed');
    expectValid(data);
    const wrong: JsonObject[] = [
      { cost: { amount: 0.1, currency: 'EUR', minutes: 1, per_minute: '0.1' } },
      { sentiment: { score: 2, label: 'positive', method: 'http', parties: {}, over_time: [] } },
      { state: 'active' },
      { transcript: { url: 'http://here', segments: 0 } },
      { reason: 'bored' },
      { surplus: 1 },
    ];
    for (const change of wrong) expect([change, isPostCall({ ...data, ...change })]).toEqual([change, false]);
  });
});
