import { systemClock } from '../../src/base/clock.ts';
import type { Call } from '../../src/call/call.ts';
import { CallDirectory } from '../../src/call/directory.ts';
import type { DialectSession, LegStarted } from '../../src/dialect/dialect.ts';
import { twilioDialect } from '../../src/dialect/twilio/dialect.ts';
import { Leg } from '../../src/leg/leg.ts';
import { PCMU_8K } from '../../src/media/format.ts';
import { loadDetectors } from '../../src/media/voice/detectors.ts';
import { VOICE_DEFAULTS } from '../../src/media/voice-detector.ts';
import { LegGroups } from '../../src/node/leg-groups.ts';
import { LegMedia } from '../../src/node/leg-media.ts';
import { FRAME_SAMPLES, type Speech } from '../load/speech.ts';
import { connectedWords, startWords } from '../load/twilio-words.ts';
import type { Kernel } from './measure.ts';

const LISTENERS = 3;
const STARTED: LegStarted = {
  type: 'started',
  providerCallId: null,
  providerStreamId: null,
  inbound: PCMU_8K,
  outbound: PCMU_8K,
  bidirectional: true,
  parameters: {},
  speechOnly: false,
  wantsEvents: false,
};

/** A conversation of three: each speaks a frame, and each is sent the mix of the other two. */
export async function callKernels({ samples }: Speech): Promise<Kernel[]> {
  const media = new LegMedia({ detectors: await loadDetectors(), voice: VOICE_DEFAULTS, jitterTargetMs: 0 });
  const { call, legs } = threeOnTheLine(media);
  const frames = Array.from({ length: Math.floor(samples.length / FRAME_SAMPLES) }, (_, index) =>
    samples.slice(index * FRAME_SAMPLES, (index + 1) * FRAME_SAMPLES),
  );
  let nowMs = systemClock.nowMs();
  return [
    {
      name: `mix of ${LISTENERS} for ${LISTENERS} listeners, a tick`,
      run: (i) => {
        nowMs += 20;
        for (let leg = 0; leg < LISTENERS; leg++) {
          call.onFrame(legs[leg]!, frames[(i + 50 * leg) % frames.length]!, nowMs);
        }
        for (let leg = 0; leg < LISTENERS; leg++) legs[leg]!.tick(nowMs);
      },
    },
  ];
}

function threeOnTheLine(media: LegMedia): { readonly call: Call; readonly legs: readonly Leg[] } {
  const calls = new CallDirectory({
    clock: systemClock,
    sink: { accept: () => {} },
    limits: { durationMaxMs: 0, silenceMs: 0, resumeWindowMs: 0 },
  });
  const call = calls.open({
    id: 'call_1',
    workspaceId: 'ws_1',
    testMode: false,
    region: 'local',
    node: '0',
    agentId: null,
    direction: 'inbound',
    from: null,
    to: null,
    conversationId: 'conv_1',
    leadId: null,
    contactId: null,
    metadata: {},
  });
  const legs = (['caller', 'human', 'human'] as const).map((role, index) => legOf(media, call, role, index));
  for (const leg of legs) call.join(leg, systemClock.nowMs());
  return { call, legs };
}

function legOf(media: LegMedia, call: Call, role: 'caller' | 'human', index: number): Leg {
  const nowMs = systemClock.nowMs();
  return new Leg({
    id: `leg_${index}`,
    role,
    dialectName: 'twilio',
    // A tick is measured, not what Twilio would let wait.
    capabilities: { ...twilioDialect.capabilities, inFlightMsMax: Number.MAX_SAFE_INTEGER },
    started: STARTED,
    session: startedSession(nowMs, index),
    sink: {
      bufferedBytes: 0,
      sendAudio: () => true,
      send: () => {},
      pauseReading: () => {},
      resumeReading: () => {},
      close: () => {},
    },
    counters: new LegGroups(['twilio']).of('twilio', role).frames,
    pacer: { add: () => {}, remove: () => {} },
    listener: call,
    nowMs,
    onEnded: () => {},
    ...media.partsFor(STARTED),
  });
}

/** A session that has heard its provider's start. */
function startedSession(nowMs: number, index: number): DialectSession {
  const upgrade = { method: 'GET', headers: {}, target: '/', urls: [] };
  const session = twilioDialect.openSession({ nowMs, upgrade, options: {} });
  const into = { payload: new Uint8Array(1024), payloadBytes: 0, sequence: -1, timestampMs: -1 };
  for (const words of [connectedWords(), startWords(`MZ${index}`, `CA${index}`)]) {
    session.read(Buffer.from(words), false, into);
  }
  return session;
}
