import { describe, expect, it } from 'vitest';
import { refuse, type Refusal } from '../../src/base/errors.ts';
import { audioCodesDialect } from '../../src/dialect/audiocodes/dialect.ts';
import { genesysDialect } from '../../src/dialect/genesys/dialect.ts';
import type { LegStarted } from '../../src/dialect/dialect.ts';
import { NEWCOMER, type Caller, type LegConnection } from '../../src/gateway/arrivals.ts';
import { PCMU_8K } from '../../src/media/format.ts';
import { MemorySocket } from '../fakes/memory-socket.ts';
import { Story } from './story.ts';

const CONVERSATION = '4a5b6c7d-1111-4222-8333-999900001111';
const RESUME = { type: 'session.resume', conversationId: CONVERSATION };
const INITIATE = { ...RESUME, type: 'session.initiate', supportedMediaFormats: ['raw/lpcm16_24'] };
const OURS: Caller = {
  ...NEWCOMER,
  workspaceId: 'ws_1',
  agentId: 'echo',
  testMode: false,
  credentialId: 'sc_1',
};

interface Line {
  readonly socket: MemorySocket;
  readonly line: LegConnection | Refusal;
  /** Texts that came back, but audio. */
  readonly said: readonly unknown[];
  says(message: object): void;
}

/** VoiceAI Connect on a connection of its own, with this first word. */
function connects(story: Story, first: object, caller: Caller = OURS): Line {
  const socket = new MemorySocket();
  const nowMs = story.clock.nowMs();
  const upgrade = { method: 'GET', headers: {}, target: '/', urls: [] };
  const session = audioCodesDialect.openSession({ nowMs, upgrade, options: {} });
  const into = { payload: new Uint8Array(65_536), payloadBytes: 0, sequence: -1, timestampMs: -1 };
  const started = session.read(Buffer.from(JSON.stringify(first)), false, into) as LegStarted;
  const arrival = { caller, dialect: audioCodesDialect, session, started, socket, receivedAtMs: nowMs };
  const line = story.arrivals.arrive(arrival, nowMs);
  return {
    socket,
    line,
    get said() {
      const texts = socket.sent.filter(({ isAudio }) => !isAudio);
      return texts.map(({ bytes }) => JSON.parse(Buffer.from(bytes).toString()) as unknown);
    },
    says: (message) =>
      'type' in line ? undefined : line.receive(Buffer.from(JSON.stringify(message)), false, nowMs),
  };
}

function loses(story: Story, { line }: Line): void {
  if (!('type' in line)) line.lost({ type: 'closed', closeCode: 1006 }, story.clock.nowMs());
}

describe('a provider that comes back by its own name of the call', () => {
  it('has its call again, with the audio it had, and is heard on the new connection', () => {
    const story = new Story({ limits: { resumeWindowMs: 30_000 } });
    const first = connects(story, INITIATE);
    loses(story, first);
    story.passes(10_000);
    const again = connects(story, RESUME);
    expect(again.said).toEqual([{ type: 'session.accepted', mediaFormat: 'raw/lpcm16_24' }]);
    expect(story.events.at(-1)).toMatchObject({ type: 'leg_connected', data: { resumed: true } });
    again.says({ type: 'userStream.start' });
    again.says({ type: 'userStream.chunk', audioChunk: Buffer.alloc(960, 1).toString('base64') });
    const echo = again.socket.sent.find(({ isAudio }) => isAudio);
    const { audioChunk } = JSON.parse(Buffer.from(echo!.bytes).toString()) as { audioChunk: string };
    expect(Buffer.from(audioChunk, 'base64')).toHaveLength(960);
    story.passes(60_000);
    expect(story.types).not.toContain('call_ended');
    story.only('call_started');
  });

  it('goes before newcomers, who are refused while the node is full', () => {
    const story = new Story({ limits: { resumeWindowMs: 30_000 } });
    loses(story, connects(story, INITIATE));
    story.refusal = refuse('overloaded', 'full');
    expect(connects(story, { ...INITIATE, conversationId: 'another' }).line).toMatchObject({
      fault: 'overloaded',
    });
    expect(connects(story, RESUME).line).not.toHaveProperty('fault');
    story.only('call_started');
  });

  it('finds nothing where its call has ended, and starts no other', () => {
    const story = new Story({ limits: { resumeWindowMs: 30_000 } });
    loses(story, connects(story, INITIATE));
    story.passes(31_000);
    expect(story.types).toContain('call_ended');
    expect(connects(story, RESUME).line).toMatchObject({ type: 'refusal', fault: 'call_not_found' });
    story.only('call_started');
  });

  it('finds no call of another credential', () => {
    const story = new Story({ limits: { resumeWindowMs: 30_000 } });
    connects(story, INITIATE);
    for (const credentialId of ['sc_2', null]) {
      const stranger = connects(story, RESUME, { ...OURS, credentialId });
      expect(stranger.line).toMatchObject({ fault: 'call_not_found' });
    }
    story.only('call_started');
  });
});

describe('a provider that is told to come back when the node leaves', () => {
  it('opens another session beside the old one (Genesys)', () => {
    const story = new Story({ resumeUrls: ['wss://b.example.com/media/genesys/'] });
    const socket = new MemorySocket();
    const nowMs = story.clock.nowMs();
    const upgrade = { method: 'GET', headers: {}, target: '/', urls: [] };
    const session = genesysDialect.openSession({ nowMs, upgrade, options: {} });
    const caller = genesysDialect.openCaller({
      nowMs,
      format: PCMU_8K,
      from: null,
      to: null,
      parameters: {},
      streamId: 's',
      callId: 'c',
      options: {},
      rtpHeaders: false,
    });
    const into = { payload: new Uint8Array(4_096), payloadBytes: 0, sequence: -1, timestampMs: -1 };
    const [open] = caller.hello();
    const started = session.read(open!.bytes, false, into) as LegStarted;
    const arrival = { caller: OURS, dialect: genesysDialect, session, started, socket, receivedAtMs: nowMs };
    story.arrivals.arrive(arrival, nowMs);
    expect(
      story.calls.all.map((call) => story.arrivals.farewells.goAway(call, 'wss://b.example.com')),
    ).toEqual([1]);
    const texts = socket.sent.map(({ bytes }) => JSON.parse(Buffer.from(bytes).toString()) as object);
    expect(texts).toMatchObject([
      { type: 'opened' },
      { type: 'reconnect', seq: 2, parameters: { info: 'draining' } },
    ]);
    expect(story.types).not.toContain('call_ended');
  });

  it('is not told where its protocol has no word for it (AudioCodes)', () => {
    const story = new Story({ resumeUrls: ['wss://b.example.com/media/audiocodes/'] });
    const line = connects(story, INITIATE);
    const told = story.calls.all.map((call) => story.arrivals.farewells.goAway(call, 'wss://b.example.com'));
    expect([told, line.said.length]).toEqual([[0], 1]);
  });
});
