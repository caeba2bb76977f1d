import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { expect, it } from 'vitest';
import type { JsonObject } from '../../../src/base/json.ts';
import { systemClock } from '../../../src/base/clock.ts';
import { HttpAnalyserWire } from '../../../src/control/post-call/analyser-wire.ts';
import { HostPostCall } from '../../../src/control/post-call/host-post-call.ts';
import type { Envelope } from '../../../src/events/envelope.ts';
import type { CommittedEvent } from '../../../src/events/journal.ts';
import type { AnalyserReply } from '../../../src/records/post-call/analyser.ts';
import { callEnvelopes } from '../../fakes/call-envelopes.ts';
import { FakeClock } from '../../fakes/clock.ts';
import { FakeRecordings } from '../../fakes/recording-desk.ts';
import { atTheEnd, describeOnEachEngine, openTempStore } from '../../store/temp-store.ts';
import type { Store } from '../../../src/store/store.ts';
import { until } from '../../fakes/until.ts';

const SECRET = `whsec_${Buffer.alloc(24, 5).toString('base64')}`;
const SAID = [
  { speaker: 'agent', text: 'Good morning, how can I help you today?', start_ms: 0, end_ms: 900 },
  { speaker: 'caller', text: 'My order is late and this is terrible.', start_ms: 1_000, end_ms: 2_000 },
];

interface SceneOptions {
  readonly callId?: string;
  readonly said?: readonly JsonObject[];
  readonly replies?: readonly AnalyserReply[];
  readonly store?: Store;
}

/** A call that is over, in a store whose host may live or not. */
async function openScene({ callId = 'call_1', said = SAID, replies, store: given }: SceneOptions = {}) {
  const store = given ?? (await openTempStore());
  const { next } = callEnvelopes(callId);
  const told = [
    next('call_started'),
    ...said.map((segment) => next('transcript_segment', { ...segment, leg_id: 'leg_1' })),
    next('call_ended', { duration_ms: 5_000, reason: 'caller_hangup' }, 'ended'),
    next('call_completed', { duration_ms: 5_000, reason: 'caller_hangup', recordings: [] }, 'ended'),
  ];
  await store.journal.append(
    told.map((envelope) => ({ envelope, stamps: { receivedAtMs: 1, decidedAtMs: 1 } })),
  );
  const clock = new FakeClock();
  const announced: CommittedEvent[] = [];
  const asked: string[] = [];
  const recordings = new FakeRecordings();
  const openHost = () => {
    const left = [...(replies ?? [])];
    const analyser = replies && {
      ask: async (body: string): Promise<AnalyserReply> => {
        asked.push(body);
        return left.shift() ?? { type: 'lost', detail: 'unreachable' };
      },
      close: async () => {},
    };
    const host = new HostPostCall({
      store,
      recordings,
      analyser,
      publicUrl: 'http://here',
      announce: (events) => void announced.push(...events),
      clock,
      log: { warn: () => {} },
    });
    atTheEnd(() => host.close());
    return host;
  };
  const eventsOf = async (type: string): Promise<readonly Envelope[]> => {
    const query = { workspaceId: 'ws_default', resourceId: callId, types: [type], limit: 100 };
    return (await store.journal.read(query)).map(({ envelope }) => envelope);
  };
  return { store, clock, announced, asked, recordings, openHost, eventsOf };
}

const answer = (body: object): AnalyserReply => ({
  type: 'answer',
  status: 200,
  body: JSON.stringify(body),
  isWhole: true,
});

describeOnEachEngine('a call that is over', () => {
  it('has its transcript and what it was like told once, numbered on, each naming its method', async () => {
    const { openHost, announced, eventsOf } = await openScene();
    openHost().wake();
    await until(() => announced.length === 2);
    expect(announced.map(({ envelope: { type, sequence } }) => [type, sequence])).toEqual([
      ['transcript_complete', 6],
      ['call_analyzed', 7],
    ]);
    const [complete] = await eventsOf('transcript_complete');
    expect(complete!.data).toMatchObject({
      url: 'http://here/api/v1/calls/call_1/transcript',
      segment_count: 2,
      segments: SAID,
      is_cut: false,
    });
    const [analyzed] = await eventsOf('call_analyzed');
    expect(analyzed!.data).toMatchObject({
      state: 'ended',
      duration_ms: 5_000,
      reason: 'caller_hangup',
      sentiment: { method: 'afinn-165', parties: { caller: { score: -0.6, label: 'negative' } } },
      summary: { method: 'lexrank' },
      transcript: { segments: 2 },
      analysis: {
        language: 'en',
        sentiment: { method: 'afinn-165', reason: null },
        summary: { method: 'lexrank', reason: null },
        analyser: null,
      },
    });
  });

  it('without a transcript is told of with nulls, never a guess', async () => {
    const { openHost, announced } = await openScene({
      said: [],
      replies: [answer({ summary: { text: 'x' } })],
    });
    openHost().wake();
    await until(() => announced.length === 1);
    expect(announced[0]!.envelope.data).toMatchObject({
      sentiment: null,
      summary: null,
      transcript: null,
      analysis: { sentiment: { method: null, reason: 'no_transcript' }, analyser: null },
    });
  });

  it('in another language than the word list’s has no sentiment, and says why', async () => {
    const said = [{ speaker: 'caller', text: 'Ich möchte meine schöne Buchung für Montag ändern.' }];
    const { openHost, announced } = await openScene({ said });
    openHost().wake();
    await until(() => announced.length === 2);
    expect(announced[1]!.envelope.data).toMatchObject({
      sentiment: null,
      summary: { method: 'lexrank' },
      analysis: { language: null, sentiment: { method: null, reason: 'language' } },
    });
  });

  it('is what its analyser says of it', async () => {
    const body = { sentiment: { score: 0.5 }, summary: { text: 'A late order.' } };
    const { openHost, announced, asked } = await openScene({ replies: [answer(body)] });
    openHost().wake();
    await until(() => announced.length === 2);
    expect(JSON.parse(asked[0]!)).toMatchObject({ call_id: 'call_1', transcript: { segments: SAID } });
    expect(announced[1]!.envelope.data).toMatchObject({
      sentiment: { method: 'http', score: 0.5, label: 'positive' },
      summary: { method: 'http', text: 'A late order.' },
      analysis: { analyser: { outcome: 'answered', attempts: 1, error: null } },
    });
  });

  it('is measured here when its analyser was asked four times in vain', async () => {
    const { openHost, announced, asked, clock } = await openScene({ replies: [] });
    const host = openHost();
    host.wake();
    for (const [attempt, waitMs] of [5_000, 30_000, 120_000].entries()) {
      await until(() => host.runner.stats.retries === attempt + 1);
      // Sleeping: its next turn is set.
      await until(() => {
        clock.advance(waitMs);
        return asked.length > attempt + 1;
      });
    }
    await until(() => announced.length === 2);
    expect(asked).toHaveLength(4);
    expect(announced[1]!.envelope.data).toMatchObject({
      sentiment: { method: 'afinn-165' },
      analysis: { analyser: { outcome: 'given_up', attempts: 4, error: 'unreachable' } },
    });
  });

  it('is told of by the next life of a host that died in between, and by no other again', async () => {
    const { openHost, announced, eventsOf, clock, store } = await openScene();
    // What the dead one had taken is free again when its time is over.
    const nowUnixMs = clock.unixMs();
    expect(await store.analyses.claim('call_1', nowUnixMs, nowUnixMs + 30_000)).toBe('mine');
    const second = openHost();
    second.wake();
    await until(() => {
      clock.advance(5_000);
      return announced.length === 2;
    });
    const third = openHost();
    third.wake();
    await third.close();
    expect(await eventsOf('call_analyzed')).toHaveLength(1);
    expect(await store.analyses.cursor()).toBeGreaterThan(0);
  });

  it('is told of once by hosts that share a store', async () => {
    const { openHost, announced, eventsOf } = await openScene();
    const hosts = [openHost(), openHost(), openHost()];
    for (const host of hosts) host.wake();
    await until(() => announced.length === 2);
    for (const host of hosts) await host.close();
    expect(await eventsOf('call_analyzed')).toHaveLength(1);
    expect(await eventsOf('transcript_complete')).toHaveLength(1);
  });

  it('that is erased while its analyser thinks leaves no word behind', async () => {
    const scene = await openScene();
    const thinking = Promise.withResolvers<AnalyserReply>();
    let isAsked = false;
    const host = new HostPostCall({
      store: scene.store,
      recordings: scene.recordings,
      analyser: {
        ask: () => {
          isAsked = true;
          return thinking.promise;
        },
        close: async () => {},
      },
      publicUrl: 'http://here',
      announce: (events) => void scene.announced.push(...events),
      clock: scene.clock,
      log: { warn: () => {} },
    });
    atTheEnd(() => host.close());
    host.wake();
    await until(() => isAsked);
    const call = (await scene.store.calls.get('ws_default', 'call_1'))!;
    await host.erase(call);
    thinking.resolve(answer({ summary: { text: 'The order of Jane Doe is late.' } }));
    await until(() => scene.announced.length === 1);
    expect(scene.announced[0]!.envelope).toMatchObject({
      type: 'call_analyzed',
      data: { from: null, to: null, summary: null, transcript: null },
    });
    const everything = await scene.store.journal.read({ workspaceId: 'ws_default', limit: 100 });
    for (const word of ['Jane', 'terrible', '+1555']) expect(JSON.stringify(everything)).not.toContain(word);
  });

  it('is read in pages and erased with its recordings, but not while one is being written', async () => {
    const { openHost, store, recordings } = await openScene();
    const host = openHost();
    const call = (await store.calls.get('ws_default', 'call_1'))!;
    const first = await host.transcript(call, { cursor: undefined, limit: 1 });
    expect(first.segments).toMatchObject([{ sequence: 2, legId: 'leg_1', ...SAID[0] }]);
    const rest = await host.transcript(call, { cursor: first.nextCursor!, limit: 1 });
    expect([rest.segments[0]!.text, rest.nextCursor]).toEqual([SAID[1]!.text, null]);
    const recording = {
      id: 'rec_1',
      workspaceId: 'ws_default',
      testMode: false,
      callId: 'call_1',
      format: 'wav_g711',
      sampleRateHz: 8000,
      startedAt: '2026-11-20T12:00:00.000Z',
      durationMs: null,
      bytes: null,
      sha256: null,
      reason: null,
    };
    recordings.all.push({ ...recording, state: 'recording' });
    await expect(host.erase(call)).rejects.toMatchObject({ code: 'failed_precondition' });
    recordings.all.splice(0, 1, { ...recording, state: 'ready' });
    await host.erase(call);
    expect(recordings.all).toEqual([]);
    expect((await store.calls.get('ws_default', 'call_1'))!.head.from).toBeNull();
  });
});

/** A receiver of one request. */
async function openReceiver(
  answerWith: (request: IncomingMessage, response: ServerResponse, body: string) => void,
) {
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => answerWith(request, response, body));
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  atTheEnd(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/analyse`;
}

function wireTo(url: string, egressAllow: readonly string[] = ['127.0.0.0/8']): HttpAnalyserWire {
  const wire = new HttpAnalyserWire({
    url,
    secret: SECRET,
    clock: systemClock,
    egressAllow,
    userAgent: 'test',
  });
  atTheEnd(() => wire.close());
  return wire;
}

it('an analyser is asked by a signed request, and may answer so much', async () => {
  const url = await openReceiver((request, response, body) => {
    const headers = request.headers as Record<string, string>;
    expect(new Webhook(SECRET).verify(body, headers)).toEqual({ a: 1 });
    response.end('{"summary":{"text":"x"}}');
  });
  expect(await wireTo(url).ask('{"a":1}', 'call_1')).toEqual({
    type: 'answer',
    status: 200,
    body: '{"summary":{"text":"x"}}',
    isWhole: true,
  });
  const endless = await openReceiver((_request, response) => void response.end('x'.repeat(1_000_000)));
  expect(await wireTo(endless).ask('{}', 'call_1')).toMatchObject({ type: 'answer', isWhole: false });
});

it('an analyser is reached only where hooks may go', async () => {
  const url = await openReceiver((_request, response) => void response.end('{}'));
  expect(await wireTo(url, []).ask('{}', 'call_1')).toEqual({ type: 'blocked' });
  const gone = wireTo('http://127.0.0.1:1/');
  expect(await gone.ask('{}', 'call_1')).toEqual({ type: 'lost', detail: 'unreachable' });
});
