import type { Cancel, Clock } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import { Lifetime, type Closeable } from '../base/lifetime.ts';
import type { AgentDialler } from '../call/agent-dialler.ts';
import { CallDirectory } from '../call/directory.ts';
import type { CallPorts } from '../call/ports.ts';
import type { DataPaths } from '../config/data-dir.ts';
import type { Settings } from '../config/settings.ts';
import type { Command, CommandResult, CredentialView } from '../events/commands.ts';
import { openDialler, type Dialler } from '../gateway/dialling/dialler.ts';
import type { Gateway } from '../gateway/gateway.ts';
import { ResumeTokens } from '../gateway/resume-token.ts';
import type { NodeStatus } from '../link/messages.ts';
import { openNodeEnd, type NodeEnd } from '../link/node-end.ts';
import { socketPathOf, spoolDirOf } from '../link/places.ts';
import { openSpool, type Spool } from '../link/spool/spool.ts';
import type { VoiceDetectors } from '../media/voice-detector.ts';
import { loadOpus } from '../media/codecs/opus/opus.ts';
import { loadDetectors } from '../media/voice/detectors.ts';
import { expositionOf } from '../telemetry/exposition.ts';
import { openLoopDelay, type LoopDelay } from '../telemetry/loop-delay.ts';
import type { NodeMetrics } from '../telemetry/node-metrics.ts';
import { Admission } from './admission.ts';
import { NodeArrivals } from './arrivals.ts';
import { Credentials } from './credentials.ts';
import { openCallPorts } from './calls/call-ports.ts';
import { NodeProviderOrders } from './calls/provider-orders.ts';
import { PublishedAgents } from './calls/published-agents.ts';
import type { NodeQueues } from './calls/queues.ts';
import type { NodeSounds } from './calls/sounds.ts';
import type { NodeToolCaller } from './calls/tool-caller.ts';
import { NodeCluster } from './cluster/node-cluster.ts';
import { openDialGuard } from './dial-guard.ts';
import { DialledLegs } from './dialled-legs.ts';
import { NodeDoors } from './door/node-doors.ts';
import { NodeVitals } from './door/node-vitals.ts';
import { withRoomFor } from './door/returning-legs.ts';
import type { ForkLines } from './forks/fork-lines.ts';
import { openLegMedia, prepareResampling, type LegMedia } from './leg-media.ts';
import { LegGroups, PROVIDERS } from './leg-groups.ts';
import { observerOf, openNodeFigures } from './node-figures.ts';
import { obey } from './calls/obey.ts';
import { LeavingDialler } from './drain/leaving-dialler.ts';
import { NodeDrain } from './drain/node-drain.ts';
import { NodePacer } from './pacer.ts';
import type { NodeTapes } from './recording/node-tapes.ts';

/** Limits, pools and the disk are looked at this often, outside the tick. */
const TEND_EVERY_MS = 1000;

/** What a node says to the log; pino fits. */
export interface NodeLog {
  info(fields: object, sentence: string): void;
  warn(fields: object, sentence: string): void;
  error(fields: object, sentence: string): void;
}

export interface MediaNodeOptions {
  readonly settings: Settings;
  readonly paths: DataPaths;
  readonly index: number;
  readonly incarnation: string;
  readonly clock: Clock;
  readonly log: NodeLog;
  readonly version: string;
}

/** Opens a node: its link first, its door once control has told which credentials are valid. */
export async function openMediaNode(options: MediaNodeOptions): Promise<MediaNode> {
  const { settings, paths, index, incarnation, clock, log } = options;
  const lifetime = new Lifetime();
  try {
    const loopDelay = lifetime.own(openLoopDelay());
    const spool = lifetime.own(
      openSpool({ dir: spoolDirOf(paths.spoolDir, incarnation), bytesMax: settings.spoolBytesMax }),
    );
    const detectors = await loadDetectors({
      isNeuralNeeded: settings.vadDetector === 'neural',
      modelFile: settings.vadModel,
    });
    const { stats: _, ...opus } = await loadOpus();
    prepareResampling();
    log.info({ opus }, 'Opus is loaded');
    const node = new MediaNode({ options, lifetime, loopDelay, spool, detectors });
    const socketPath = socketPathOf(paths.runDir, incarnation);
    const ownPort = settings.mediaPort + 1 + index;
    const facts = { incarnation, node: index, pid: process.pid, region: settings.region, ownPort };
    const status = (): NodeStatus => node.status;
    const onCommand = (command: Command): Promise<CommandResult> => obey(node, command, options);
    node.link = lifetime.own(await openNodeEnd({ socketPath, spool, facts, onCommand, status, clock, log }));
    return node;
  } catch (error) {
    await lifetime.close();
    throw error;
  }
}

interface NodeParts {
  readonly options: MediaNodeOptions;
  readonly lifetime: Lifetime;
  readonly loopDelay: LoopDelay;
  readonly spool: Spool;
  readonly detectors: VoiceDetectors;
}

/** The media process: sockets, legs, calls, audio, and nothing that could make them wait. */
export class MediaNode implements Closeable {
  readonly calls: CallDirectory;
  readonly arrivals: NodeArrivals;
  readonly media: LegMedia;
  readonly pacer: NodePacer;
  readonly admission = new Admission();
  readonly credentials = new Credentials();
  readonly publishedAgents = new PublishedAgents();
  readonly groups = new LegGroups(PROVIDERS);
  readonly dialler: Dialler;
  /** Opens legs to AI backends, for calls. */
  readonly agents: DialledLegs;
  readonly figures: NodeMetrics;
  readonly cluster: NodeCluster;
  readonly leaving: NodeDrain;
  /** What calls are recorded on. */
  tapes!: NodeTapes;
  forks!: ForkLines;
  tools!: NodeToolCaller;
  queues!: NodeQueues;
  sounds!: NodeSounds;
  /** Dials whom calls are handed over to. */
  targets!: LeavingDialler;
  link!: NodeEnd;
  #doors: NodeDoors | undefined;
  readonly #parts: NodeParts;
  readonly #observer: ReturnType<typeof observerOf>;
  readonly #resumeTokens: ResumeTokens;
  #state: 'starting' | 'serving' = 'starting';
  readonly #vitals: NodeVitals;
  #cancelTend: Cancel;
  #onCredentials: (() => void) | undefined;

  constructor(parts: NodeParts) {
    const { settings, clock, index, log } = parts.options;
    const observer = observerOf(() => this.figures);
    this.#observer = observer;
    this.#parts = parts;
    this.#resumeTokens = new ResumeTokens(settings.signingSecret);
    this.#vitals = this.#openVitals(parts);
    this.media = openLegMedia(settings, parts.detectors);
    this.pacer = new NodePacer({
      clock,
      observeLagMs: (lagMs) => this.figures.tickLag.observeMs(lagMs),
      onFailure: (error) => log.error({ error: messageOf(error) }, 'a leg broke its pacing'),
    });
    this.calls = new CallDirectory({
      clock,
      sink: { accept: (record) => this.cluster.told(this.link.publish(record), record) },
      onChanged: (call) => this.cluster.changed(call.id),
      limits: {
        durationMaxMs: settings.callDurationMaxMs,
        silenceMs: settings.silenceTimeoutMs,
        resumeWindowMs: settings.resumeWindowMs,
      },
      ports: this.#openCallPorts(),
      onEnded: (call, reason) => {
        observer.callEnded(call, reason);
        this.cluster.ended(call.id);
        this.leaving.look();
      },
    });
    this.leaving = parts.lifetime.own(this.#openDrain(parts));
    this.cluster = this.#openCluster(parts);
    this.arrivals = new NodeArrivals({
      clock,
      calls: this.calls,
      media: this.media,
      agents: this.publishedAgents,
      pacer: this.pacer,
      groups: this.groups,
      observer,
      resumeTokens: this.#resumeTokens,
      region: settings.region,
      node: String(index),
      resumeWindowMs: settings.resumeWindowMs,
      tails: this.cluster.tails,
      resumeUrls: (dialect) => this.cluster.mediaUrls.map((url) => `${url}/media/${dialect}`),
      refuseNew: () => this.admission.refusalOf(this.#vitals.condition),
      log,
    });
    parts.lifetime.own(this.pacer);
    this.dialler = openDialler({
      clock,
      guard: openDialGuard(clock, settings.egressAllow),
      reportFailure: (error, where) =>
        log.error({ error: messageOf(error), where }, 'a promise was broken while dialling'),
    });
    const { dialler, media, pacer, groups } = this;
    const { ponged } = observer;
    this.agents = parts.lifetime.own(new DialledLegs({ clock, dialler, media, pacer, groups, ponged, log }));
    this.figures = parts.lifetime.own(openNodeFigures(this, settings, parts.options.version));
    this.#cancelTend = clock.after(TEND_EVERY_MS, () => this.#tend());
  }

  get spool(): Spool['stats'] {
    return this.#parts.spool.stats;
  }

  /** It shares calls with other hosts, and does not hear of them. */
  get isCutOff(): boolean {
    return this.#vitals.isCutOff;
  }

  get status(): NodeStatus {
    return this.#vitals.statusIn(this.#state);
  }

  /** Waits for the credentials, then opens the door. */
  async listen(): Promise<void> {
    if (!this.credentials.isKnown) await new Promise<void>((known) => (this.#onCredentials = known));
    const { lifetime } = this.#parts;
    this.#doors = await NodeDoors.open({
      ...this.#parts.options,
      lifetime,
      arrivals: this.cluster.takeovers.arrivalsOf(this.arrivals),
      plainArrivals: this.arrivals,
      resumes: withRoomFor(this.cluster.takeovers.resumesOf(this.arrivals), {
        isHere: (callId) => this.calls.get(callId) !== undefined,
        refuseReturn: () => this.admission.refusalOfReturn(this.#vitals.condition),
      }),
      resumeTokens: this.#resumeTokens,
      credentials: this.credentials,
      metrics: async () => expositionOf(await this.figures.snapshot()),
      refused: (dialectName, fault) => this.#observer.refused(dialectName, fault),
      ponged: this.#observer.ponged,
    });
    this.#state = 'serving';
    await lifetime.own(this.cluster).start();
    this.link.statusChanged();
  }

  get gateway(): Gateway | undefined {
    return this.#doors?.gateway;
  }

  get tokenStats(): NodeDoors['tokenStats'] | undefined {
    return this.#doors?.tokenStats;
  }

  get audioSocketStats(): NodeDoors['audioSocketStats'] {
    return this.#doors?.audioSocketStats;
  }

  /** What control told which credentials are valid: the door may open. */
  applyCredentials(view: CredentialView): void {
    this.credentials.apply(view);
    this.#onCredentials?.();
  }

  /**
   * Takes nothing new, and moves its calls to other nodes; resolves when no call is left, or once those left
   * at the deadline were ended. `house`: all nodes of this host leave: none of them is left to listen.
   */
  async drain(deadlineMs: number, who: 'node' | 'house'): Promise<void> {
    const hasSiblings = who === 'node' && this.#parts.options.settings.mediaNodes > 1;
    if (hasSiblings) this.#doors?.leaveShared();
    await this.leaving.begin(deadlineMs);
    // That no call is left is the last that control hears of it.
    this.link.statusChanged();
  }

  /**
   * The supervisor is gone: listens no more, so that the ports are free for the next one, and finishes its
   * calls.
   */
  async finish(deadlineMs: number): Promise<void> {
    this.#doors?.stopListening();
    await this.drain(deadlineMs, 'house');
  }

  /** Certificates were renewed on disk. */
  reload(): void {
    this.#doors?.reload();
  }

  async close(): Promise<void> {
    this.#cancelTend();
    this.calls.endAll('drained', this.#parts.options.clock.nowMs());
    await this.#parts.lifetime.close();
  }

  #openVitals({ options, spool, loopDelay }: NodeParts): NodeVitals {
    return new NodeVitals({
      settings: options.settings,
      spoolDir: options.paths.spoolDir,
      spool,
      loopDelay,
      legs: () => this.arrivals.legs,
      calls: () => this.calls.size,
      isDraining: () => this.leaving.isDraining,
      isIsolated: () => this.cluster.isIsolated,
    });
  }

  #openDrain({ options }: NodeParts): NodeDrain {
    const { clock, log, settings } = options;
    return new NodeDrain({
      clock,
      log,
      calls: this.calls,
      farewells: () => this.arrivals.farewells,
      tails: () => this.cluster.tails,
      relays: () => this.cluster.relays,
      moveProviderMs: settings.drainMoveProviderMs,
      place: (wanted) => this.cluster.place(wanted),
      onBegin: () => {
        this.cluster.drain();
        this.link.statusChanged();
      },
    });
  }

  #openCluster({ options }: NodeParts): NodeCluster {
    return new NodeCluster({
      ...options,
      runDir: options.paths.runDir,
      calls: this.calls,
      ask: (...asked) => this.link.ask(...asked),
      status: () => this.status,
      acknowledged: () => this.#parts.spool.releasedRecord,
      onSurrendered: () => this.leaving.look(),
      leaving: this.leaving,
      farewells: () => this.arrivals.farewells,
      drainNode: () => void this.drain(options.settings.drainDeadlineMs, 'node'),
    });
  }

  #openCallPorts(): CallPorts {
    const { lifetime, options } = this.#parts;
    const dialler: AgentDialler = { dial: (...asked) => this.agents.dial(...asked) };
    const isLeaving = (): boolean => this.leaving.isDraining;
    const targets = new LeavingDialler({ dialler, clock: options.clock, isLeaving });
    this.targets = targets;
    const { credentials, publishedAgents: agents } = this;
    const ask: NodeEnd['ask'] = (...asked) => this.link.ask(...asked);
    const provider = new NodeProviderOrders({ credentials, ask });
    const connections = (): Dialler => this.dialler;
    const opened = openCallPorts({
      ...options,
      lifetime,
      agents,
      dialler,
      targets,
      provider,
      connections,
      ask,
    });
    ({ tapes: this.tapes, forks: this.forks, tools: this.tools } = opened);
    ({ queues: this.queues, sounds: this.sounds } = opened);
    return { ...opened.ports, unacknowledged: (callId) => this.cluster.unacknowledged(callId) };
  }

  #tend(): void {
    const { clock, log } = this.#parts.options;
    this.#cancelTend = clock.after(TEND_EVERY_MS, () => this.#tend());
    this.calls.sweep(clock.nowMs());
    this.#observer.linesObserved(this.arrivals.observe(clock.nowMs()));
    this.media.reserve();
    this.#vitals.look();
    this.#followCap().catch((error: unknown) =>
      log.error({ error: messageOf(error) }, 'shared port not reopened'),
    );
    this.#vitals
      .lookAtDisk()
      .catch((error: unknown) => log.warn({ error: messageOf(error) }, 'the disk cannot be read'));
  }

  async #followCap(): Promise<void> {
    const { isDraining, legs, capLegs } = this.#vitals.condition;
    if (!isDraining) await this.#doors?.follow(legs >= capLegs);
  }
}
