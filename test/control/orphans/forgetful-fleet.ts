import { LocalRegistry } from '../../../src/cluster/local-registry.ts';
import type { Registry } from '../../../src/cluster/registry.ts';
import { ForgottenCalls } from '../../../src/control/orphans/forgotten-calls.ts';
import { OrphanSweep } from '../../../src/control/orphans/orphan-sweep.ts';
import { Reaper, type ReaperOptions } from '../../../src/control/reaper.ts';
import { applyToCall, type CallView } from '../../../src/events/call-view.ts';
import type { OpenCall } from '../../../src/events/journal.ts';
import { callEnvelopes } from '../../fakes/call-envelopes.ts';
import { FakeClock } from '../../fakes/clock.ts';
import { nodeRecord } from '../../fakes/node-records.ts';

export const WINDOW_MS = 30_000;
const REGION = 'local';
const STEP_MS = 500;
const SILENT = { warn: () => {}, error: () => {} };

/** A call as the journal of all hosts has it. */
interface Written {
  readonly next: ReturnType<typeof callEnvelopes>['next'];
  view: CallView;
  /** The greatest token of who told of it. */
  fence: number;
  readonly types: string[];
  endedAtMs: number | undefined;
}

/** The journal that hosts share: by its own rules who no longer owns a call tells nothing of it. */
export class SharedJournal {
  readonly calls = new Map<string, Written>();
  isAway = false;
  readonly #clock: FakeClock;

  constructor(clock: FakeClock) {
    this.#clock = clock;
  }

  begin(callId: string, incarnation: string, region = REGION): void {
    const { next } = callEnvelopes(callId);
    const started = { ...next('call_started'), region };
    const view = applyToCall(undefined, started, incarnation)!;
    this.calls.set(callId, { next, view, fence: 1, types: ['call_started'], endedAtMs: undefined });
  }

  /** An event of an owner; refused where it is the owner no more. */
  tell(callId: string, incarnation: string, fence: number): void {
    const call = this.calls.get(callId)!;
    if (fence < call.fence) return;
    call.fence = fence;
    call.types.push('voice_detected');
    const envelope = { ...call.next('voice_detected'), sequence: call.view.sequence + 1 };
    call.view = applyToCall(call.view, envelope, incarnation)!;
  }

  readonly finish: ReaperOptions['finish'] = async (callId, make) => {
    const call = this.calls.get(callId);
    if (call === undefined || call.view.completed) return [];
    const records = make(call.view);
    for (const { envelope, fence } of records) {
      call.view = applyToCall(call.view, envelope, '')!;
      call.types.push(envelope.type);
      call.fence = fence ?? call.fence;
    }
    call.endedAtMs = this.#clock.nowMs();
    return records;
  };

  async openCall(callId: string): Promise<CallView | undefined> {
    return this.#open().find(({ id }) => id === callId);
  }

  async openCalls(incarnation: string): Promise<readonly CallView[]> {
    return this.#open().filter((call) => call.incarnation === incarnation);
  }

  async listOpenCalls(incarnation: string): Promise<readonly OpenCall[]> {
    if (this.isAway) throw new Error('the database does not answer');
    return this.openCalls(incarnation);
  }

  async incarnationsWithOpenCalls(): Promise<readonly string[]> {
    if (this.isAway) throw new Error('the database does not answer');
    return [...new Set(this.#open().map(({ incarnation }) => incarnation))];
  }

  async read(): Promise<readonly []> {
    return [];
  }

  #open(): CallView[] {
    return [...this.calls.values()].map(({ view }) => view).filter(({ completed }) => !completed);
  }
}

/** A host with one node and a control process, in some life of theirs. */
export class FleetHost {
  /** `cut`: it reaches no registry, and its calls and its journal all the same. */
  state: 'up' | 'cut' | 'lost' = 'up';
  lives = 1;
  /** What it holds: call and token. */
  readonly held = new Map<string, number>();
  /** Accepted by its node, and not in the journal when the host was lost. */
  spool: { readonly callId: string; readonly fence: number }[] = [];
  readonly #fleet: ForgetfulFleet;
  readonly #name: string;
  #control: { readonly reaper: Reaper; readonly close: () => void } | undefined;

  constructor(fleet: ForgetfulFleet, name: string) {
    this.#fleet = fleet;
    this.#name = name;
    this.startControl();
  }

  get incarnation(): string {
    return `n0-${this.#name}-${this.lives}`;
  }

  get #way(): Pick<Registry, 'orphans' | 'nodes' | 'find' | 'end'> {
    const reached = (): Registry | undefined => (this.state === 'up' ? this.#fleet.registry : undefined);
    return {
      orphans: async () => (await reached()?.orphans()) ?? [],
      nodes: async () => reached()?.nodes(),
      find: async (callId) => (await reached()?.find(callId)) ?? 'unavailable',
      end: async (...told) => (await reached()?.end(...told)) ?? 'unavailable',
    };
  }

  startControl(): void {
    this.#control?.close();
    const { clock, journal } = this.#fleet;
    const registry = this.#way;
    const nodesHere = (): readonly string[] => (this.state === 'lost' ? [] : [this.incarnation]);
    const reaper = new Reaper({
      journal,
      registry,
      finish: journal.finish,
      onLost: () => {},
      resumeWindowMs: WINDOW_MS,
      clock,
      log: SILENT,
    });
    const forgotten = new ForgottenCalls({
      registry,
      journal,
      region: REGION,
      elsewhere: () => this.#fleet.elsewhere,
      clock,
    });
    const sweep = new OrphanSweep({
      registry: forgotten,
      nodesHere,
      resumeWindowMs: WINDOW_MS,
      end: (orphan) => reaper.endOrphan(orphan),
      clock,
      log: SILENT,
    });
    const close = (): void => {
      sweep.close();
      reaper.close();
    };
    this.#control = { reaper, close };
  }

  /** Its power is gone; of each call it had accepted something that nobody has heard yet. */
  lose(): void {
    this.state = 'lost';
    this.#control?.close();
    this.spool = [...this.held].map(([callId, fence]) => ({ callId, fence }));
    this.held.clear();
  }

  /** Its control reads what the former life of its node has left behind, and then ends what that had. */
  async comeBack(): Promise<void> {
    const former = this.incarnation;
    this.state = 'up';
    this.lives++;
    this.startControl();
    for (const { callId, fence } of this.spool) this.#fleet.journal.tell(callId, former, fence);
    this.spool = [];
    await this.#control?.reaper.reap(former);
  }

  /** Its node beats, tells and saves; what it has lost it hears. */
  async live(speaks: (callId: string) => boolean): Promise<void> {
    if (this.state === 'lost') return;
    const { registry, journal } = this.#fleet;
    if (this.state === 'up') await registry.beat(nodeRecord(this.incarnation));
    for (const [callId, token] of this.held) {
      if (speaks(callId)) journal.tell(callId, this.incarnation, token);
      if (this.state !== 'up') continue;
      const { sequence } = journal.calls.get(callId)!.view;
      const saved = await registry.save(this.incarnation, { callId, token, sequence, snapshot: '{}' });
      if (saved !== 'saved') this.held.delete(callId);
    }
  }

  close(): void {
    this.#control?.close();
  }
}

/** Hosts, a registry that may lose all it has, and a journal that does not, at virtual time. */
export class ForgetfulFleet {
  readonly clock: FakeClock;
  readonly journal: SharedJournal;
  registry: LocalRegistry;
  readonly hosts: readonly FleetHost[];
  /** Who is there in other regions, as all hosts see it. */
  elsewhere: ReadonlySet<string> | undefined = new Set();
  readonly #speaks: (callId: string) => boolean;

  constructor(options: {
    readonly seed?: number;
    readonly hosts?: number;
    /** All but those are silent: nothing but the registry says that they live. */
    readonly speaks?: (callId: string) => boolean;
  }) {
    const { seed = 1, hosts = 3, speaks = () => true } = options;
    this.clock = new FakeClock({ seed });
    this.journal = new SharedJournal(this.clock);
    this.registry = new LocalRegistry(this.clock);
    this.#speaks = speaks;
    this.hosts = Array.from({ length: hosts }, (_, index) => new FleetHost(this, `host${index}`));
  }

  async begin(callId: string, at: number): Promise<void> {
    const host = this.hosts[at]!;
    const wish = { callId, reason: 'new', expectedOwner: null, tokenFloor: 1 } as const;
    const claim = await this.registry.claim(host.incarnation, wish);
    this.journal.begin(callId, host.incarnation);
    if (claim.result === 'claimed') host.held.set(callId, claim.token);
  }

  /** A leg of a lost call comes to that host; it has the call where the registry still knows of it. */
  async arrive(callId: string, at: number): Promise<void> {
    const host = this.hosts[at]!;
    const found = await this.registry.find(callId);
    if (host.state !== 'up' || typeof found !== 'object' || found.state !== 'live') return;
    if (this.hosts.some(({ held }) => held.has(callId))) return;
    const { owner: expectedOwner, token: tokenFloor } = found;
    const claim = await this.registry.claim(host.incarnation, {
      callId,
      reason: 'arrival',
      expectedOwner,
      tokenFloor,
    });
    if (claim.result !== 'claimed') return;
    host.held.set(callId, claim.token);
    this.journal.tell(callId, host.incarnation, claim.token);
  }

  empty(): void {
    this.registry = new LocalRegistry(this.clock);
  }

  async pass(ms: number): Promise<void> {
    for (let passedMs = 0; passedMs < ms; passedMs += STEP_MS) {
      for (const host of this.hosts) await host.live(this.#speaks);
      this.clock.advance(STEP_MS);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  typesOf(callId: string): readonly string[] {
    return this.journal.calls.get(callId)!.types;
  }

  close(): void {
    for (const host of this.hosts) host.close();
  }
}
