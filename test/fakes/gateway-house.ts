import type { Clock } from '../../src/base/clock.ts';
import type { Refusal } from '../../src/base/errors.ts';
import { sha256Hex } from '../../src/base/secret.ts';
import { mintSessionToken, verifySessionToken, type SessionClaims } from '../../src/base/session-token.ts';
import { dialectOf } from '../../src/dialect/registry.ts';
import type { Arrival, Arrivals, LegConnection, LostCause } from '../../src/gateway/arrivals.ts';
import type { DoorCredential } from '../../src/gateway/door/admission.ts';
import type { SessionGate } from '../../src/gateway/door/session-gate.ts';
import { openGateway, type Gateway, type GatewayOptions } from '../../src/gateway/gateway.ts';
import { ResumeTokens } from '../../src/gateway/resume-token.ts';
import { FakeClock } from './clock.ts';

const SECRETS = [Buffer.from('the newest signing secret of tests'), Buffer.from('the one before it')];

/** A leg that remembers what the gateway told it, and can be told to break. */
export class FakeLeg implements LegConnection {
  readonly arrival: Arrival;
  readonly messages: { readonly text: string; readonly isBinary: boolean; readonly nowMs: number }[] = [];
  readonly losses: LostCause[] = [];
  onReceive: (text: string) => void = () => undefined;

  constructor(arrival: Arrival) {
    this.arrival = arrival;
  }

  receive(message: Uint8Array, isBinary: boolean, nowMs: number): void {
    const text = Buffer.from(message).toString('latin1');
    this.messages.push({ text, isBinary, nowMs });
    this.onReceive(text);
  }

  lost(cause: LostCause): void {
    this.losses.push(cause);
  }
}

/** Makes a `FakeLeg` of everybody who arrives, unless told to refuse. */
export class FakeArrivals implements Arrivals {
  readonly legs: FakeLeg[] = [];
  refusal: Refusal | undefined;
  onArrive: (leg: FakeLeg) => Refusal | undefined = () => undefined;

  refuseNew(): Refusal | undefined {
    return this.refusal;
  }

  arrive(arrival: Arrival): LegConnection | Refusal {
    const leg = new FakeLeg(arrival);
    const refusal = this.onArrive(leg);
    if (refusal !== undefined) return refusal;
    this.legs.push(leg);
    return leg;
  }
}

/** Session tokens whose uses are kept in memory. */
export class FakeSessions implements SessionGate {
  readonly used = new Set<string>();
  isDiskFull = false;
  readonly #clock: Pick<Clock, 'unixMs'>;

  constructor(clock: Pick<Clock, 'unixMs'>) {
    this.#clock = clock;
  }

  verify(token: string): Promise<SessionClaims | undefined> {
    return verifySessionToken(token, SECRETS, this.#clock.unixMs());
  }

  isUsed(tokenId: string): boolean {
    return this.used.has(tokenId);
  }

  take(tokenId: string): 'taken' | 'used' | 'unavailable' {
    if (this.isDiskFull) return 'unavailable';
    if (this.used.has(tokenId)) return 'used';
    this.used.add(tokenId);
    return 'taken';
  }

  giveBack(tokenId: string): void {
    this.used.delete(tokenId);
  }
}

export function sessionClaims(tokenId: string): SessionClaims {
  return {
    tokenId,
    sessionId: 'vs_1',
    callId: 'call_1',
    workspaceId: 'ws_default',
    role: 'caller',
    region: 'local',
    testMode: false,
    agentId: 'echo',
    direction: 'inbound',
    from: '+15550100',
    to: '+15550199',
    leadId: null,
    contactId: null,
    conversationId: null,
    metadata: {},
  };
}

/** An open door with everything behind it faked, on ports of its own. */
export interface Door {
  readonly gateway: Gateway;
  readonly clock: FakeClock;
  readonly arrivals: FakeArrivals;
  readonly sessions: FakeSessions;
  readonly credentials: Map<string, DoorCredential>;
  readonly resumeTokens: ResumeTokens;
  readonly failures: string[];
  /** `ws://` and the node's own port. */
  readonly url: string;
  addCredential(secret: string, credential?: Partial<DoorCredential>): void;
  mintSession(tokenId: string, unixMs?: number): Promise<string>;
}

export async function openDoor(overrides: Partial<GatewayOptions> = {}): Promise<Door> {
  const clock = new FakeClock({ nowMs: 1_000_000 });
  const arrivals = new FakeArrivals();
  const sessions = new FakeSessions(clock);
  const credentials = new Map<string, DoorCredential>();
  const resumeTokens = new ResumeTokens(SECRETS);
  const failures: string[] = [];
  const gateway = await openGateway({
    clock,
    dialects: dialectOf,
    arrivals,
    credentials,
    sessions,
    resumeTokens,
    publicMediaUrls: [],
    trustedProxies: [],
    ports: { host: '127.0.0.1', shared: null, own: 0 },
    metrics: () => Promise.resolve('omnivoice_legs 0\n'),
    reportFailure: (error, where) => failures.push(`${where}: ${String(error)}`),
    ...overrides,
  });
  const addCredential = (secret: string, credential: Partial<DoorCredential> = {}): void => {
    const place = { id: 'sc_1', workspaceId: 'ws_default', testMode: false };
    const defaults = { ...place, dialect: 'twilio', agentId: 'echo' };
    credentials.set(sha256Hex(secret), { ...defaults, ...credential });
  };
  addCredential('sc_secret');
  const mintSession = (tokenId: string, unixMs = clock.unixMs()): Promise<string> =>
    mintSessionToken(sessionClaims(tokenId), SECRETS, unixMs);
  const url = `ws://127.0.0.1:${gateway.ownPort}`;
  const door = { gateway, clock, arrivals, sessions, credentials, resumeTokens, failures, url };
  return { ...door, addCredential, mintSession };
}
