import { FAULTS, type FaultCode } from '../base/errors.ts';
import { KIB } from '../base/units.ts';

/** Everything the media door will take, and no more (contract.md §9). Each limit has its counter below. */
export interface GatewayLimits {
  /** From the first byte of a connection to the last of its request headers. */
  readonly upgradeMsMax: number;
  /** From the upgrade to the first message, and from that to the protocol's start. */
  readonly firstMessageMsMax: number;
  readonly messageBytesMax: number;
  /** A message before the leg has started. */
  readonly firstMessageBytesMax: number;
  /** WebSocket fragments one message may be cut into. */
  readonly messageFragmentsMax: number;
  readonly messagesPerSecondMax: number;
  readonly messageBurstMax: number;
  readonly pingEveryMs: number;
  /** Neither a pong nor a message for this long: the peer is gone. */
  readonly silentMsMax: number;
  /** A peer that answers pings, and then does not for this long while we send, no longer reads. */
  readonly pongMsMax: number;
  readonly unsentBytesMax: number;
  /** Between our close frame and the end of a socket whose peer does not answer it. */
  readonly closeGraceMs: number;
  /** Connections that have not become a WebSocket (yet). */
  readonly halfOpenMax: number;
  readonly connectionsMax: number;
  /** Upgrades of one client address that have not reached their protocol's start. */
  readonly handshakesPerAddressMax: number;
}

export const GATEWAY_LIMITS: GatewayLimits = {
  upgradeMsMax: 5_000,
  firstMessageMsMax: 5_000,
  messageBytesMax: 64 * KIB,
  firstMessageBytesMax: 64 * KIB,
  messageFragmentsMax: 256,
  messagesPerSecondMax: 100,
  messageBurstMax: 500,
  pingEveryMs: 5_000,
  silentMsMax: 15_000,
  pongMsMax: 5_000,
  unsentBytesMax: 64 * KIB,
  closeGraceMs: 2_000,
  halfOpenMax: 1_024,
  connectionsMax: 4_000,
  handshakesPerAddressMax: 512,
};

/** What happened at the door, in plain numbers; `node/` turns them into metrics. */
export interface GatewayStats {
  upgradesAccepted: number;
  legsStarted: number;
  /** Answered over HTTP, before there was a WebSocket. */
  readonly refusedByFault: Record<FaultCode, number>;
  /** Closed by us with a fault's code, whoever noticed it: the gateway, the dialect or the leg. */
  readonly closedByFault: Record<FaultCode, number>;
  messagesTotal: number;
  receivedBytes: number;
  droppedAudioFrames: number;
  /** A leg that was spoken to faster than it could play stopped reading for a while. */
  pausedReads: number;
  wedgedSockets: number;
  rateLimited: number;
  /** Not the protocol: broken WebSocket frames, no JSON, wrong order. */
  protocolViolations: number;
  oversizedMessages: number;
  handshakeTimeouts: number;
  /** Dropped while a leg could not be made yet. */
  waitingDropped: number;
  pingTimeouts: number;
  upgradeTimeouts: number;
  /** Connections ended before a byte of them was read, because too many were half open. */
  halfOpenRefused: number;
  tlsFailures: number;
  /** Our own broken promises; each ended one connection. */
  invariantFailures: number;
  /** Sweeps that came so late that nobody was judged. */
  lateSweeps: number;
}

export function openGatewayStats(): GatewayStats {
  return {
    upgradesAccepted: 0,
    legsStarted: 0,
    refusedByFault: zeroByFault(),
    closedByFault: zeroByFault(),
    messagesTotal: 0,
    receivedBytes: 0,
    droppedAudioFrames: 0,
    pausedReads: 0,
    wedgedSockets: 0,
    rateLimited: 0,
    protocolViolations: 0,
    oversizedMessages: 0,
    handshakeTimeouts: 0,
    waitingDropped: 0,
    pingTimeouts: 0,
    upgradeTimeouts: 0,
    halfOpenRefused: 0,
    tlsFailures: 0,
    invariantFailures: 0,
    lateSweeps: 0,
  };
}

type ClosedStats = Pick<GatewayStats, 'protocolViolations' | 'closedByFault'>;

/** A connection was closed by us. */
export function countClose(stats: ClosedStats, closeCode: number, reason: string): void {
  const isViolation = closeCode === 4400 || closeCode === 1003;
  if (isViolation && reason !== 'handshake_timeout') stats.protocolViolations++;
  // A leg may name the call's own end as its reason; that is no fault.
  if (Object.hasOwn(FAULTS, reason)) stats.closedByFault[reason as FaultCode]++;
}

/** Every fault at 0: the first increase of a counter that appears late is missed. */
export function zeroByFault(): Record<FaultCode, number> {
  const codes = Object.keys(FAULTS) as FaultCode[];
  return Object.fromEntries(codes.map((code) => [code, 0])) as Record<FaultCode, number>;
}
