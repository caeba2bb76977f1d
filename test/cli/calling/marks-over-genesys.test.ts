import { expect, it } from 'vitest';
import { writeScript } from '../../../src/cli/calling/audio/script.ts';
import { PlacedCall } from '../../../src/cli/calling/placed-call.ts';
import type { Wire, WireListener } from '../../../src/cli/calling/wire/media-wire.ts';
import type { LegStarted } from '../../../src/dialect/dialect.ts';
import { genesysDialect } from '../../../src/dialect/genesys/dialect.ts';
import { NEWCOMER, type LegConnection } from '../../../src/gateway/arrivals.ts';
import { PCMU_8K } from '../../../src/media/format.ts';
import { CALLER_OPTIONS, NO_UPGRADE, openInbound } from '../../dialect/wire.ts';
import { MemorySocket } from '../../fakes/memory-socket.ts';
import { Story } from '../../stories/story.ts';
import { stepsSound } from './audio/sounds.ts';

/** `omnivoice call --as genesys`, on a line in memory to a node of a story. */
class GenesysLine {
  readonly call: PlacedCall;
  readonly said: string[] = [];
  readonly #story: Story;
  readonly #caller = genesysDialect.openCaller(CALLER_OPTIONS);
  readonly #inbound = openInbound();
  readonly #session;
  #listener: WireListener | undefined;
  #leg: LegConnection | undefined;

  constructor(story: Story) {
    this.#story = story;
    const headers = Object.fromEntries(
      Object.entries(this.#caller.upgradeHeaders).map(([name, value]) => [name.toLowerCase(), value]),
    );
    this.#session = genesysDialect.openSession({
      nowMs: story.clock.nowMs(),
      upgrade: { ...NO_UPGRADE, headers },
      options: {},
    });
    const sound = stepsSound(150);
    this.call = new PlacedCall({
      clock: story.clock,
      dial: (_, listener) => this.#dial(listener),
      target: { url: 'ws://x', subprotocols: [] },
      caller: this.#caller,
      format: PCMU_8K,
      heardFormat: PCMU_8K,
      script: writeScript({ sound, offsetFrames: 0, repeat: false, framesMax: 150, digits: '' }),
      inbound: openInbound(),
      phaseMs: 0,
      driftPpm: 0,
      expectsEcho: false,
    });
    this.#listener!.opened();
  }

  #dial(listener: WireListener): Wire {
    this.#listener = listener;
    return {
      bufferedBytes: 0,
      send: ({ bytes, isBinary }) => this.#hear(Buffer.from(bytes), isBinary),
      close: () => undefined,
      cut: () => undefined,
    };
  }

  #hear(bytes: Buffer, isBinary: boolean): void {
    if (!isBinary) this.said.push((JSON.parse(bytes.toString()) as { type: string }).type);
    const nowMs = this.#story.clock.nowMs();
    if (this.#leg !== undefined) return this.#leg.receive(bytes, isBinary, nowMs);
    const started = this.#session.read(bytes, isBinary, this.#inbound);
    if (started.type !== 'started') throw new Error(`${started.type} before the start`);
    this.#leg = this.#arrive(started, nowMs);
  }

  #arrive(started: LegStarted, nowMs: number): LegConnection {
    const socket = new MemorySocket();
    socket.onSent = ({ bytes, isBinary }) => {
      const copy = Buffer.from(bytes);
      this.#story.clock.after(1, () => this.#listener!.heard(copy, isBinary));
    };
    const caller = { ...NEWCOMER, workspaceId: 'ws_default', agentId: null, testMode: false };
    const line = this.#story.arrivals.arrive(
      { caller, dialect: genesysDialect, session: this.#session, started, socket, receivedAtMs: nowMs },
      nowMs,
    );
    if ('type' in line) throw new Error(line.detail);
    return line;
  }
}

it('a caller as Genesys says what has played, and an agent hears of its mark when it really has', () => {
  const story = new Story();
  const line = new GenesysLine(story);
  const agent = story.arrives({ dialect: 'native', agentId: null, role: 'agent', callId: story.call.id });
  story.passes(100);
  agent.bursts(50);
  agent.says({ type: 'mark', name: 'hello' });
  const saidAtMs = story.clock.nowMs();
  story.passes(990);
  expect(agent.told('mark_played')).toEqual([]);
  // Without the caller's word nobody would tell of it for three seconds.
  story.passes(400);
  expect(agent.told('mark_played')).toEqual([{ type: 'mark_played', name: 'hello', played_ms: 1_000 }]);
  expect(story.clock.nowMs() - saidAtMs).toBeLessThan(1_400);
  const played = line.said.filter((type) => type.startsWith('playback_'));
  expect(played).toEqual(['playback_started', 'playback_completed']);
  expect(line.call.isOver).toBe(false);
  expect(story.failures).toEqual([]);
});
