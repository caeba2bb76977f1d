import type { FaultCode } from '../../src/base/errors.ts';
import type {
  AgentBackend,
  AgentCall,
  AgentDialFailure,
  AgentLine,
  DialledAgent,
} from '../../src/call/agent-dialler.ts';
import { CLIENT_DIALECTS } from '../../src/dialect/client-registry.ts';
import type { DialLimits } from '../../src/gateway/dialling/dial-limits.ts';
import { openDialler, type DialGuard, type Dialler } from '../../src/gateway/dialling/dialler.ts';
import type { FrameSink } from '../../src/leg/frame-sink.ts';
import type { Leg } from '../../src/leg/leg.ts';
import type { CallInput, LegListener } from '../../src/leg/leg-listener.ts';
import { VOICE_DEFAULTS } from '../../src/media/voice-detector.ts';
import { DialledLegs } from '../../src/node/dialled-legs.ts';
import { LegGroups } from '../../src/node/leg-groups.ts';
import { LegMedia } from '../../src/node/leg-media.ts';
import { NodePacer } from '../../src/node/pacer.ts';
import { BACKEND_TLS } from './backend-server.ts';
import { FakeClock } from './clock.ts';
import { until } from './until.ts';
import { loudDetectors } from './loud-detector.ts';

export const BACKEND: AgentBackend = {
  dialect: 'native',
  url: null,
  apiKey: null,
  model: null,
  voice: null,
  language: null,
  instructions: null,
  greeting: null,
  tools: [],
  history: [],
  options: {},
  settings: {},
};

export const AGENT_CALL: AgentCall = {
  callId: 'call_1',
  from: '+15550100',
  to: '+15550199',
  parameters: { lead_id: '884' },
  sampleRateHz: 8000,
};

/** What a call that dialled a backend knows of it. */
export class Talk implements LegListener {
  readonly inputs: CallInput[] = [];
  readonly failures: AgentDialFailure[] = [];
  readonly broken: FaultCode[] = [];
  readonly frames: Int16Array[] = [];
  isLost = false;
  line: AgentLine | undefined;
  dialled: DialledAgent | undefined;
  onFrameHeard: () => void = () => {};

  get leg(): Leg {
    return this.line!.leg;
  }

  /** The samples that were heard so far. */
  get samples(): Int16Array {
    return Int16Array.from(this.frames.flatMap((frame) => [...frame]));
  }

  async isUp(): Promise<this> {
    await until(() => this.line !== undefined || this.failures.length > 0, 'the backend to be up');
    if (this.failures.length > 0) throw new Error(`no leg: ${JSON.stringify(this.failures)}`);
    return this;
  }

  async hasFailed(): Promise<AgentDialFailure> {
    await until(() => this.failures.length > 0, 'the dial to fail');
    return this.failures[0]!;
  }

  async hears(type: CallInput['type'], count = 1): Promise<readonly CallInput[]> {
    const ofType = (): CallInput[] => this.inputs.filter((input) => input.type === type);
    await until(() => ofType().length >= count, `${count} × ${type}`);
    return ofType();
  }

  onFrame(_leg: Leg, frame: Int16Array): void {
    this.frames.push(Int16Array.from(frame));
    this.onFrameHeard();
  }

  onVoice(): void {}
  onMark(): void {}
  onPlayed(): void {}

  onInput(_leg: Leg, input: CallInput): void {
    this.inputs.push(input);
  }

  onBroken(_leg: Leg, fault: FaultCode): void {
    this.broken.push(fault);
  }

  onLost(): void {
    this.isLost = true;
  }
}

/** The way out of a node, its real media rooms behind it, and time in a test's hand. */
export class BackendHouse {
  readonly clock = new FakeClock({ nowMs: 1_000_000 });
  readonly failures: string[] = [];
  readonly warnings: object[] = [];
  readonly groups = new LegGroups(CLIENT_DIALECTS.map(({ name }) => name));
  readonly dialler: Dialler;
  readonly legs: DialledLegs;
  readonly #sinks: FrameSink[] = [];
  readonly #talks: Talk[] = [];

  constructor(limits: Partial<DialLimits> = {}, guard: DialGuard = { reachable: loopback }) {
    const { clock } = this;
    this.dialler = openDialler({
      clock,
      guard,
      limits,
      ca: BACKEND_TLS.cert,
      reportFailure: (error, where) => this.failures.push(`${where}: ${String(error)}`),
    });
    this.legs = new DialledLegs({
      clock,
      dialler: this.#remembering(),
      media: new LegMedia({ detectors: loudDetectors, voice: VOICE_DEFAULTS, jitterTargetMs: 0 }),
      pacer: new NodePacer({ clock, observeLagMs: () => {}, onFailure: () => {} }),
      groups: this.groups,
      log: { warn: (fields) => this.warnings.push(fields) },
    });
  }

  dial(backend: Partial<AgentBackend>, call: Partial<AgentCall> = {}): Talk {
    const talk = new Talk();
    this.#talks.push(talk);
    talk.dialled = this.legs.dial(
      { ...BACKEND, ...backend },
      { ...AGENT_CALL, ...call },
      {
        legListener: talk,
        connected: (line) => {
          talk.line = line;
        },
        failed: (failure) => talk.failures.push(failure),
      },
    );
    return talk;
  }

  /** Lets time pass in steps the heartbeat can follow, with turns for the sockets between them. */
  async pass(durationMs: number): Promise<void> {
    for (let passedMs = 0; passedMs < durationMs; passedMs += 250) {
      this.clock.advance(250);
      for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** The node leaves: connections are closed, and calls end their legs. */
  async close(): Promise<void> {
    await this.legs.close();
    for (const { line } of this.#talks) line?.leg.end('call_ended', 1000, this.clock.nowMs());
  }

  /** As `close`, and nothing of ours may have been broken on the way. */
  async closeSoundly(): Promise<void> {
    await this.close();
    if (this.failures.length > 0) throw new AggregateError(this.failures, 'promises of ours were broken');
  }

  /** The socket a leg is on. */
  sinkOf({ leg }: Talk): FrameSink {
    return this.#sinks.find((sink) => leg.isOn(sink))!;
  }

  #remembering(): Dialler {
    const { dialler } = this;
    const dial: Dialler['dial'] = (peer, events) =>
      dialler.dial(peer, {
        started: (start, nowMs) => {
          this.#sinks.push(start.socket);
          return events.started(start, nowMs);
        },
        failed: (failure, nowMs) => events.failed(failure, nowMs),
      });
    return { stats: dialler.stats, connections: 0, dial, close: () => dialler.close() };
  }
}

function loopback(): Promise<readonly string[]> {
  return Promise.resolve(['127.0.0.1']);
}
