import { systemClock } from '../../src/base/clock.ts';
import { FRAME_MS } from '../../src/base/units.ts';
import { CallDirectory } from '../../src/call/directory.ts';
import type { Inbound, LegStarted } from '../../src/dialect/dialect.ts';
import { twilioDialect } from '../../src/dialect/twilio/dialect.ts';
import { NEWCOMER, type Caller, type LegConnection, type LegSocket } from '../../src/gateway/arrivals.ts';
import { ResumeTokens } from '../../src/gateway/resume-token.ts';
import { loadDetectors } from '../../src/media/voice/detectors.ts';
import type { Pacer } from '../../src/leg/leg-options.ts';
import { VOICE_DEFAULTS, type DetectorName } from '../../src/media/voice-detector.ts';
import { NodeArrivals } from '../../src/node/arrivals.ts';
import { LegGroups } from '../../src/node/leg-groups.ts';
import { LegMedia } from '../../src/node/leg-media.ts';
import { NodePacer } from '../../src/node/pacer.ts';
import { Bins } from '../../src/telemetry/bins.ts';
import { connectedWords, startWords } from '../load/twilio-words.ts';

/** The whole way of a frame in a media node, from the message to the message, without a socket. */
export interface Pipeline {
  /** One frame of one call; calls take turns, each hears the messages in order. */
  readonly turn: (index: number) => void;
  readonly sentFrames: () => number;
  readonly events: () => number;
  /** What the call with this number was last sent. */
  readonly lastSent: (call: number) => Uint8Array;
}

/** A socket that is always ready and forgets. */
class FastSocket implements LegSocket {
  readonly bufferedBytes = 0;
  sentFrames = 0;
  last: Uint8Array = new Uint8Array(0);

  sendAudio(message: Uint8Array): boolean {
    this.sentFrames++;
    this.last = message;
    return true;
  }

  pauseReading(): void {}
  resumeReading(): void {}
  send(): void {}
  close(): void {}
}

/** What is listened for and how audio is held; a node's own defaults where nothing is said. */
export interface PipelineOptions {
  readonly detector?: DetectorName;
  /** Keys and tones are listened for as well, as on a line whose protocol tells neither. */
  readonly hearsAll?: boolean;
  /** An adaptive buffer with its clock, from the beginning. */
  readonly isClocked?: boolean;
}

/** Whoever is paced, asked by the bench instead of a timer. */
class HandPacer implements Pacer {
  readonly #tickables: { tick(nowMs: number): void }[] = [];

  add(tickable: { tick(nowMs: number): void }): void {
    this.#tickables.push(tickable);
  }

  remove(): void {}

  tick(nowMs: number): void {
    for (let i = 0; i < this.#tickables.length; i++) this.#tickables[i]!.tick(nowMs);
  }
}

/** Puts a node's rooms together as `node/` does, with `calls` echo calls in it. */
export async function openPipeline(
  messages: readonly Buffer[],
  calls: number,
  options: PipelineOptions = {},
): Promise<Pipeline> {
  let events = 0;
  const pacer = options.isClocked === true ? new HandPacer() : undefined;
  const arrivals = await openArrivals(() => events++, options, pacer);
  const sockets = Array.from({ length: calls }, () => new FastSocket());
  const lines = sockets.map((socket, call) => arrive(arrivals, socket, call));
  return {
    turn: (index) => {
      const call = index % calls;
      // Each call is at another place of the sample, as callers are.
      const place = (Math.floor(index / calls) + call * 37) % messages.length;
      // A clocked call lives in its own time: 20 ms a frame, however fast the bench goes.
      if (pacer === undefined) return lines[call]!.receive(messages[place]!, false, systemClock.nowMs());
      lines[call]!.receive(messages[place]!, false, index * FRAME_MS);
      pacer.tick(index * FRAME_MS + 1);
    },
    sentFrames: () => sockets.reduce((sum, { sentFrames }) => sum + sentFrames, 0),
    events: () => events,
    lastSent: (call) => sockets[call]!.last,
  };
}

async function openArrivals(
  onEvent: () => void,
  { detector = 'own', hearsAll = false }: PipelineOptions,
  pacer: Pacer | undefined,
): Promise<NodeArrivals> {
  const clock = systemClock;
  // The node's own histogram is on the way of every frame.
  const turnaround = new Bins([0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1]);
  return new NodeArrivals({
    clock,
    calls: new CallDirectory({
      clock,
      sink: { accept: onEvent },
      limits: { durationMaxMs: 0, silenceMs: 0, resumeWindowMs: 0 },
    }),
    media: new LegMedia({
      detectors: await loadDetectors(),
      voice: { ...VOICE_DEFAULTS, detector },
      jitterTargetMs: 0,
      jitter: { mode: 'adaptive', targetMs: pacer === undefined ? 0 : 20, maxMs: 200 },
      // A Twilio caller's keys are told, and nothing was called that could ring: `auto` hears voices only.
      hearing: { dtmf: hearsAll ? 'on' : 'auto', tones: hearsAll ? 'on' : 'auto', answer: false },
    }),
    pacer:
      pacer ??
      new NodePacer({
        clock,
        observeLagMs: () => {},
        onFailure: (error) => {
          throw error;
        },
      }),
    groups: new LegGroups([twilioDialect.name]),
    observer: { turnedAround: (_leg, turnaroundMs) => turnaround.observeMs(turnaroundMs), setUp: () => {} },
    resumeTokens: new ResumeTokens([Buffer.alloc(32, 1)]),
    region: 'local',
    node: '0',
    resumeWindowMs: 0,
    resumeUrls: () => [],
    refuseNew: () => undefined,
    log: { warn: () => undefined },
  });
}

function arrive(arrivals: NodeArrivals, socket: LegSocket, call: number): LegConnection {
  const nowMs = systemClock.nowMs();
  const session = twilioDialect.openSession({
    nowMs,
    upgrade: { method: 'GET', headers: {}, target: '/', urls: [] },
    options: {},
  });
  const inbound: Inbound = { payload: new Uint8Array(1024), payloadBytes: 0, sequence: -1, timestampMs: -1 };
  session.read(Buffer.from(connectedWords()), false, inbound);
  const started = session.read(Buffer.from(startWords('MZ0', `CA${call}`)), false, inbound) as LegStarted;
  const arrival = { caller: CALLER, dialect: twilioDialect, session, started, socket, receivedAtMs: nowMs };
  const line = arrivals.arrive(arrival, nowMs);
  if ('type' in line) throw new Error(`refused: ${line.fault}: ${line.detail}`);
  return line;
}

const CALLER: Caller = { ...NEWCOMER, workspaceId: 'ws_default', agentId: 'echo', testMode: false };
