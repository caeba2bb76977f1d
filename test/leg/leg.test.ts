import { beforeEach, describe, expect, it } from 'vitest';
import type { Capabilities } from '../../src/dialect/capabilities.ts';
import type { WireMessage } from '../../src/dialect/dialect.ts';
import { newFrameCounters } from '../../src/leg/counters.ts';
import { Leg } from '../../src/leg/leg.ts';
import type { CallInput } from '../../src/leg/leg-listener.ts';
import type { Pacer } from '../../src/leg/leg-options.ts';
import { FixedJitterBuffer } from '../../src/media/jitter/fixed-jitter-buffer.ts';
import { Metronome } from '../../src/media/metronome.ts';
import { VOICE_DEFAULTS } from '../../src/media/voice-detector.ts';
import { VoiceEdges } from '../../src/media/voice/voice-edges.ts';
import { NodePacer } from '../../src/node/pacer.ts';
import { FakeClock } from '../fakes/clock.ts';
import { loudDetectors } from '../fakes/loud-detector.ts';
import { MemorySocket } from '../fakes/memory-socket.ts';
import { ODD_STARTED, oddDialect, oddWords, type OddOptions } from '../fakes/odd-dialect.ts';

/** One leg of the odd protocol, on virtual time. */
class Scene {
  readonly clock = new FakeClock({ nowMs: 1_000 });
  readonly socket = new MemorySocket();
  readonly counters = newFrameCounters();
  readonly marks: string[] = [];
  readonly inputs: CallInput[] = [];
  readonly faults: string[] = [];
  readonly leg: Leg;
  lentFrames = 0;

  constructor(options: OddOptions = {}, pacer?: Pacer) {
    const dialect = oddDialect(options);
    const upgrade = { method: 'GET', headers: {}, target: '/', urls: [] };
    this.leg = new Leg({
      id: 'leg_1',
      role: 'caller',
      dialectName: dialect.name,
      capabilities: dialect.capabilities,
      started: ODD_STARTED,
      session: dialect.openSession({ nowMs: this.clock.nowMs(), upgrade, options: {} }),
      sink: this.socket,
      inbound: { payload: new Uint8Array(4_096), payloadBytes: 0, sequence: -1, timestampMs: -1 },
      slots: { take: () => (this.lentFrames++, new Int16Array(160)), giveBack: () => void this.lentFrames-- },
      jitter: new FixedJitterBuffer({ sampleRateHz: 8000, targetMs: 0 }),
      edges: new VoiceEdges(loudDetectors.open(8000), VOICE_DEFAULTS),
      counters: this.counters,
      pacer: pacer ?? new NodePacer({ clock: this.clock, observeLagMs: () => {}, onFailure: fail }),
      listener: {
        onFrame: () => {},
        onVoice: () => {},
        onInput: (_, input) => void this.inputs.push(input),
        onMark: (_, { name }) => void this.marks.push(name),
        onPlayed: () => {},
        onBroken: (_, fault) => void this.faults.push(fault),
        onLost: () => {},
      },
      nowMs: this.clock.nowMs(),
      onEnded: () => {},
    });
  }

  says({ bytes, isBinary }: WireMessage): void {
    this.leg.receive(bytes, isBinary, this.clock.nowMs());
  }

  queues(frames: number): void {
    for (let i = 0; i < frames; i++) this.leg.queue(new Int16Array(160).fill(8 * (i + 1)));
  }

  marksNow(name: string): void {
    this.leg.mark(name, this.clock.nowMs());
  }

  clears(): readonly string[] {
    return this.leg.clear(this.clock.nowMs()).marks.map(({ name }) => name);
  }

  /** Lengths of the audio messages so far. */
  get audioBytes(): readonly number[] {
    return this.socket.sent.filter(({ isAudio }) => isAudio).map(({ bytes }) => bytes.length);
  }

  /** Everything said in order: audio by its bytes, the rest by its words. */
  get said(): readonly unknown[] {
    return this.socket.sent.map(({ bytes, isAudio }) =>
      isAudio ? bytes.length : (JSON.parse(Buffer.from(bytes).toString()) as { word: string }).word,
    );
  }
}

function fail(error: unknown): never {
  throw error;
}

function scene(capabilities: Partial<Capabilities> = {}, more: OddOptions = {}): Scene {
  return new Scene({ capabilities, ...more });
}

describe('what a provider says', () => {
  it('is answered at once where its protocol has an answer', () => {
    const asked = scene();
    asked.says(oddWords('ask'));
    expect(asked.said).toEqual(['answer']);
    expect(asked.inputs).toEqual([]);
  });

  it('may mean several things, which happen in order', () => {
    const ending = scene();
    ending.says(oddWords('end'));
    expect(ending.said).toEqual(['ended']);
    expect(ending.inputs).toEqual([{ type: 'hung_up', reason: 'provider' }]);
  });

  it('may be of an agent’s mind, for whoever runs the call', () => {
    const agent = scene();
    agent.says(oddWords('thinks'));
    expect(agent.inputs).toEqual([{ type: 'caller_speaking' }]);
  });

  it('breaks the leg where it starts a second time', () => {
    const twice = scene();
    twice.says(oddWords('start'));
    expect([twice.faults, twice.socket.closed?.closeCode]).toEqual([['protocol_violation'], 4400]);
  });
});

describe('a provider whose queue is full', () => {
  it('pauses what is queued, and goes on from there', () => {
    const full = scene();
    full.queues(10);
    full.clock.advance(100);
    const before = full.audioBytes.length;
    full.says(oddWords('flow', { maySend: false }));
    full.clock.advance(1_000);
    expect(full.audioBytes).toHaveLength(before);
    full.says(oddWords('flow', { maySend: true }));
    full.clock.advance(1_000);
    expect(full.audioBytes).toHaveLength(10);
    expect(full.counters.droppedBusyFrames).toBe(0);
  });

  it('misses what is live, and that is counted', () => {
    const full = scene();
    full.says(oddWords('flow', { maySend: false }));
    for (let i = 0; i < 3; i++) full.leg.forward(new Int16Array(160));
    full.says(oddWords('flow', { maySend: true }));
    full.leg.forward(new Int16Array(160));
    expect(full.audioBytes).toEqual([160]);
    expect([full.leg.egress.stats.droppedFrames, full.counters.droppedBusyFrames]).toEqual([3, 3]);
  });

  it('is asked anew on another socket', () => {
    const moved = scene();
    moved.says(oddWords('flow', { maySend: false }));
    const socket = new MemorySocket();
    const session = oddDialect().openSession({
      nowMs: 0,
      upgrade: { method: '', headers: {}, target: '', urls: [] },
      options: {},
    });
    moved.leg.resume(session, socket, 4409, moved.clock.nowMs());
    moved.leg.forward(new Int16Array(160));
    expect(socket.sent).toHaveLength(1);
  });
});

describe('messages of several frames', () => {
  let long: Scene;
  beforeEach(() => {
    long = scene({ messageFrames: 10 });
  });

  it('go out whole, and what is left when speech ends is padded', () => {
    long.queues(25);
    long.clock.advance(500);
    expect(long.audioBytes).toEqual([1_600, 1_600]);
    // A message's length of patience: who speaks in such messages is as long between them.
    long.clock.advance(300);
    expect(long.audioBytes).toEqual([1_600, 1_600, 1_600]);
    expect([long.counters.playedFrames, long.leg.egress.stats.sentFrames]).toEqual([25, 25]);
  });

  it('are not padded in mid-speech because a source speaks just in time', () => {
    for (let i = 0; i < 40; i++) {
      long.queues(1);
      long.clock.advance(20);
    }
    expect(long.audioBytes).toEqual([1_600, 1_600, 1_600, 1_600]);
    const live = scene({ messageFrames: 10 });
    for (let i = 0; i < 20; i++) {
      live.leg.forward(new Int16Array(160));
      live.clock.advance(20);
    }
    expect(live.audioBytes).toEqual([1_600, 1_600]);
  });

  it('do not hold back the last word of a live speaker', () => {
    for (let i = 0; i < 3; i++) long.leg.forward(new Int16Array(160));
    long.clock.advance(200);
    expect(long.audioBytes).toEqual([1_600]);
    long.clock.advance(10_000);
    expect(long.audioBytes).toEqual([1_600]);
  });

  it('are ended before a mark, so that the mark stands behind its audio', () => {
    long.queues(12);
    long.marksNow('m');
    long.clock.advance(260);
    expect(long.said).toEqual([1_600, 1_600, 'mark']);
  });

  it('are ended before the goodbye', () => {
    long.leg.forward(new Int16Array(160));
    long.leg.end('call_ended', 1000, long.clock.nowMs());
    expect(long.said).toEqual([1_600, 'goodbye']);
  });

  it('are forgotten by a clear, and count as dropped', () => {
    long.leg.forward(new Int16Array(160));
    long.clears();
    long.clock.advance(1_000);
    expect(long.said).toEqual(['clear']);
    expect(long.counters.droppedBusyFrames).toBe(1);
    for (let i = 0; i < 10; i++) long.leg.forward(new Int16Array(160));
    expect(long.audioBytes).toEqual([1_600]);
  });

  it('are dropped whole, and counted by frames, where the socket is busy at their end', () => {
    for (let i = 0; i < 4; i++) long.leg.forward(new Int16Array(160));
    long.socket.isWedged = true;
    long.clock.advance(200);
    expect([long.audioBytes, long.counters.droppedBusyFrames]).toEqual([[], 4]);
  });
});

describe('marks', () => {
  it('come back when the provider says so, once, and no other does', () => {
    const one = scene();
    one.marksNow('m');
    for (const name of ['never given', 'm', 'm']) one.says(oddWords('played', { name }));
    expect(one.marks).toEqual(['m']);
    expect(one.leg.owedMarks.stats.strayMarks).toBe(2);
  });

  it('that a provider returns on clear are its to return', () => {
    const returning = scene({ marksOnClear: 'returned' });
    returning.marksNow('m');
    expect(returning.clears()).toEqual([]);
    returning.says(oddWords('played', { name: 'm' }));
    expect(returning.marks).toEqual(['m']);
  });

  it('that a provider drops on clear are reported by the leg, before those it still held; late ones are not heard', () => {
    const dropping = scene({ marksOnClear: 'dropped' });
    dropping.marksNow('at the provider');
    dropping.queues(5);
    dropping.marksNow('in the queue');
    expect(dropping.clears()).toEqual(['at the provider', 'in the queue']);
    expect(dropping.marks).toEqual(['at the provider', 'in the queue']);
    dropping.says(oddWords('played', { name: 'at the provider' }));
    expect(dropping.marks).toHaveLength(2);
  });

  it('beyond what the provider can hold are reported by played time', () => {
    const few = scene({ marksMax: 2 });
    for (const name of ['a', 'b', 'c']) few.marksNow(name);
    expect([few.said, few.marks]).toEqual([['mark', 'mark'], ['c']]);
    few.says(oddWords('played', { name: 'a' }));
    few.marksNow('d');
    expect(few.said).toEqual(['mark', 'mark', 'mark']);
    expect(few.leg.owedMarks.stats.emulatedMarks).toBe(1);
  });

  it('of a provider without any are reported when their audio was sent', () => {
    const none = scene({ marks: false });
    none.queues(3);
    none.marksNow('m');
    none.clock.advance(30);
    expect(none.marks).toEqual([]);
    none.clock.advance(30);
    expect([none.said, none.marks]).toEqual([[160, 160, 160], ['m']]);
  });
});

describe('marks of a provider that says only when all was played', () => {
  const CAN = { marks: false, playedOut: true, marksOnClear: 'dropped', messageFrames: 1 } as const;

  it('are told when it says so, and not when their audio was sent', () => {
    const one = scene(CAN);
    one.queues(5);
    one.marksNow('m');
    one.clock.advance(1_000);
    expect([one.audioBytes.length, one.marks]).toEqual([5, []]);
    one.says(oddWords('played_out'));
    one.says(oddWords('played_out'));
    expect(one.marks).toEqual(['m']);
  });

  it('are not told by the end of what was said before', () => {
    const one = scene(CAN);
    one.queues(5);
    one.marksNow('first');
    one.clock.advance(300);
    one.queues(10);
    one.marksNow('second');
    one.clock.advance(40);
    one.says(oddWords('played_out'));
    expect(one.marks).toEqual(['first']);
    one.clock.advance(300);
    one.says(oddWords('played_out'));
    expect(one.marks).toEqual(['first', 'second']);
  });

  it('are told by played time where more was said behind them', () => {
    const one = scene(CAN);
    one.queues(5);
    one.marksNow('m');
    one.queues(50);
    one.clock.advance(60);
    expect(one.marks).toEqual([]);
    one.clock.advance(300);
    expect(one.marks).toEqual(['m']);
  });

  it('are told in the end where it never says so', () => {
    const one = scene(CAN);
    one.queues(5);
    one.marksNow('m');
    one.clock.advance(2_000);
    one.leg.observe(one.clock.nowMs());
    expect(one.marks).toEqual([]);
    one.clock.advance(2_000);
    one.leg.observe(one.clock.nowMs());
    expect(one.marks).toEqual(['m']);
  });

  it('are told at once where nothing is being played', () => {
    const one = scene(CAN);
    one.marksNow('m');
    expect(one.marks).toEqual(['m']);
  });

  it('are told by a clear, after which the provider’s word tells nothing', () => {
    const one = scene(CAN);
    one.queues(5);
    one.marksNow('m');
    one.clock.advance(1_000);
    expect(one.clears()).toEqual(['m']);
    one.says(oddWords('played_out'));
    expect(one.marks).toEqual(['m']);
  });
});

describe('a source that runs ahead', () => {
  it.each([1, 10])(
    'never has more in flight than its provider takes (%i frames a message)',
    (messageFrames) => {
      const handDriven = { add: () => {}, remove: () => {} };
      const ahead = new Scene({ capabilities: { messageFrames, inFlightMsMax: 200 } }, handDriven);
      let [nowMs, playedUntilMs, mostInFlightMs] = [1_000, 0, 0];
      ahead.socket.onSent = ({ bytes }) => {
        playedUntilMs = Math.max(playedUntilMs, nowMs) + bytes.length / 8;
        mostInFlightMs = Math.max(mostInFlightMs, playedUntilMs - nowMs);
      };
      ahead.queues(2_000);
      const metronome = new Metronome(nowMs);
      const turnsMs = [20, 21, 19, 500, 20, 90, 20, 3_000, 20, 40];
      for (let turn = 0; ahead.leg.playout.waitingFrames > 0; turn++) {
        nowMs += turnsMs[turn % turnsMs.length]!;
        // A loop that stood still catches up, but the provider has played on meanwhile.
        for (let due = metronome.due(nowMs); due > 0; due--) ahead.leg.tick(nowMs);
      }
      expect(ahead.audioBytes).toHaveLength(2_000 / messageFrames);
      expect(mostInFlightMs).toBeLessThanOrEqual(200);
      expect(metronome.stats.forgivenSteps).toBeGreaterThan(100);
      expect(ahead.lentFrames).toBe(0);
    },
  );
});

describe('the end', () => {
  it('leaves the peer the time its protocol gives it', () => {
    const polite = scene({}, { endGraceMs: 3_000 });
    polite.leg.end('call_ended', 1000, polite.clock.nowMs());
    expect(polite.said).toEqual(['goodbye']);
    expect(polite.socket.closed).toEqual({ closeCode: 1000, reason: 'call_ended' });
    expect(polite.socket.graceMs).toBe(3_000);
  });
});
