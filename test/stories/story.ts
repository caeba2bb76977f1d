import type { Refusal } from '../../src/base/errors.ts';
import { parseObject, type JsonObject } from '../../src/base/json.ts';
import type { Agents } from '../../src/call/agents/published.ts';
import type { Call } from '../../src/call/call.ts';
import type { Outcome } from '../../src/call/commands/outcome.ts';
import { CallDirectory } from '../../src/call/directory.ts';
import type { CallLimits } from '../../src/call/facts.ts';
import { joinMetadataOf } from '../../src/call/parties/invitation.ts';
import type { CallPorts } from '../../src/call/ports.ts';
import { dialectOf } from '../../src/dialect/registry.ts';
import type { DialectCaller } from '../../src/dialect/caller.ts';
import { AUDIO, type Inbound, type LegStarted } from '../../src/dialect/dialect.ts';
import { readCallCommand, type SupervisionMode } from '../../src/events/call-commands.ts';
import type { CommandResult } from '../../src/events/commands.ts';
import type { Envelope } from '../../src/events/envelope.ts';
import { NEWCOMER, type Caller, type LegConnection } from '../../src/gateway/arrivals.ts';
import type { Resumption } from '../../src/gateway/door/admission.ts';
import { ResumeTokens } from '../../src/gateway/resume-token.ts';
import { openCodec } from '../../src/media/codecs.ts';
import { PCMU_8K, type AudioFormat } from '../../src/media/format.ts';
import { VOICE_DEFAULTS, type VoiceDetectors } from '../../src/media/voice-detector.ts';
import { NodeArrivals } from '../../src/node/arrivals.ts';
import { LegGroups } from '../../src/node/leg-groups.ts';
import { LegMedia, type JitterSettings } from '../../src/node/leg-media.ts';
import { NodePacer } from '../../src/node/pacer.ts';
import { NO_UPGRADE } from '../dialect/wire.ts';
import { FakeClock } from '../fakes/clock.ts';
import { loudDetectors } from '../fakes/loud-detector.ts';
import { MemorySocket } from '../fakes/memory-socket.ts';

export interface StoryOptions {
  readonly seed?: number;
  readonly jitterTargetMs?: number;
  readonly jitter?: JitterSettings;
  readonly limits?: Partial<CallLimits>;
  readonly resumeUrls?: readonly string[];
  readonly ports?: CallPorts;
  /** The clock of another story, whose call goes on in this one. */
  readonly clock?: FakeClock;
  /** Where events of several stories come together. */
  readonly events?: Envelope[];
  readonly node?: string;
  readonly onChanged?: (call: Call) => void;
  /** Real ears, instead of those a reader can foresee. */
  readonly detectors?: VoiceDetectors;
  /** Agents whose callers are heard as they wish. */
  readonly agents?: Agents;
}

export interface PartyOptions {
  readonly dialect?: 'twilio' | 'native';
  readonly format?: AudioFormat;
  readonly agentId?: string | null;
  readonly role?: Caller['role'];
  readonly callId?: string | null;
  readonly rtp?: boolean;
  readonly speechOnly?: boolean;
  readonly parameters?: { readonly [name: string]: string };
  /** Of a supervisor who was invited. */
  readonly mode?: SupervisionMode;
  /** Of whoever was invited to take the caller over. */
  readonly handoverId?: string;
  readonly wantsEvents?: boolean;
  /** The stream credential it came in with. */
  readonly credentialId?: string;
  /** It comes back by a resume token. */
  readonly resumption?: Resumption;
  readonly providerCallId?: string;
}

/** A media node without sockets, at virtual time: parties call in, speak, listen and leave. */
export class Story {
  readonly clock: FakeClock;
  readonly events: Envelope[];
  /** The token each event came under; 0 without one. */
  readonly fences: number[] = [];
  readonly calls: CallDirectory;
  readonly arrivals: NodeArrivals;
  readonly failures: unknown[] = [];
  /** What newcomers are told. */
  refusal: Refusal | undefined;
  readonly groups = new LegGroups(['native', 'twilio']);
  readonly resumeTokens = new ResumeTokens([Buffer.alloc(32, 1)]);
  readonly #pacer: NodePacer;

  constructor(options: StoryOptions = {}) {
    this.clock = options.clock ?? new FakeClock({ nowMs: 1_000, seed: options.seed ?? 1 });
    this.events = options.events ?? [];
    this.calls = new CallDirectory({
      clock: this.clock,
      sink: {
        accept: ({ envelope, fence = 0 }) => {
          this.events.push(envelope);
          this.fences.push(fence);
        },
      },
      limits: { durationMaxMs: 0, silenceMs: 0, resumeWindowMs: 0, ...options.limits },
      ports: options.ports ?? {},
      onChanged: options.onChanged ?? (() => {}),
    });
    this.#pacer = new NodePacer({
      clock: this.clock,
      observeLagMs: () => {},
      onFailure: (error) => void this.failures.push(error),
    });
    this.arrivals = new NodeArrivals({
      clock: this.clock,
      calls: this.calls,
      media: new LegMedia({
        detectors: options.detectors ?? loudDetectors,
        voice: VOICE_DEFAULTS,
        jitterTargetMs: options.jitterTargetMs ?? 0,
        ...(options.jitter === undefined ? {} : { jitter: options.jitter }),
      }),
      ...(options.agents === undefined ? {} : { agents: options.agents }),
      pacer: this.#pacer,
      groups: this.groups,
      observer: { turnedAround: () => {}, setUp: () => {} },
      resumeTokens: this.resumeTokens,
      region: 'local',
      node: options.node ?? '0',
      resumeWindowMs: options.limits?.resumeWindowMs ?? 0,
      resumeUrls: () => options.resumeUrls ?? [],
      refuseNew: () => this.refusal,
      log: { warn: () => {} },
    });
  }

  /** Somebody calls in, and has said its protocol's start. */
  arrives(options: PartyOptions = {}): StoryParty {
    return new StoryParty(this, options);
  }

  /** A party of this story, or of one that went before, comes back by its resume token. */
  async comesBack(party: StoryParty, options: PartyOptions = {}): Promise<StoryParty> {
    const claims = this.resumeTokens.verify(party.resumeToken ?? '', this.clock.unixMs());
    const resumption = claims === undefined ? undefined : await this.arrivals.resume(claims);
    if (resumption === undefined) throw new Error('nobody knows the call');
    return new StoryParty(this, { dialect: 'native', format: party.format, ...options, resumption });
  }

  get types(): readonly string[] {
    return this.events.map(({ type }) => type);
  }

  only(type: string): Envelope {
    const found = this.events.filter((event) => event.type === type);
    if (found.length !== 1) throw new Error(`${found.length} events ${type} instead of one`);
    return found[0]!;
  }

  /** The one call there is, or was. */
  get call(): Call {
    const call = this.calls.get(this.only('call_started').resource.id);
    if (call === undefined) throw new Error('the call has ended');
    return call;
  }

  /** Asks the call for something, as REST does. */
  asks(name: string, args: JsonObject = {}): CommandResult {
    const outcome = this.asksLater(name, args);
    if (outcome instanceof Promise) throw new Error(`${name} takes its time`);
    return outcome;
  }

  asksLater(name: string, args: JsonObject = {}): Outcome {
    const command = readCallCommand(name, args);
    if ('type' in command) throw new Error(`${command.fault}: ${command.detail}`);
    return this.call.command(command, this.clock.nowMs());
  }

  /** Everybody speaks at once, in real time: each party its own tone. */
  sing(forMs: number, tones: readonly (readonly [StoryParty, number])[]): void {
    for (let i = 0; i < forMs / 20; i++) {
      this.clock.advance(20);
      for (const [party, hz] of tones) party.sendsTone(hz);
    }
  }

  /** Time passes for everybody; calls look at their limits. */
  passes(durationMs: number): void {
    this.clock.advance(durationMs);
    this.calls.sweep(this.clock.nowMs());
  }
}

/** One party of a story, speaking a real dialect through a socket in memory. */
export class StoryParty {
  readonly socket = new MemorySocket();
  readonly caller: DialectCaller;
  readonly heard: Int16Array[] = [];
  readonly heardAtMs: number[] = [];
  readonly marks: string[] = [];
  readonly inbandTypes: string[] = [];
  resumeToken: string | null = null;
  clears = 0;
  readonly #story: Story;
  readonly format: AudioFormat;
  readonly #line: LegConnection;
  readonly #legId: string;
  readonly #into: Inbound = scratch();
  #index = 0;
  #toneSamples = 0;

  constructor(story: Story, options: PartyOptions) {
    this.#story = story;
    this.format = options.format ?? PCMU_8K;
    const nowMs = story.clock.nowMs();
    const dialect = dialectOf(options.dialect ?? 'twilio')!;
    this.caller = dialect.openCaller({
      nowMs,
      format: this.format,
      from: options.parameters?.['from'] ?? '+15550100',
      to: '+15550199',
      parameters: options.parameters ?? {},
      streamId: 'MZ0',
      callId: options.providerCallId ?? 'CA0',
      options: {},
      rtpHeaders: options.rtp ?? false,
    });
    this.socket.onSent = (message) => this.#hear(message.bytes, message.isBinary);
    const session = dialect.openSession({ nowMs, upgrade: NO_UPGRADE, options: {} });
    const started = this.caller
      .hello()
      .map((message) => session.read(message.bytes, message.isBinary, this.#into))
      .find((answer): answer is LegStarted => answer.type === 'started');
    const { resumption } = options;
    const caller = resumption?.caller ?? callerOf(options);
    const wished = { ...started!, speechOnly: options.speechOnly ?? false };
    const arrival = { caller, dialect, session, started: wished, socket: this.socket, receivedAtMs: nowMs };
    const connectedBefore = story.events.length;
    const line = resumption?.arrive(arrival, nowMs) ?? story.arrivals.arrive(arrival, nowMs);
    if ('type' in line) throw new Error(`refused: ${line.fault}: ${line.detail}`);
    this.#line = line;
    const connected = story.events.slice(connectedBefore).find(({ type }) => type === 'leg_connected');
    this.#legId = String(connected?.data['leg_id']);
  }

  /** Speaks (or keeps silent) in real time, a frame every 20 ms; `skip` frames are lost on the way. */
  speaks(forMs: number, level = 8000, skip: readonly number[] = []): void {
    for (let i = 0; i < forMs / 20; i++) {
      this.#story.clock.advance(20);
      if (skip.includes(i)) this.#index++;
      else this.sendsFrame(level);
    }
  }

  /** The next frame is lost on the way. */
  loses(): void {
    this.#index++;
  }

  silent(forMs: number): void {
    this.speaks(forMs, 0);
  }

  /** All at once, as agents do. */
  bursts(frames: number, level = 8000): void {
    for (let i = 0; i < frames; i++) this.sendsFrame(level);
  }

  sendsFrame(level: number): void {
    this.sendsSamples(new Int16Array(this.format.sampleRateHz / 50).fill(level));
  }

  /** The next 20 ms of a sine, without a step between frames. */
  sendsTone(hz: number, level = 6000): void {
    const { sampleRateHz } = this.format;
    const samples = new Int16Array(sampleRateHz / 50);
    for (let i = 0; i < samples.length; i++) {
      samples[i] = Math.round(level * Math.sin((2 * Math.PI * hz * this.#toneSamples++) / sampleRateHz));
    }
    this.sendsSamples(samples);
  }

  /** Forgets what was heard so far. */
  forgets(): void {
    this.heard.length = 0;
    this.heardAtMs.length = 0;
  }

  /** Every message of one type it was sent, in the words of its protocol. */
  told(type: string): readonly JsonObject[] {
    return this.socket.sent
      .filter(({ isBinary }) => !isBinary)
      .flatMap(({ bytes }): readonly JsonObject[] => {
        const message = parseObject(bytes);
        return message === undefined ? [] : [message];
      })
      .filter((message) => message['type'] === type || message['event'] === type);
  }

  get legId(): string {
    return this.#legId;
  }

  sendsSamples(samples: Int16Array): void {
    const codec = openCodec(this.format);
    const bytes = new Uint8Array(codec.frameBytes);
    codec.encodeInto(samples, bytes);
    const message = this.caller.audio(bytes, this.#index++);
    if (message !== undefined) this.sends(message);
  }

  sends(message: { readonly bytes: Uint8Array; readonly isBinary: boolean }): void {
    this.#line.receive(message.bytes, message.isBinary, this.#story.clock.nowMs());
  }

  says(words: object): void {
    this.sends({ bytes: new TextEncoder().encode(JSON.stringify(words)), isBinary: false });
  }

  hangsUp(): void {
    for (const message of this.caller.goodbye()) this.sends(message);
  }

  losesItsSocket(): void {
    this.closesItsSocket(1006);
  }

  closesItsSocket(closeCode: number): void {
    this.#line.lost({ type: 'closed', closeCode }, this.#story.clock.nowMs());
  }

  #hear(bytes: Uint8Array, isBinary: boolean): void {
    const said = this.caller.read(bytes, isBinary, this.#into);
    if (said === AUDIO) {
      const codec = openCodec(this.format);
      const samples = new Int16Array(this.format.sampleRateHz / 50);
      codec.decodeInto(this.#into.payload, this.#into.payloadBytes, samples);
      this.heard.push(samples);
      this.heardAtMs.push(this.#story.clock.nowMs());
      return;
    }
    if (said.type === 'mark') this.marks.push(said.name);
    if (said.type === 'clear') this.clears++;
    if (said.type === 'event') this.inbandTypes.push(String(said.envelope['type']));
    if (said.type === 'ready') this.resumeToken = said.resume?.token ?? null;
  }
}

function callerOf(options: PartyOptions): Caller {
  return {
    ...NEWCOMER,
    workspaceId: 'ws_default',
    agentId: options.agentId === undefined ? 'echo' : options.agentId,
    testMode: false,
    role: options.role ?? 'caller',
    callId: options.callId ?? null,
    metadata: joinMetadata(options),
    credentialId: options.credentialId ?? null,
  };
}

function joinMetadata({ mode, handoverId }: PartyOptions): JsonObject {
  if (mode === undefined && handoverId === undefined) return {};
  return joinMetadataOf({ mode: mode ?? null, handoverId: handoverId ?? null });
}

function scratch(): Inbound {
  return { payload: new Uint8Array(65_536), payloadBytes: 0, sequence: -1, timestampMs: -1 };
}
