import { parseObject, type JsonObject } from '../../../src/base/json.ts';
import { agentsFor } from '../../../src/call/agents/agent-part.ts';
import { newAgentCounts, type Agents } from '../../../src/call/agents/published.ts';
import type { OwnTools } from '../../../src/call/agents/own-tools.ts';
import type { AgentTerms, BackendTerms } from '../../../src/events/agents.ts';
import type { LegConnection } from '../../../src/gateway/arrivals.ts';
import type { Dialler } from '../../../src/gateway/dialling/dialler.ts';
import type { DialEvents, DialledPeer } from '../../../src/gateway/dialling/dialled-connection.ts';
import { openDialStats } from '../../../src/gateway/dialling/dial-limits.ts';
import { VOICE_DEFAULTS } from '../../../src/media/voice-detector.ts';
import { DialledLegs } from '../../../src/node/dialled-legs.ts';
import { LegGroups } from '../../../src/node/leg-groups.ts';
import { LegMedia } from '../../../src/node/leg-media.ts';
import { NodePacer } from '../../../src/node/pacer.ts';
import { loudDetectors } from '../../fakes/loud-detector.ts';
import { MemorySocket } from '../../fakes/memory-socket.ts';
import { Story, type StoryOptions } from '../../stories/story.ts';

/** An agent of one silent backend; a test says what is different. */
export const TERMS: AgentTerms = {
  name: 'Front desk',
  backends: [],
  prompt: 'Be brief.',
  greeting: 'Hello.',
  language: null,
  tools: [],
  transfer: null,
  barge_in: 'clear',
  voice_events: false,
  first_audio_timeout_ms: 2_000,
  reconnects_max: 1,
  when_unavailable: 'end_call',
  duration_max_ms: 0,
  qualification_threshold: null,
};

export function backend(name: string): BackendTerms {
  const url = `wss://${name}.example/agent`;
  return { name, dialect: 'native', url, api_key: null, model: null, voice: null, options: {}, settings: {} };
}

/** One dial of ours, answered as the test wants: a `native` backend at the other end of a socket in memory. */
export class ScriptedBackend {
  readonly socket = new MemorySocket();
  readonly url: string;
  isCancelled = false;
  readonly #peer: DialledPeer;
  readonly #events: DialEvents;
  readonly #story: Story;
  #line: LegConnection | undefined;

  constructor(peer: DialledPeer, events: DialEvents, story: Story) {
    this.url = peer.session.request.url;
    this.#peer = peer;
    this.#events = events;
    this.#story = story;
  }

  /** What it was told at its start. */
  get hello(): JsonObject {
    return parseObject(this.#peer.session.hello()[0]!.bytes)!['agent'] as JsonObject;
  }

  get audioFramesHeard(): number {
    return this.socket.sent.filter(({ isAudio }) => isAudio).length;
  }

  refuses(result: 'refused' | 'rejected' = 'refused'): void {
    this.#events.failed({ result, detail: 'no' }, this.#story.clock.nowMs());
  }

  answers(): void {
    const { session } = this.#peer;
    const into = { payload: new Uint8Array(0), payloadBytes: 0, sequence: -1, timestampMs: -1 };
    const started = session.startedAtOpen ?? session.read(bytesOf({ type: 'started' }), false, into);
    if (started.type !== 'started') throw new Error(`not started but ${started.type}`);
    const nowMs = this.#story.clock.nowMs();
    const line = this.#events.started({ session, started, socket: this.socket, dialledAtMs: nowMs }, nowMs);
    if ('type' in line) throw new Error(line.detail);
    this.#line = line;
  }

  speaks(frames: number): void {
    for (let i = 0; i < frames; i++) {
      this.#line!.receive(new Uint8Array(160).fill(0x2a), true, this.#story.clock.nowMs());
    }
  }

  /** One message of audio, however long. */
  sends(audio: Uint8Array): void {
    this.#line!.receive(audio, true, this.#story.clock.nowMs());
  }

  says(words: object): void {
    this.#line!.receive(bytesOf(words), false, this.#story.clock.nowMs());
  }

  closes(closeCode = 1006): void {
    this.#line!.lost({ type: 'closed', closeCode }, this.#story.clock.nowMs());
  }

  /** Every word of one type it was told. */
  told(type: string): readonly JsonObject[] {
    return this.socket.sent
      .filter(({ isBinary }) => !isBinary)
      .map(({ bytes }) => parseObject(bytes)!)
      .filter((word) => word['type'] === type);
  }
}

/** A story whose calls are answered by the agent `front-desk`, over real legs and a wire in memory. */
export function openAgentStory(
  terms: Partial<AgentTerms>,
  options: StoryOptions & { readonly ownTools?: OwnTools } = {},
) {
  const { agents, part, fit, backends } = scriptAgent(terms, options.ownTools);
  const parts = [...(options.ports?.parts ?? []), part];
  const story = new Story({ agents, ...options, ports: { ...options.ports, parts } });
  fit(story);
  return { story, backends, counts: agents.counts! };
}

/** The agent `front-desk`, for whatever house `fit` is told of before its first call. */
export function scriptAgent(terms: Partial<AgentTerms>, ownTools?: OwnTools) {
  const backends: ScriptedBackend[] = [];
  const fitted: { legs?: DialledLegs } = {};
  const agent = {
    id: 'front-desk',
    workspaceId: 'ws_default',
    testMode: false,
    version: 1,
    terms: { ...TERMS, backends: [backend('first')], ...terms },
  };
  const counts = newAgentCounts();
  const agents: Agents = { counts, agentFor: ({ agentId }) => (agentId === agent.id ? agent : undefined) };
  const part = agentsFor({
    agents,
    dialler: { dial: (...asked) => fitted.legs!.dial(...asked) },
    ...(ownTools !== undefined && { ownTools }),
  });
  const fit = (story: Story): void => void (fitted.legs = scriptedLegs(story, backends));
  return { agents, part, fit, backends };
}

/** Legs to backends that do what the test says. */
export function scriptedLegs(story: Story, backends: ScriptedBackend[]): DialledLegs {
  const { clock } = story;
  const dialler: Dialler = {
    stats: openDialStats(),
    connections: 0,
    dial: (peer, events) => {
      const made = new ScriptedBackend(peer, events, story);
      backends.push(made);
      return { cancel: () => void (made.isCancelled = true) };
    },
    close: async () => {},
  };
  return new DialledLegs({
    clock,
    dialler,
    media: new LegMedia({ detectors: loudDetectors, voice: VOICE_DEFAULTS, jitterTargetMs: 0 }),
    pacer: new NodePacer({
      clock,
      observeLagMs: () => {},
      onFailure: (error) => void story.failures.push(error),
    }),
    groups: new LegGroups(['native']),
    log: { warn: () => {} },
  });
}

function bytesOf(words: object): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(words));
}
