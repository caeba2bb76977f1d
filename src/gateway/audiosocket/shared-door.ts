import type { Clock } from '../../base/clock.ts';
import { audioSocketDialect } from '../../dialect/audiosocket/dialect.ts';
import type { Arrivals } from '../arrivals.ts';
import { openAudioSocketDoor, type AudioSocketDoor } from './door.ts';
import { AudioSocketTickets } from './tickets.ts';
import type { SessionGate } from '../door/session-gate.ts';

/** What a node has of its own for it. */
export interface SharedDoorOptions {
  readonly host: string;
  /** 0: no door. */
  readonly port: number;
  readonly tokensDir: string;
  readonly sessions: SessionGate;
  readonly arrivals: Arrivals;
  readonly messagesPerSecondMax: number;
  readonly clock: Clock;
  reportFailure(error: unknown, where: string): void;
}

/** A node's share of the host's AudioSocket port; undefined where there is none, as by default. */
export async function openSharedAudioSocketDoor(
  options: SharedDoorOptions,
): Promise<AudioSocketDoor | undefined> {
  const { host, port, tokensDir, sessions, arrivals, clock } = options;
  if (port === 0) return undefined;
  return openAudioSocketDoor({
    clock,
    host,
    port,
    isShared: true,
    dialect: audioSocketDialect,
    arrivals,
    sessions,
    tickets: new AudioSocketTickets(tokensDir, clock),
    limits: { messagesPerSecondMax: options.messagesPerSecondMax },
    reportFailure: (error, where) => options.reportFailure(error, where),
  });
}
