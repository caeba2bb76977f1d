import { Redis } from 'ioredis';
import { RedisServer } from '../fakes/redis/server.ts';
import type { LiveFault } from './cluster-schedule.ts';
import { clusterSettings, figureOf, hooksOf, nativeUrl, Opened, pause, RESUMING } from './cluster-scene.ts';
import type { HookReceiver } from './hooks.ts';
import { House, until } from './house.ts';
import { NativeCaller } from './native-caller.ts';
import { NumberedSpeech } from './numbered-speech.ts';
import { RecordWitness } from './record-witness.ts';

const LOOK_EVERY_MS = 100;
/** A line that is silent for so long is left by its caller. */
const SILENT_MS = 800;

export interface FaultedCall {
  readonly caller: NativeCaller;
  readonly speech: NumberedSpeech;
  readonly callId: string;
}

/** A house of two nodes with a real Redis, its calls, and whatever goes wrong with them. */
export class FaultedHouse {
  readonly calls: FaultedCall[] = [];
  readonly witness: RecordWitness;
  readonly house: House;
  readonly hooks: HookReceiver;
  readonly redis: RedisServer;
  readonly #opened: Opened;
  readonly #paused = new Set<number>();
  #isRedisDown = false;

  private constructor(parts: { house: House; hooks: HookReceiver; redis: RedisServer; opened: Opened }) {
    this.house = parts.house;
    this.hooks = parts.hooks;
    this.redis = parts.redis;
    this.#opened = parts.opened;
    this.witness = parts.opened.own(new RecordWitness(parts.redis.port, () => this.calls));
  }

  static async open(settings: { readonly [name: string]: string } = {}): Promise<FaultedHouse> {
    const opened = new Opened();
    try {
      const redis = opened.own(await RedisServer.open());
      const shared = { ...clusterSettings(redis), ...RESUMING, MEDIA_NODES: '2' };
      const house = opened.own(await House.open({ ...shared, ...settings }));
      const hooks = await hooksOf(house, opened);
      return new FaultedHouse({ house, hooks, redis, opened });
    } catch (error) {
      await opened.close();
      throw error;
    }
  }

  /** Begins so many calls, in turn at one node and the other, and waits until they are heard and told. */
  async call(count: number): Promise<void> {
    const url = new URL(await nativeUrl(this.house));
    const sharedPort = Number(url.port);
    for (let i = 0; i < count; i++) {
      url.port = String(sharedPort + 1 + (i % 2));
      const caller = await NativeCaller.dial(url.href);
      this.calls.push({ caller, speech: new NumberedSpeech(caller), callId: caller.callId });
    }
    for (const { speech, callId } of this.calls) {
      await until('a call to be heard', () => speech.heard.length > 25);
      await until('a call to be told', () => this.hooks.firstArrivals(callId).length >= 3);
    }
  }

  /** Plays the faults; resolves when the last of them is over. */
  async play(schedule: readonly LiveFault[]): Promise<void> {
    const watching = setInterval(() => this.#leaveSilentLines(), LOOK_EVERY_MS);
    try {
      await Promise.all(
        schedule.map(async (fault) => {
          await pause(fault.atMs);
          await this.#strike(fault);
        }),
      );
    } finally {
      clearInterval(watching);
    }
  }

  /** Everybody is heard again, on whatever line. */
  async untilHeard(): Promise<void> {
    const heardBefore = this.calls.map(({ speech }) => speech.heard.length);
    const isHeard = ({ speech }: FaultedCall, i: number): boolean =>
      speech.heard.length > (heardBefore[i] ?? 0) + 25;
    await until('everybody to be heard', () => this.calls.every(isHeard), 20_000);
  }

  async hangUp(): Promise<void> {
    for (const { caller } of this.calls) caller.hangUp();
    for (const { callId } of this.calls) {
      await until(
        'the end of a call',
        () => this.hooks.firstArrivals(callId).some(({ type }) => type === 'call_completed'),
        30_000,
      );
    }
  }

  figure(name: string, label = ''): Promise<number> {
    return figureOf(this.house, name, label);
  }

  async close(): Promise<void> {
    for (const pid of this.#paused) signal(pid, 'SIGCONT');
    for (const { caller } of this.calls) caller.hangUp();
    await this.#opened.close();
  }

  async #strike(fault: LiveFault): Promise<void> {
    if (fault.target !== 'redis') {
      const pid = this.house.pidOf(fault.target);
      if (fault.fault === 'kill') return signal(pid, 'SIGKILL');
      signal(pid, 'SIGSTOP');
      this.#paused.add(pid);
      await pause(fault.forMs);
      this.#paused.delete(pid);
      return signal(pid, 'SIGCONT');
    }
    if (this.#isRedisDown) return;
    if (fault.fault === 'empty') {
      await this.#operate((redis) => redis.flushall());
      return this.witness.emptied();
    }
    this.#isRedisDown = true;
    if (fault.fault === 'hang') this.redis.pause();
    if (fault.fault === 'kill') {
      await this.redis.kill();
      this.witness.emptied();
    }
    if (fault.fault === 'read_only') await this.#operate((redis) => redis.replicaof('127.0.0.1', 1));
    await pause(fault.forMs);
    if (fault.fault === 'hang') this.redis.resume();
    if (fault.fault === 'kill') await this.redis.start();
    if (fault.fault === 'read_only') await this.#operate((redis) => redis.replicaof('NO', 'ONE'));
    this.#isRedisDown = false;
  }

  async #operate(run: (redis: Redis) => Promise<unknown>): Promise<void> {
    const operator = new Redis({ host: '127.0.0.1', port: this.redis.port });
    await run(operator);
    operator.disconnect();
  }

  /** As a client with an ear for silence does: only a node that stands still makes one while its line is open. */
  #leaveSilentLines(): void {
    if (this.#paused.size === 0) return;
    for (const { caller, speech } of this.calls) {
      const silentMs = performance.now() - (speech.heard.at(-1)?.atMs ?? 0);
      if (silentMs > SILENT_MS && caller.isOnOpenLine) void caller.leaveSilentLine();
    }
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // Gone already: another fault was faster.
  }
}
