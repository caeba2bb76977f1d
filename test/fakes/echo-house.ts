import { systemClock } from '../../src/base/clock.ts';
import { sha256Hex } from '../../src/base/secret.ts';
import { CallDirectory } from '../../src/call/directory.ts';
import { DIALECTS, dialectOf } from '../../src/dialect/registry.ts';
import type { Envelope } from '../../src/events/envelope.ts';
import type { DoorCredential } from '../../src/gateway/door/admission.ts';
import { openGateway, type Gateway } from '../../src/gateway/gateway.ts';
import { ResumeTokens } from '../../src/gateway/resume-token.ts';
import type { Leg } from '../../src/leg/leg.ts';
import { VOICE_DEFAULTS } from '../../src/media/voice-detector.ts';
import { NodeArrivals } from '../../src/node/arrivals.ts';
import { LegGroups } from '../../src/node/leg-groups.ts';
import { LegMedia } from '../../src/node/leg-media.ts';
import { NodePacer } from '../../src/node/pacer.ts';
import { FakeSessions } from './gateway-house.ts';
import { loudDetectors } from './loud-detector.ts';

/** The media rooms of a node behind a real door: whoever calls in is echoed. */
export interface EchoHouse {
  readonly gateway: Gateway;
  readonly events: Envelope[];
  readonly failures: unknown[];
  readonly warnings: object[];
  readonly arrivals: NodeArrivals;
  /** The only leg of the only call. */
  readonly leg: Leg;
  addCredential(secret: string, credential: Partial<DoorCredential>): void;
  /** Has everything a call began been told to its end? */
  readonly isOver: boolean;
}

export async function openEchoHouse(): Promise<EchoHouse> {
  const clock = systemClock;
  const events: Envelope[] = [];
  const failures: unknown[] = [];
  const warnings: object[] = [];
  const credentials = new Map<string, DoorCredential>();
  const resumeTokens = new ResumeTokens([Buffer.alloc(32, 1)]);
  const calls = new CallDirectory({
    clock,
    sink: { accept: ({ envelope }) => void events.push(envelope) },
    limits: { durationMaxMs: 0, silenceMs: 0, resumeWindowMs: 0 },
  });
  const arrivals = new NodeArrivals({
    clock,
    calls,
    media: new LegMedia({ detectors: loudDetectors, voice: VOICE_DEFAULTS, jitterTargetMs: 0 }),
    pacer: new NodePacer({ clock, observeLagMs: () => {}, onFailure: (error) => void failures.push(error) }),
    groups: new LegGroups(DIALECTS.map(({ name }) => name)),
    observer: { turnedAround: () => {}, setUp: () => {} },
    resumeTokens,
    region: 'local',
    node: '0',
    resumeWindowMs: 0,
    resumeUrls: () => [],
    refuseNew: () => undefined,
    log: { warn: (fields) => void warnings.push(fields) },
  });
  const gateway = await openGateway({
    clock,
    dialects: dialectOf,
    arrivals,
    credentials,
    sessions: new FakeSessions(clock),
    resumeTokens,
    publicMediaUrls: [],
    trustedProxies: [],
    ports: { host: '127.0.0.1', shared: null, own: 0 },
    metrics: () => Promise.resolve(''),
    reportFailure: (error) => void failures.push(error),
  });
  return {
    gateway,
    events,
    failures,
    warnings,
    arrivals,
    get leg() {
      return calls.get(events[0]!.resource.id)!.legs[0]!;
    },
    get isOver() {
      return events.some(({ type }) => type === 'call_completed');
    },
    addCredential: (secret, credential) => {
      const place = { id: 'sc_1', workspaceId: 'ws_default', testMode: false };
      const defaults = { ...place, dialect: 'auto', agentId: 'echo' };
      credentials.set(sha256Hex(secret), { ...defaults, ...credential });
    },
  };
}
