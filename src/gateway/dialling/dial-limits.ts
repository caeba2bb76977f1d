import { KIB, MIB } from '../../base/units.ts';
import { zeroByFault, type GatewayLimits, type GatewayStats } from '../limits.ts';

/** How a dial may end, one word each: `started`, or why there is no leg. */
const DIAL_RESULTS = [
  'started',
  /** The operator does not let us reach that address. */
  'blocked',
  /** The name has no address, or no name server answers. */
  'unresolved',
  'unreachable',
  /** The machine is there, and nothing listens. */
  'refused',
  /** It answered, but not with an upgrade. */
  'rejected',
  'tls',
  'connect_timeout',
  /** It is connected and did not get ready in time. */
  'start_timeout',
  /** It said that it cannot or will not. */
  'backend_error',
  /** What it said is not its protocol. */
  'protocol',
  'closed',
  /** We have too many connections of this kind already, or are leaving. */
  'overloaded',
  'cancelled',
  'internal',
] as const;
export type DialResult = (typeof DIAL_RESULTS)[number];

/** What a connection we dialled may cost (contract.md §9). */
export interface DialLimits extends Pick<
  GatewayLimits,
  | 'messageBytesMax'
  | 'messageFragmentsMax'
  | 'messagesPerSecondMax'
  | 'messageBurstMax'
  | 'pingEveryMs'
  | 'silentMsMax'
  | 'pongMsMax'
  | 'unsentBytesMax'
  | 'closeGraceMs'
  | 'connectionsMax'
> {
  /** From the look-up of the name to the open WebSocket. */
  readonly connectMsMax: number;
  /** From the open WebSocket to the protocol's start. */
  readonly startMsMax: number;
}

export const DIAL_LIMITS: DialLimits = {
  connectMsMax: 5_000,
  startMsMax: 5_000,
  messageBytesMax: 4 * MIB,
  messageFragmentsMax: 4_096,
  // A fast model says a few hundred things a second: every word of a transcript is a message.
  messagesPerSecondMax: 1_000,
  messageBurstMax: 5_000,
  pingEveryMs: 1_000,
  silentMsMax: 3_000,
  pongMsMax: 3_000,
  // Results of tools and instructions are longer than anything a telephone is sent.
  unsentBytesMax: 256 * KIB,
  closeGraceMs: 2_000,
  connectionsMax: 4_000,
};

/** What came of dialling, in plain numbers; `node/` turns them into metrics. */
export interface DialStats extends Pick<
  GatewayStats,
  | 'messagesTotal'
  | 'receivedBytes'
  | 'droppedAudioFrames'
  | 'pausedReads'
  | 'wedgedSockets'
  | 'rateLimited'
  | 'protocolViolations'
  | 'oversizedMessages'
  | 'pingTimeouts'
  | 'invariantFailures'
  | 'lateSweeps'
  | 'closedByFault'
> {
  readonly dialsByResult: Record<DialResult, number>;
}

export function openDialStats(): DialStats {
  const results = DIAL_RESULTS.map((result) => [result, 0]);
  return {
    dialsByResult: Object.fromEntries(results) as Record<DialResult, number>,
    messagesTotal: 0,
    receivedBytes: 0,
    droppedAudioFrames: 0,
    pausedReads: 0,
    wedgedSockets: 0,
    rateLimited: 0,
    protocolViolations: 0,
    oversizedMessages: 0,
    pingTimeouts: 0,
    invariantFailures: 0,
    lateSweeps: 0,
    closedByFault: zeroByFault(),
  };
}
