import { describe, expect, it } from 'vitest';
import { writeScript, type ScriptWish } from '../../../src/cli/calling/audio/script.ts';
import { seededDice } from '../../../src/base/clock.ts';
import { Impairments, type ImpairmentWish } from '../../../src/cli/calling/impairments.ts';
import { PlacedCall, type CallOutcome } from '../../../src/cli/calling/placed-call.ts';
import type { Wire, WireListener } from '../../../src/cli/calling/wire/media-wire.ts';
import { dialectOf } from '../../../src/dialect/registry.ts';
import { PCMU_8K } from '../../../src/media/format.ts';
import { FakeClock } from '../../fakes/clock.ts';
import { CALLER_OPTIONS, given, openInbound } from '../../dialect/wire.ts';
import { stepsSound } from './audio/sounds.ts';

interface Wish extends Partial<ScriptWish> {
  readonly dialect?: 'twilio' | 'native';
  readonly impairment?: Partial<ImpairmentWish>;
  /** Frames the other side does not send back. */
  readonly swallow?: readonly number[];
  readonly delayMs?: number;
  readonly expectsEcho?: boolean;
  /** Does not answer a goodbye. */
  readonly isRude?: boolean;
}

/** A caller and an echo with the server's half of the real dialect, at virtual time. */
class Scene {
  readonly clock = new FakeClock({ nowMs: 500 });
  readonly call: PlacedCall;
  readonly heardAtMs: number[] = [];
  readonly heardSequences: number[] = [];
  readonly digits: string[] = [];
  readonly marks: string[] = [];
  isCut = false;
  bufferedBytes = 0;
  outcome: CallOutcome | undefined;
  readonly #wish: Wish;
  readonly #session;
  readonly #inbound = openInbound();
  #listener: WireListener | undefined;

  constructor(wish: Wish = {}) {
    this.#wish = wish;
    const dialect = dialectOf(wish.dialect ?? 'twilio')!;
    this.#session = dialect.openSession({
      nowMs: 0,
      upgrade: { method: 'GET', headers: {}, target: '/', urls: [] },
      options: {},
    });
    const { impairment } = wish;
    const sound = stepsSound(30);
    this.call = new PlacedCall({
      clock: this.clock,
      dial: (_, listener) => this.#dial(listener),
      target: { url: 'ws://x', subprotocols: [] },
      caller: dialect.openCaller({
        ...CALLER_OPTIONS,
        rtpHeaders: impairment !== undefined,
        wantsEvents: false,
      }),
      format: PCMU_8K,
      heardFormat: PCMU_8K,
      script: writeScript({
        sound,
        offsetFrames: 0,
        repeat: false,
        framesMax: Number.POSITIVE_INFINITY,
        digits: '',
        ...wish,
      }),
      inbound: openInbound(),
      phaseMs: 7,
      driftPpm: impairment?.driftPpm ?? 0,
      expectsEcho: wish.expectsEcho ?? true,
      ...(impairment !== undefined && {
        impairments: new Impairments(
          { lossPercent: 0, jitterMs: 0, reorderPercent: 0, driftPpm: 0, ...impairment },
          seededDice(5),
        ),
      }),
    });
    void this.call.outcome.then((outcome) => (this.outcome = outcome));
  }

  connects(): void {
    this.#listener!.opened();
  }

  /** The server's word, or a message of its dialect. */
  serverSays(words: 'mark' | 'clear' | object): void {
    const message =
      words === 'mark'
        ? this.#session.writeMark('m')!.bytes
        : words === 'clear'
          ? this.#session.writeClear()!.bytes
          : Buffer.from(JSON.stringify(words));
    this.#listener!.heard(message, false);
  }

  serverCloses(code: number, reason = ''): void {
    this.#listener!.ended({ type: 'closed', code, reason });
  }

  refuses(status: number, detail: string): void {
    this.#listener!.ended({ type: 'refused', status, detail });
  }

  async passes(durationMs: number): Promise<void> {
    this.clock.advance(durationMs);
    await new Promise((resolve) => setImmediate(resolve));
  }

  #dial(listener: WireListener): Wire {
    this.#listener = listener;
    const buffered = (): number => this.bufferedBytes;
    return {
      get bufferedBytes() {
        return buffered();
      },
      send: ({ bytes, isBinary }) => this.#hear(bytes, isBinary),
      close: () => undefined,
      cut: () => {
        this.isCut = true;
        listener.ended({ type: 'closed', code: 1006, reason: '' });
      },
    };
  }

  #hear(bytes: Uint8Array, isBinary: boolean): void {
    const read = this.#session.read(Buffer.from(bytes), isBinary, this.#inbound);
    if (read.type === 'refusal') throw new Error(read.detail);
    if (read.type === 'dtmf') this.digits.push(read.digit);
    if (read.type === 'mark_played') this.marks.push(`${read.name} at ${this.clock.nowMs()}`);
    if (read.type === 'hung_up' && this.#wish.isRude !== true)
      this.clock.after(5, () => this.serverCloses(1000, 'provider_stop'));
    if (read.type !== 'audio') return;
    this.heardAtMs.push(this.clock.nowMs());
    this.heardSequences.push(this.#inbound.sequence);
    if (this.#wish.swallow?.includes(this.heardAtMs.length - 1) === true) return;
    const frame = this.#inbound.payload.slice(0, this.#inbound.payloadBytes);
    this.clock.after(this.#wish.delayMs ?? 3, () => {
      if (this.#wish.expectsEcho !== false)
        this.#listener!.heard(given(this.#session.writeAudio(frame)), this.#session.audioIsBinary);
    });
  }
}

describe.each(['twilio', 'native'] as const)('a call placed as %s', (dialect) => {
  it('says every frame at its instant, hears the echo out, and hangs up', async () => {
    const scene = new Scene({ dialect });
    await scene.passes(4);
    scene.connects();
    await scene.passes(2_000);
    expect(scene.heardAtMs).toEqual(Array.from({ length: 30 }, (_, i) => 507 + i * 20));
    expect(scene.outcome).toEqual({ type: 'hung_up', by: 'caller', reason: 'provider_stop' });
    expect(scene.call.echo?.isIdentical).toBe(true);
    expect(scene.call.echo?.roundTrips.spread()).toMatchObject({ count: 30, max: 3 });
    expect(scene.call.hearing.stats).toMatchObject({ receivedFrames: 30, lateFrames: 0, gapMsMax: 20 });
    expect([scene.call.connectMs, scene.clock.pendingTasks]).toEqual([4, 0]);
  });

  it('waits a while for the last of the echo, but not for ever', async () => {
    const scene = new Scene({ dialect, swallow: [29] });
    scene.connects();
    await scene.passes(30 * 20 + 900);
    expect(scene.outcome).toBeUndefined();
    await scene.passes(200);
    expect(scene.outcome?.type).toBe('hung_up');
    expect([scene.call.echo?.isIdentical, scene.call.echo?.missingFrames]).toEqual([false, 1]);
  });

  it('presses its keys in the call', async () => {
    const scene = new Scene({ dialect, digits: '1#' });
    scene.connects();
    await scene.passes(3_000);
    expect(scene.digits).toEqual(['1', '#']);
  });

  it('hangs up in the middle when it is told to', async () => {
    const scene = new Scene({ dialect, repeat: true });
    scene.connects();
    await scene.passes(1_000);
    scene.call.hangUp();
    await scene.passes(100);
    expect(scene.outcome).toMatchObject({ type: 'hung_up', by: 'caller' });
    expect(scene.call.durationMs).toBe(1_005);
  });

  it('tells marks when what came before has played', async () => {
    const scene = new Scene({ dialect });
    scene.connects();
    await scene.passes(15);
    scene.serverSays('mark');
    await scene.passes(100);
    expect(scene.marks).toEqual(['m at 530']);
  });

  it('is over with an error where the connection breaks', async () => {
    const scene = new Scene({ dialect, repeat: true });
    scene.connects();
    await scene.passes(100);
    scene.serverCloses(1006);
    await scene.passes(1_000);
    expect(scene.outcome).toEqual({ type: 'failed', detail: 'the connection broke: 1006' });
    expect(scene.heardAtMs).toHaveLength(5);
    expect(scene.clock.pendingTasks).toBeLessThan(2);
  });

  it('is over in order where the server hangs up', async () => {
    const scene = new Scene({ dialect, repeat: true });
    scene.connects();
    await scene.passes(100);
    scene.serverCloses(1000, 'max_duration');
    await scene.passes(10);
    expect(scene.outcome).toEqual({ type: 'hung_up', by: 'server', reason: 'max_duration' });
  });
});

describe('a placed call', () => {
  it('fails with what it was answered', async () => {
    const scene = new Scene();
    scene.refuses(401, 'unknown token');
    await scene.passes(0);
    expect(scene.outcome).toEqual({ type: 'failed', detail: 'refused with HTTP 401: unknown token' });
  });

  it('fails where the server says what no provider understands', async () => {
    const scene = new Scene();
    scene.connects();
    scene.serverSays({ event: 'dance' });
    await scene.passes(0);
    expect(scene.outcome).toMatchObject({ type: 'failed' });
    expect(scene.isCut).toBe(true);
  });

  it('is not left hanging by a server that does not answer a goodbye', async () => {
    const scene = new Scene({ dialect: 'native', repeat: true, isRude: true });
    scene.connects();
    await scene.passes(50);
    scene.call.hangUp();
    await scene.passes(5_900);
    expect([scene.outcome, scene.isCut]).toEqual([undefined, false]);
    await scene.passes(200);
    expect(scene.outcome).toEqual({ type: 'hung_up', by: 'caller', reason: '1006' });
    expect(scene.isCut).toBe(true);
  });

  it('hung up before it was connected is no call', async () => {
    const scene = new Scene();
    scene.call.hangUp();
    await scene.passes(0);
    expect(scene.outcome?.type).toBe('failed');
  });

  it('drops audio that its socket does not take', async () => {
    const scene = new Scene();
    scene.connects();
    await scene.passes(100);
    scene.bufferedBytes = 100_000;
    await scene.passes(100);
    expect(scene.call.talk.stats).toMatchObject({ sentFrames: 5, droppedFrames: 5 });
  });

  it('hears nothing and hangs up at once where it expects no echo', async () => {
    const scene = new Scene({ expectsEcho: false });
    scene.connects();
    await scene.passes(30 * 20 + 20);
    expect(scene.outcome?.type).toBe('hung_up');
    expect(scene.call.hearing.stats.receivedFrames).toBe(0);
  });

  it('leaves holes in the numbers where frames are lost, and overtakes where they are reordered', async () => {
    const scene = new Scene({
      dialect: 'native',
      repeat: true,
      framesMax: 500,
      impairment: { lossPercent: 5, reorderPercent: 5, jitterMs: 30 },
    });
    scene.connects();
    await scene.passes(12_000);
    const { lostFrames, reorderedFrames } = scene.call.impaired;
    expect(lostFrames).toBeGreaterThan(10);
    expect(reorderedFrames).toBeGreaterThan(10);
    const overtaken = scene.heardSequences.filter(
      (sequence, i) => sequence > (scene.heardSequences[i + 1] ?? sequence),
    );
    expect(overtaken.length).toBeGreaterThan(5);
    const missing = Array.from({ length: 500 }, (_, i) => i).filter((i) => !scene.heardSequences.includes(i));
    // What was still on its way at the end was not heard either.
    expect(missing.length).toBeGreaterThanOrEqual(lostFrames);
    expect(missing.length).toBeLessThan(lostFrames + 4);
  });
});
